import type { AgentFacts } from "./agent-facts.ts";
import { clip } from "./clip.ts";
import type { Garbage } from "./garbage.ts";
import { asFields, asText, type Fields, idKey, type RpcError, type RpcId, type RpcMessage } from "./json-rpc.ts";
import type { OpenRequests } from "./open-requests.ts";
import type { Timeline } from "./timeline.ts";
import type { Transcript } from "./transcript.ts";
import type { Turns } from "./turns.ts";

interface Parts {
  timeline: Timeline;
  transcript: Transcript;
  turns: Turns;
  facts: AgentFacts;
  garbage: Garbage;
  requests: OpenRequests;
}

/** Takes each message of the journal to the part of the conversation that it changes. */
export class MessageFold {
  readonly #parts: Parts;
  /** A request of ours was answered. */
  readonly #onAnswered: (id: RpcId, result: Fields, error: RpcError | undefined) => void;
  /** session/load tells a history that is here already. */
  #isReplay = false;

  constructor(parts: Parts, onAnswered: (id: RpcId, result: Fields, error: RpcError | undefined) => void) {
    this.#parts = parts;
    this.#onAnswered = onAnswered;
  }

  get isReplay(): boolean {
    return this.#isReplay;
  }

  /** Something was said before: a history that is told again adds nothing. */
  get hasHistory(): boolean {
    const { timeline } = this.#parts;
    return timeline.droppedCount > 0 || timeline.list().some(({ kind }) => kind === "user_message");
  }

  ofAgent(message: RpcMessage): void {
    if (message.kind === "response") return this.#onAnswer(message.id, message.result, message.error);
    const { method, params } = message;
    if (message.kind === "request") return this.#onAgentRequest(message.id, method, params);
    if (method === "session/update") this.#onUpdate(params);
    else if (method === "$/cancel_request") this.#parts.requests.withdrawAgent((params.requestId ?? null) as RpcId);
  }

  ofClient(message: RpcMessage): void {
    if (message.kind === "request") {
      const { id, method, params } = message;
      this.#parts.requests.openOwn({ id, method, about: this.#ownRequest(method, params) });
    } else if (message.kind === "response") {
      const request = this.#parts.requests.closeAgent(message.id);
      if (request) this.#parts.turns.answered(request, message.result);
    } else if (message.method === "session/cancel") {
      this.#parts.turns.cancel();
    }
  }

  /** The agent's process has ended. */
  end(): void {
    this.#isReplay = false;
    this.#parts.requests.clear();
  }

  restore(isReplay: boolean): void {
    this.#isReplay = isReplay;
  }

  #onAgentRequest(id: RpcId, method: string, params: Fields): void {
    const isQuestion = method === "session/request_permission";
    // Without a limit of length, but of depth: it must fit into a checkpoint.
    const request = this.#parts.requests.openAgent(
      id,
      method,
      isQuestion ? {} : clip(params, Number.POSITIVE_INFINITY),
    );
    if (!request) {
      this.#parts.timeline.begin("error", { code: "AGENT_ERROR", message: `request id ${idKey(id)} is open already` });
    } else if (isQuestion) {
      request.itemId = this.#parts.turns.ask(params);
    }
  }

  #onUpdate({ sessionId, update }: Fields): void {
    const fields = asFields(update);
    const ours = this.#parts.facts.sessionId;
    const isOurs = ours === undefined || sessionId === undefined || sessionId === ours;
    if (!fields || !isOurs || this.#parts.facts.update(fields)) return;
    if (!this.#isReplay) this.#parts.transcript.update(fields);
  }

  #onAnswer(id: RpcId, result: Fields, error: RpcError | undefined): void {
    const request = this.#parts.requests.closeOwn(id);
    if (!request) return;
    if (request.method === "session/prompt") this.#parts.turns.end(asText(request.about.turn) ?? "", result, error);
    else this.#parts.facts.answered(request, result, error);
    if (request.method === "session/load") {
      this.#isReplay = false;
      this.#parts.transcript.endMessages();
    }
    this.#onAnswered(id, result, error);
  }

  /** What of a request of ours its answer will need. */
  #ownRequest(method: string, params: Fields): Fields {
    if (method === "session/prompt") return { turn: this.#parts.turns.begin(params) };
    if (method === "initialize") this.#onInitialize();
    if (method === "session/load") this.#isReplay = this.hasHistory;
    const { sessionId, modeId } = params;
    return { ...(sessionId === undefined ? {} : { sessionId }), ...(modeId === undefined ? {} : { modeId }) };
  }

  #onInitialize(): void {
    this.#parts.facts.reset();
    this.#parts.garbage.firstRequest();
  }
}
