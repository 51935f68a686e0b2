import { Backoff } from "../protocol/backoff.ts";
import { LINE_BYTES_MAX, MUTATING, PROTOCOL, type Response, STABLE, type StreamEvent } from "../protocol/envelope.ts";
import { fromWire, messageOf, systemCode, WarrenError } from "../protocol/errors.ts";
import type { DataOf, MessageType, PayloadOf } from "../protocol/messages.ts";
import { EventQueue } from "./event-queue.ts";
import { type SubscribeFilter, Subscription, type SubscriptionItem } from "./subscription.ts";

/**
 * The typed client, the same over every wire. It reconnects by itself: requests in hand are sent again (those that change something carry a
 * `request_id`, so that the server answers a repeat with its first answer) and subscriptions go on after the last `seq` that was seen.
 *
 * Invariants
 * 1. Each request settles exactly once: with its answer, or with CONNECTION_LOST when no server could be reached, or none that says a word.
 * 2. A subscription yields every event after its snapshot once and in order, or a new snapshot with `gap`.
 */
export interface Wire {
  /** The build of the server that is meant. By the time one answers, the name may be another's: that one refuses, and `dial` is asked again. */
  meansBuild?: string;
  send(line: string): void;
  close(): void;
}

export interface WireEvents {
  onLine(line: string): void;
  /** The wire is gone; called once, also after `close()`. */
  onClose(): void;
  /** Aborted when nobody wants the wire any more, also while it is being opened. */
  unwanted?: AbortSignal;
}

/** Opens a wire to the server that is meant, starting it if that is its way. Rejects with a typed error when it cannot. */
export type Dial = (events: WireEvents) => Promise<Wire>;

export interface ClientOptions {
  dial: Dial;
  name: string;
  version: string;
  randomId: () => string;
  /** How often to dial again before the requests in hand are given up; default 5. */
  redialCountMax?: number;
  /** A wire whose server does not answer the greeting for so long is given up, with what was asked; default: never. */
  greetingTimeoutMs?: number;
  /** `dial` goes to the server that has a certain session by then: after a move it is asked again. */
  followsSession?: boolean;
  /** Of one request; default: what a server takes. */
  lineBytesMax?: number;
  /** Called when the wire was lost and when it is there again. */
  onConnection?: (state: "lost" | "back") => void;
}

export interface RequestOptions {
  /** Milliseconds; default: no limit (waits are long). */
  timeoutMs?: number;
  signal?: AbortSignal;
}

interface Pending {
  type: MessageType;
  /** It has no such message; said before its greeting. */
  refusal?: WarrenError;
  line: string;
  resolve: (data: never) => void;
  reject: (error: WarrenError) => void;
}

const REDIAL = { firstMs: 30, maxMs: 1_000 };
/** Times how often it has moved. */
const MOVE_DELAY_MS = 10;
/** Moves in a row, without an answer in between, after which something is wrong. */
const MOVE_COUNT_MAX = 20;
/** Wires in a row that were closed without a line, after which something is wrong: some 12 s. */
const MUTE_COUNT_MAX = 20;

export class Client {
  readonly #options: ClientOptions;
  #wire: Wire | undefined;
  #dialing: Promise<void> | undefined;
  readonly #unwanted = new AbortController();
  #greetingTimer: ReturnType<typeof setTimeout> | undefined;
  #redialTimer: ReturnType<typeof setTimeout> | undefined;
  #nextId = 1;
  #closed = false;
  #moveCount = 0;
  /** Wires in a row that were closed without a line. */
  #muteCount = 0;
  readonly #muteDelay = new Backoff(REDIAL);
  readonly #pending = new Map<number, Pending>();
  #subscription: Subscription | undefined;
  #hello: DataOf<"hello"> | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** What the server said of itself; after the first answer. */
  get server(): DataOf<"hello"> | undefined {
    return this.#hello;
  }

