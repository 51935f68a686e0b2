import type { Clock } from "../../platform/clock.ts";
import type { WarrenError } from "../../protocol/errors.ts";
import { agentDetached, agentEnded } from "./agent-errors.ts";
import type { Conversation } from "./conversation.ts";
import { encodeMessage, type Fields, idKey, type RpcError, type RpcId } from "./json-rpc.ts";

export interface Answer {
  result: Fields;
  error: RpcError | undefined;
}

/**
 * Writes bytes to the agent's stdin, all or none, and resolves when they are in the journal. A `key` that was written before writes nothing and
 * resolves: two servers that both think that they steer the agent say a thing once.
 */
export type WriteToAgent = (bytes: Uint8Array, options: { key: string }) => Promise<void>;

/** Our requests to the agent: sent, and awaited by what the conversation says of them. */
export class OwnCalls {
  readonly #conversation: Conversation;
  readonly #write: WriteToAgent;
  readonly #clock: Clock;
  readonly #life: number;
  /** By the request's id; several may wait for one answer. */
  readonly #waiting = new Map<string, Array<(answer: Answer | WarrenError) => void>>();
  #nextId = 0;

  constructor(options: { conversation: Conversation; write: WriteToAgent; clock: Clock; signal: AbortSignal }) {
    const { conversation, write, clock, signal } = options;
    this.#conversation = conversation;
    this.#write = write;
    this.#clock = clock;
    this.#life = conversation.life;
    const stop = conversation.observe({
      answered: (id, result, error) => this.#settle(id, { result, error }),
      folded: () => {
        if (conversation.life !== this.#life) this.#settleAll(agentEnded());
      },
    });
    const detach = (): void => {
      stop();
      this.#settleAll(agentDetached());
    };
    if (signal.aborted) detach();
    else signal.addEventListener("abort", detach, { once: true });
  }

  /** Names a line that is written once in the life of this agent. */
  key(name: string): string {
    return `${this.#life}:${name}`;
  }

  /** Resolves when the request is in the journal; its answer is the conversation's. `key` default: its id. */
  async send(method: string, params: Fields, key?: string): Promise<void> {
    await this.#send(this.#takeId(), method, params, key);
  }

  notify(method: string, params: Fields, key: string): Promise<void> {
    return this.#write(encodeMessage({ method, params }), { key: this.key(key) });
  }

  /** @throws `late` when it is not answered in `deadlineMs` */
  async call(method: string, params: Fields, deadline: Deadline): Promise<Answer> {
    const id = this.#takeId();
    const answer = this.answerTo(id, deadline);
    answer.catch(() => {}); // looked at below, unless the write fails first
    await this.#send(id, method, params);
    return answer;
  }

  /** The answer to a request that is open already, of a former server. */
  answerTo(id: RpcId, { afterMs, late }: Deadline): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.timer(afterMs, () => this.#settle(id, late()));
      const settle = (answer: Answer | WarrenError): void => {
        cancel();
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      this.#waiting.set(idKey(id), [...(this.#waiting.get(idKey(id)) ?? []), settle]);
    });
  }

  #send(id: number, method: string, params: Fields, key = `request:${id}`): Promise<void> {
    return this.#write(encodeMessage({ id, method, params }), { key: this.key(key) });
  }

  #takeId(): number {
    const id = Math.max(this.#nextId, this.#conversation.nextRequestId);
    this.#nextId = id + 1;
    return id;
  }

  #settle(id: RpcId, answer: Answer | WarrenError): void {
    const key = idKey(id);
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    for (const settle of waiting ?? []) settle(answer);
  }

  #settleAll(error: WarrenError): void {
    for (const settle of [...this.#waiting.values()].flat()) settle(error);
    this.#waiting.clear();
  }
}

export interface Deadline {
  afterMs: number;
  late: () => WarrenError;
}
