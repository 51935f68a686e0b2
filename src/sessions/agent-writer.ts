import { WarrenError } from "../protocol/errors.ts";
import type { KeeperChannel } from "../protocol/keeper-calls.ts";
import * as agentErrors from "./agents/agent-errors.ts";
import type { WriteToAgent } from "./agents/own-calls.ts";
import type { KeeperPort } from "./keeper-port.ts";
import { sourceFor } from "./stable-hash.ts";

/**
 * Lines to an agent's stdin, through the keeper. Each has a key, and with it a source of its own: the keeper takes the bytes of a source once, whoever
 * sends them again. A line is written when the keeper has acknowledged it, or when it is seen in the journal, which an agent that reads nothing does not
 * hold up.
 *
 * Invariant: a line is sent at most once by this object, and after `input.seen` has said that no server before has sent it.
 */
export interface AgentWriterOptions {
  channel: KeeperChannel;
  keeper: KeeperPort;
  /** Another server has the lease. */
  onStale: () => void;
}

interface Waiting {
  resolve: () => void;
  reject: (error: WarrenError) => void;
}

export class AgentWriter {
  readonly #options: AgentWriterOptions;
  readonly #lines = new Map<string, { written: Promise<void> } & Waiting>();
  #closed: WarrenError | undefined;

  constructor(options: AgentWriterOptions) {
    this.#options = options;
  }

  readonly write: WriteToAgent = (bytes, { key }) => {
    if (this.#closed) return Promise.reject(this.#closed);
    const source = sourceFor(`${this.#options.channel.id} ${key}`);
    const known = this.#lines.get(source);
    if (known) return known.written;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#lines.set(source, { written: promise, resolve, reject });
    void this.#send(source, bytes);
    return promise;
  };

  onAck(source: string): void {
    this.#settle(source)?.resolve();
  }

  /** The journal has a line of that source. */
  onInput(source: string): void {
    this.#settle(source)?.resolve();
  }

  onRefused(source: string, code: string): void {
    this.#settle(source)?.reject(refusal(code));
    if (code === "STALE_EPOCH") this.#options.onStale();
  }

  /** What was not written by now is said to have failed. */
  close(error: WarrenError): void {
    this.#closed ??= error;
    for (const { reject } of this.#lines.values()) reject(error);
    this.#lines.clear();
  }

  async #send(source: string, bytes: Uint8Array): Promise<void> {
    const { keeper, channel } = this.#options;
    try {
      const seen = await keeper.call({ call: "input.seen", id: channel.id, source });
      if (!this.#lines.has(source)) return;
      if (seen.bytes > 0) this.onAck(source);
      else keeper.write(channel.channel, { epoch: channel.epoch, source, offset: 0, bytes });
    } catch (error) {
      this.#settle(source)?.reject(error as WarrenError);
    }
  }

  #settle(source: string): Waiting | undefined {
    const line = this.#lines.get(source);
    this.#lines.delete(source);
    return line;
  }
}

function refusal(code: string): WarrenError {
  switch (code) {
    case "STALE_EPOCH":
      return agentErrors.agentDetached();
    case "PROGRAM_ENDED":
    case "INPUT_CLOSED":
    case "CHANNEL_NOT_FOUND":
      return agentErrors.agentEnded();
    default:
      return new WarrenError("AGENT_INPUT_REFUSED", `The keeper did not take a line for the agent: ${code}.`);
  }
}
