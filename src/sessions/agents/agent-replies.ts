import type { Log } from "../../platform/log.ts";
import { messageOf } from "../../protocol/errors.ts";
import type { Conversation } from "./conversation.ts";
import { encodeMessage, type Fields, RPC, type RpcError } from "./json-rpc.ts";
import type { AgentRequest } from "./open-requests.ts";
import { RpcFailure } from "./rpc-failure.ts";
import { type Services, serve } from "./serve.ts";

/** A longer answer is an error: a line to the agent is one write of the keeper's, so that no server dies in the middle of it. */
export const ANSWER_BYTES_MAX = 4 * 1024 * 1024 - 1024;

type Reply = { result: Fields } | { error: RpcError };

interface AgentRepliesOptions {
  conversation: Conversation;
  write: (bytes: Uint8Array, name: string) => Promise<void>;
  services: Services;
  /** An answer was not taken: `serveOpen` is to be called again. */
  onRefused: (error: unknown) => void;
  log: Log;
  signal: AbortSignal;
}

/** Answers to the agent's requests, each once; questions are left to people, unless the agent takes them back. */
export class AgentReplies {
  readonly #options: AgentRepliesOptions;
  /** By ordinal, the requests that are being served, or whose answer is known. */
  readonly #serving = new Map<number, { stop: AbortController; reply?: Reply }>();
  /** Ordinals whose answer is written, or on its way. */
  readonly #replied = new Set<number>();

  constructor(options: AgentRepliesOptions) {
    this.#options = options;
  }

  /** Begins to serve what is open and not served yet; an answer that was not taken is written again. */
  serveOpen(): void {
    const open = this.#options.conversation.agentRequests;
    for (const request of open) {
      const serving = this.#serving.get(request.ordinal);
      if (request.withdrawn) this.#giveUp(request);
      else if (serving?.reply) void this.#write(request, serving.reply);
      else if (request.itemId === undefined && !serving) void this.#serve(request);
    }
    this.#forgetClosed(open);
  }

  /** Writes the answer, unless there is one already. Resolves when it is in the journal. */
  async reply(request: AgentRequest, reply: Reply): Promise<void> {
    const { ordinal } = request;
    if (this.#replied.has(ordinal)) return;
    this.#replied.add(ordinal);
    try {
      await this.#options.write(encodeReply(request, reply), `answer:${ordinal}`);
    } catch (error) {
      this.#replied.delete(ordinal);
      throw error;
    }
  }

  async #serve(request: AgentRequest): Promise<void> {
    const { services, signal, conversation } = this.#options;
    const serving: { stop: AbortController; reply?: Reply } = { stop: new AbortController() };
    this.#serving.set(request.ordinal, serving);
    const context = {
      key: `${conversation.life}:${request.ordinal}`,
      signal: AbortSignal.any([signal, serving.stop.signal]),
    };
    serving.reply = await serve(request, services, context).then(
      (result): Reply => ({ result }),
      (error: unknown): Reply => ({ error: rpcErrorOf(error) }),
    );
    if (signal.aborted) return; // the next link serves it
    await this.#write(request, serving.reply);
  }

  #giveUp(request: AgentRequest): void {
    this.#serving.get(request.ordinal)?.stop.abort();
    void this.#write(request, { error: { code: RPC.cancelled, message: "the request was cancelled" } });
  }

  async #write(request: AgentRequest, reply: Reply): Promise<void> {
    try {
      await this.reply(request, reply);
    } catch (error) {
      this.#options.log.warn("agent_reply_failed", { method: request.method, error: messageOf(error) });
      this.#options.onRefused(error);
    }
  }

  #forgetClosed(open: readonly AgentRequest[]): void {
    const ordinals = new Set(open.map(({ ordinal }) => ordinal));
    for (const ordinal of this.#replied) {
      if (ordinals.has(ordinal)) continue;
      this.#replied.delete(ordinal);
      this.#serving.delete(ordinal);
    }
  }
}

function encodeReply({ id, method }: AgentRequest, reply: Reply): Uint8Array {
  const bytes = encodeMessage({ id, ...reply });
  if (bytes.length <= ANSWER_BYTES_MAX) return bytes;
  const message = `the answer to ${method} has ${bytes.length} bytes, ${ANSWER_BYTES_MAX} is the most: ask for a part of it`;
  return encodeMessage({ id, error: { code: RPC.invalidParams, message } });
}

const rpcErrorOf = (error: unknown): RpcError => ({
  code: error instanceof RpcFailure ? error.code : RPC.internal,
  message: messageOf(error),
});