  /**
   * Sends one message and resolves with its data.
   * @throws WarrenError with the server's code; LINE_TOO_LONG before sending; ABORTED, before sending when `signal` was aborted already;
   *   CONNECTION_LOST; TIMEOUT; CLOSED.
   */
  request<T extends MessageType>(type: T, payload: PayloadOf<T>, options: RequestOptions = {}): Promise<DataOf<T>> {
    const givenUp = (): WarrenError => new WarrenError("ABORTED", `${type} was given up.`);
    if (this.#closed) return Promise.reject(closed());
    if (options.signal?.aborted) return Promise.reject(givenUp()); // an abort that has been tells its listeners no more
    const id = this.#nextId++;
    const requestId = MUTATING.has(type) ? { request_id: this.#options.randomId() } : {};
    const line = JSON.stringify({ id, type, payload, ...requestId });
    const bytesMax = this.#options.lineBytesMax ?? LINE_BYTES_MAX;
    if (line.length > bytesMax / 4 && new TextEncoder().encode(line).length > bytesMax) {
      return Promise.reject(
        new WarrenError("LINE_TOO_LONG", `The request is ${line.length} bytes long; at most ${bytesMax} are sent.`),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<DataOf<T>>();
    const drop = (error: WarrenError): void => {
      if (this.#pending.delete(id)) reject(error);
    };
    this.#pending.set(id, { type, line, resolve: resolve as (data: never) => void, reject });
    const timer = options.timeoutMs
      ? setTimeout(
          () => drop(new WarrenError("TIMEOUT", `No answer to ${type} in ${options.timeoutMs} ms.`)),
          options.timeoutMs,
        )
      : undefined;
    const onAbort = (): void => drop(givenUp());
    options.signal?.addEventListener("abort", onAbort, { once: true });
    if (this.#wire) this.#wire.send(line);
    else void this.#connect();
    return promise.finally(() => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
    });
  }

  /** One subscription per client. Ends when `signal` aborts or the client closes; throws when no server can be reached any more. */
  subscribe(filter: SubscribeFilter, signal?: AbortSignal): AsyncIterableIterator<SubscriptionItem> {
    const queue = new EventQueue<SubscriptionItem>();
    const subscription = new Subscription(filter, queue);
    this.#subscription = subscription;
    const end = (): void => {
      queue.end();
      this.#unsubscribe(subscription);
    };
    signal?.addEventListener("abort", end, { once: true });
    if (signal?.aborted) queue.end();
    if (this.#wire) this.#sendSubscribe();
    else void this.#connect();
    return queue.iterate(() => {
      signal?.removeEventListener("abort", end);
      if (this.#subscription === subscription) this.#subscription = undefined;
    });
  }

  /** The wire stays for requests; on it nothing more is to be told. */
  #unsubscribe(subscription: Subscription): void {
    if (this.#subscription !== subscription) return;
    this.#subscription = undefined;
    if (!this.#closed) this.#wire?.send(JSON.stringify({ id: this.#nextId++, type: "unsubscribe", payload: {} }));
  }

  close(): void {
    this.#closed = true;
    this.#unwanted.abort();
    clearTimeout(this.#greetingTimer);
    clearTimeout(this.#redialTimer);
    this.#wire?.close();
    this.#failAll(closed());
    this.#subscription?.queue.end();
  }

  #connect(): Promise<void> {
    if (this.#wire) return Promise.resolve();
    if (this.#dialing) return this.#dialing;
    const dialing = this.#dial().finally(() => {
      if (this.#dialing === dialing) this.#dialing = undefined;
    });
    this.#dialing = dialing;
    return dialing;
  }

  async #dial(): Promise<void> {
    let lastError: unknown;
    const backoff = new Backoff(REDIAL);
    const countMax = this.#options.redialCountMax ?? 5;
    for (let count = 1; count <= countMax && !this.#closed; count++) {
      try {
        await this.#open();
        return;
      } catch (error) {
        lastError = error;
        if (error instanceof WarrenError && error.code !== "CONNECTION_LOST") break;
        if (count < countMax) await new Promise((wake) => setTimeout(wake, backoff.nextMs()));
      }
    }
    const error =
      lastError instanceof WarrenError
        ? lastError
        : new WarrenError("CONNECTION_LOST", `The server cannot be reached${reasonOf(lastError)}.`, {
            fix: "warren doctor",
            cause: lastError,
          });
    this.#giveUp(error);
  }

  async #open(): Promise<void> {
    let wire: Wire | undefined;
    let lost = false;
    let isMute = true;
    wire = await this.#options.dial({
      unwanted: this.#unwanted.signal,
      onLine: (line) => {
        isMute = false;
        if (wire && this.#wire === wire) this.#onLine(line); // what a wire still says that was left is said again on the next
      },
      onClose: () => {
        lost = true;
        if (wire && this.#wire === wire) this.#onLost(isMute);
      },
    });
    if (lost) throw new WarrenError("CONNECTION_LOST", "The server closed the connection.");
    if (this.#closed) return wire.close();
    this.#wire = wire;
    this.#dialing = undefined; // from here on the wire can be lost, also while it is written to, and then it is dialled anew
    this.#expectGreeting(wire);
    const { name, version } = this.#options;
    const meant = wire.meansBuild === undefined ? {} : { git_hash: wire.meansBuild };
    const greeting = { protocol: PROTOCOL, client: name, version, ...meant };
    wire.send(JSON.stringify({ id: 0, type: "hello", payload: greeting }));
    for (const { line } of this.#pending.values()) wire.send(line);
    if (this.#subscription) this.#sendSubscribe();
  }

  #expectGreeting(wire: Wire): void {
    const { greetingTimeoutMs } = this.#options;
    if (greetingTimeoutMs === undefined) return;
    this.#greetingTimer = setTimeout(() => {
      if (this.#wire !== wire) return;
      this.#wire = undefined;
      wire.close();
      this.#giveUp(silent(greetingTimeoutMs));
    }, greetingTimeoutMs);
  }

  #onLost(isMute: boolean): void {
    this.#wire = undefined;
    clearTimeout(this.#greetingTimer);
    if (this.#closed) return;
    this.#options.onConnection?.("lost");
    const delayMs = this.#delayAfter(isMute);
    if (this.#pending.size === 0 && !this.#subscription) return;
    if (this.#muteCount >= MUTE_COUNT_MAX) return this.#giveUp(closesAtOnce());
    const again = (): void =>
      void this.#connect().then(() => {
        if (this.#wire) this.#options.onConnection?.("back");
      });
    clearTimeout(this.#redialTimer);
    if (delayMs === 0) again();
    else this.#redialTimer = setTimeout(again, delayMs);
  }

  /** A server that closes what it accepts is not dialled as fast as it closes; the first time it may have been its end. */
  #delayAfter(isMute: boolean): number {
    this.#muteCount = isMute ? this.#muteCount + 1 : 0;
    if (this.#muteCount > 1) return this.#muteDelay.nextMs();
    this.#muteDelay.reset();
    return 0;
  }

  #sendSubscribe(): void {
    const id = this.#nextId++;
    const subscription = this.#subscription;
    if (!subscription || !this.#wire) return;
    subscription.answerId = id;
    this.#wire.send(JSON.stringify({ id, type: "subscribe", payload: subscription.payload() }));
  }

  #onLine(line: string): void {
    let message: Response | StreamEvent;
    try {
      message = JSON.parse(line);
    } catch {
      return; // not a line of ours; what follows may be
    }
    if ("event" in message) return this.#subscription?.onEvent(message);
    if (typeof message.id !== "number") return;
    if (!message.success && message.code === "SERVER_ENDING") return; // the wire closes in a moment; then all is sent again
    if (!message.success && this.#isElsewhere(message.code)) return this.#move(fromWire(message));
    if (message.id === 0) return this.#onHello(message);
    if (message.id === this.#subscription?.answerId) {
      this.#moveCount = 0;
      if (message.success) this.#subscription.onAnswer(message.data as DataOf<"subscribe">);
      else this.#subscription.queue.fail(fromWire(message));
      return;
    }
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if (!message.success && message.code === "UNKNOWN_TYPE" && !this.#hello) {
      pending.refusal = fromWire(message); // who says so is not known yet
      return;
    }
    this.#pending.delete(message.id);
    this.#moveCount = 0;
    if (message.success) pending.resolve(message.data as never);
    else if (message.code === "UNKNOWN_TYPE") pending.reject(this.#notKnown(pending.type, fromWire(message).code));
    else pending.reject(fromWire(message));
  }

  #onHello(message: Response): void {
    clearTimeout(this.#greetingTimer);
    if (!message.success) return this.#onRefused(fromWire(message));
    this.#hello = message.data as DataOf<"hello">;
    for (const [id, { type, refusal, reject }] of this.#pending) {
      if (!refusal) continue;
      this.#pending.delete(id);
      reject(this.#notKnown(type, refusal.code));
    }
  }

  /** Of a server of another protocol, what is the same in all of them is still answered. */
  #onRefused(error: WarrenError): void {
    const isOtherProtocol = error.code === "PROTOCOL_MISMATCH";
    for (const [id, { type, reject }] of this.#pending) {
      if (isOtherProtocol && STABLE.has(type)) continue;
      this.#pending.delete(id);
      reject(error);
    }
    this.#subscription?.queue.fail(error);
  }

  /** Every request of ours is a message of this build, so the server runs another one. */
  #notKnown(type: string, code: string): WarrenError {
    const { server, version, git_hash } = this.#hello!;
    return new WarrenError(
      code,
      `The server ${server} (v${version} ${git_hash}) runs other code, which has no ${type}.`,
      {
        fix: `warren reload ${server}`,
      },
    );
  }

  #isElsewhere(code: string): boolean {
    return (
      code === "NOT_PRIMARY" ||
      code === "OTHER_BUILD" ||
      (code === "SESSION_MOVED" && this.#options.followsSession === true)
    );
  }

  /** What is meant has moved to another server: dial again, which finds it, and repeat what is in hand. */
  #move(reason: WarrenError): void {
    this.#moveCount += 1;
    if (this.#moveCount > MOVE_COUNT_MAX) {
      const error =
        reason.code === "NOT_PRIMARY"
          ? new WarrenError("NOT_PRIMARY", "No server of this home says that it has the jobs.", {
              fix: "warren doctor",
            })
          : reason;
      return this.#giveUp(error);
    }
    const wire = this.#wire;
    this.#wire = undefined;
    clearTimeout(this.#greetingTimer);
    wire?.close();
    // The first move finds the newer server; while that one is starting there may be none that has the jobs.
    const delayMs = this.#moveCount === 1 ? 0 : MOVE_DELAY_MS * this.#moveCount;
    clearTimeout(this.#redialTimer);
    this.#redialTimer = setTimeout(() => void this.#connect(), delayMs);
  }

  #giveUp(error: WarrenError): void {
    this.#muteCount = 0;
    this.#failAll(error);
    this.#subscription?.queue.fail(error);
  }

  #failAll(error: WarrenError): void {
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}

const silent = (afterMs: number): WarrenError =>
  new WarrenError(
    "SERVER_SILENT",
    `The server has not answered for ${afterMs / 1000} s: it is stopped, or it hangs. What was asked may still be done.`,
    {
      fix: "warren doctor",
    },
  );

const closesAtOnce = (): WarrenError =>
  new WarrenError("CONNECTION_LOST", "The server closes each connection before it says a word.", {
    fix: "warren doctor",
  });

/** What keeps a server from being started, and that no other attempt mends. */
const OF_THE_DISK: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM"]);

const reasonOf = (error: unknown): string => (OF_THE_DISK.has(systemCode(error)) ? `: ${messageOf(error)}` : "");

const closed = (): WarrenError => new WarrenError("CLOSED", "The client was closed.");
