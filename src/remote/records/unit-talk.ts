import type { Clock } from "../../platform/clock.ts";
import { fromWire, type WireError } from "../../protocol/errors.ts";
import { LineSplitter } from "../../protocol/lines.ts";
import { targetGone } from "../errors.ts";
import { GreetingAnswer, greetingLine, type StreamGreeting } from "../greeting.ts";
import type { ConnectUnit, UnitWire } from "../network.ts";

/**
 * A connection of our own to a server of this home, by the same path as a device's stream: greeted with the scopes that it is held to, then requests as
 * JSON lines. It ends with the server, and whoever asked knows nothing then.
 */
export interface UnitTalkOptions {
  connect: ConnectUnit;
  target: string;
  greeting: StreamGreeting;
  clock: Clock;
  /** A line that answers nothing: an event of a stream. */
  onEvent?(event: string): void;
}

export interface UnitRequest {
  type: string;
  payload: Record<string, unknown>;
  /** A repeat gets the first answer. */
  requestId?: string;
}

/** A longer answer is none: what a page of a log or a conversation has is far less. */
const LINE_BYTES_MAX = 16 * 1024 * 1024;
/** To be connected and greeted; a server that is stopped does neither. */
const OPEN_MS = 10_000;

export class UnitTalk {
  readonly #options: UnitTalkOptions;
  readonly #splitter = new LineSplitter(LINE_BYTES_MAX);
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #greeted = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();
  #greeting: GreetingAnswer | undefined;
  #wire: UnitWire | undefined;
  #server = "";
  #nextId = 1;
  #isOver = false;

  /** @throws TARGET_GONE, TARGET_UNREACHABLE, NO_SERVER, SERVER_CANNOT_LIMIT, and what the server refuses */
  static async open(options: UnitTalkOptions): Promise<UnitTalk> {
    const talk = new UnitTalk(options);
    const cancel = options.clock.timer(OPEN_MS, () => talk.close());
    void talk.#connect();
    await talk.#greeted.promise.finally(cancel);
    return talk;
  }

  private constructor(options: UnitTalkOptions) {
    this.#options = options;
    this.#greeting = new GreetingAnswer(options.greeting.scopes);
    this.#greeted.promise.catch(() => {});
  }

  /** Who has answered, by name: another one than was meant, where the unit has gone meanwhile. */
  get server(): string {
    return this.#server;
  }

  /** Resolves when it has ended. */
  get ended(): Promise<void> {
    return this.#over.promise;
  }

  /** @throws what the server answers; TARGET_GONE: the connection ended first, and it may have been done */
  ask({ type, payload, requestId }: UnitRequest): Promise<unknown> {
    if (this.#isOver) return Promise.reject(targetGone());
    const id = this.#nextId++;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    const request = { id, type, payload, ...(requestId === undefined ? {} : { request_id: requestId }) };
    this.#wire!.write(Buffer.from(`${JSON.stringify(request)}\n`), () => {});
    return answer.promise;
  }

  close(): void {
    this.#wire?.close();
    this.#end(targetGone());
  }

  async #connect(): Promise<void> {
    const { connect, target, greeting } = this.#options;
    try {
      this.#wire = await connect(target, {
        onBytes: (bytes) => this.#hear(bytes),
        onClosed: () => this.#end(targetGone()),
      });
      if (this.#isOver) this.#wire.close();
      else this.#wire.write(greetingLine(greeting), () => {});
    } catch (error) {
      this.#end(error);
    }
  }

  #hear(bytes: Uint8Array): void {
    if (this.#isOver) return;
    try {
      const rest = this.#greeting ? this.#greet(this.#greeting, bytes) : bytes;
      if (rest) for (const line of this.#splitter.push(rest)) this.#onLine(line);
    } catch {
      this.close(); // no server speaks so
    }
  }

  #greet(greeting: GreetingAnswer, bytes: Uint8Array): Uint8Array | undefined {
    const answer = greeting.push(bytes);
    if (!answer) return undefined;
    this.#greeting = undefined;
    this.#server = answer.server;
    if (!answer.refusal) {
      this.#greeted.resolve();
      return answer.rest;
    }
    this.#wire?.close();
    this.#end(answer.refusal);
    return undefined;
  }

  #onLine(line: string): void {
    const { id, success, data, event, ...error } = JSON.parse(line) as {
      id?: number;
      success?: boolean;
      data?: unknown;
      event?: string;
    } & WireError;
    if (event !== undefined) return this.#options.onEvent?.(event);
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id!);
    if (success === true) waiting.resolve(data);
    else waiting.reject(fromWire(error));
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#greeted.reject(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#over.resolve();
  }
}
