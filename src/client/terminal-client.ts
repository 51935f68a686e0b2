import { Backoff } from "../protocol/backoff.ts";
import { PROTOCOL, type Response } from "../protocol/envelope.ts";
import { fromWire, isWarrenError, WarrenError } from "../protocol/errors.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import type { Outcome } from "../protocol/outcome.ts";
import {
  encodeJson,
  encodePosition,
  encodeTerminalFrame,
  encodeTerminalSize,
  TERMINAL_FRAME,
} from "../protocol/terminal-frames.ts";
import { brokenFrames, noFrames, notOurProtocol, serverSilent } from "./attach-errors.ts";
import { AttachReader, BrokenFrame, type Heard } from "./attach-reader.ts";
import { OutputPlace } from "./output-place.ts";
import {
  type ByteWire,
  type TerminalClientOptions,
  type TerminalClock,
  type TerminalEvents,
  type TerminalSize,
  terminalClock,
} from "./terminal-world.ts";
import { TypedInput, WAITING_BYTES_MAX } from "./typed-input.ts";

/** From dialling to the answer; past it the first attach fails, and a later one is tried again. */
const ANSWER_TIMEOUT_MS = 5_000;
/** How long a session may be found nowhere while it moves between servers. */
const MISSING_MAX_MS = 5_000;
const REDIAL = { firstMs: 10, maxMs: 1_000 };
/** Connections in a row that broke the rules of frames. */
const BROKEN_COUNT_MAX = 5;
/** How long `detach` waits for what was typed to be taken. */
const DETACH_GRACE_MS = 1_000;

const HELLO_ID = 0;
const ATTACH_ID = 1;
const GET_ID = 2;

/** One connection, from dialling to its loss. */
interface Attempt {
  wire?: ByteWire;
  reader: AttachReader;
  /** As sent with `session.attach`. */
  size: TerminalSize;
  cancelDeadline: () => void;
}

/**
 * One terminal that looks at a session and types into it, the same over every wire. It reconnects by itself for as long as the session may be
 * there, to whichever server has it then, and goes on at the very byte.
 *
 * Invariants
 * 1. What is typed is taken once and in order, however often the wire is cut.
 * 2. Output follows the last screen without a gap and without a repeat; what does not fit is cut to fit, or a new screen is asked for.
 * 3. It ends once: with `onEnd`, with `onFailed`, or by `detach`; afterwards it says nothing.
 */
export class TerminalClient {
  readonly #options: TerminalClientOptions;
  readonly #events: TerminalEvents;
  readonly #clock: TerminalClock;
  readonly #input = new TypedInput();
  readonly #place = new OutputPlace();
  readonly #backoff: Backoff;
  readonly #flushWaiters = new Set<() => void>();
  #attempt: Attempt | undefined;
  #cancelRedial: () => void = () => {};
  #cancelFirstDeadline: () => void = () => {};
  #size: TerminalSize;
  /** The session's, which is another's when somebody else types. */
  #sessionSize: TerminalSize | undefined;
  #server: string | undefined;
  #brokenCount = 0;
  #missingSinceMs: number | undefined;
  #lastError: unknown;
  #wasAttached = false;
  #isLost = false;
  #isFull = false;
  #isPaused = false;
  #wantsControl = false;
  #isOver = false;

  constructor(options: TerminalClientOptions) {
    this.#options = options;
    this.#events = options.events;
    this.#clock = options.clock ?? terminalClock;
    this.#size = options.size;
    this.#backoff = new Backoff({ ...REDIAL, ...(options.random && { random: options.random }) });
  }

  /** Attaches; called once. Fails within ANSWER_TIMEOUT_MS when no server answers. */
  start(): void {
    this.#cancelFirstDeadline = this.#clock.timer(ANSWER_TIMEOUT_MS, () => this.#failFirst());
    this.#dial();
  }

  /** The bytes are taken in any case; false when too many wait, and the caller is to pause until `onRoom`. A viewer's go nowhere. */
  type(bytes: Uint8Array): boolean {
    if (this.#isOver || this.#options.isViewer) return true;
    this.#input.push(bytes);
    this.#sendInput();
    this.#isFull = this.#input.waitingBytes > WAITING_BYTES_MAX;
    return !this.#isFull;
  }

  resize(size: TerminalSize): void {
    if (sameSize(size, this.#size)) return;
    this.#size = size;
    if (this.#attempt?.reader.isLive) this.#send(TERMINAL_FRAME.resize, encodeTerminalSize(size));
  }

  takeControl(): void {
    this.#wantsControl = !this.#attempt?.reader.isLive;
    if (this.#attempt?.reader.isLive) this.#send(TERMINAL_FRAME.control, encodeJson({ take: true }));
  }

  /** Has the whole screen sent anew. */
  redraw(): void {
    this.#place.forget();
    if (this.#attempt?.reader.isLive) this.#lose(this.#attempt, "by us");
  }

  /** Takes no more output until `resume`; the server keeps it, and skips to the newest screen when it is much. */
  pause(): void {
    this.#isPaused = true;
    if (this.#attempt?.reader.isLive) this.#attempt.wire?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#attempt?.wire?.resume();
  }

  /** Resolves when everything that was typed has been taken, or when nothing is taken any more. */
  flushed(): Promise<void> {
    if (this.#isOver || this.#input.waitingBytes === 0) return Promise.resolve();
    return new Promise((resolve) => this.#flushWaiters.add(resolve));
  }

  /** Leaves; the session goes on. What was typed is sent first, if that takes no longer than `graceMs`. */
  async detach(graceMs = DETACH_GRACE_MS): Promise<void> {
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#clock.timer(graceMs, resolve);
    });
    await Promise.race([this.flushed(), late]);
    cancel();
    this.#finish();
  }

  #dial(): void {
    const attempt: Attempt = {
      reader: new AttachReader(),
      size: this.#size,
      cancelDeadline: this.#clock.timer(ANSWER_TIMEOUT_MS, () => this.#lose(attempt, "silent")),
    };
    this.#attempt = attempt;
    const dialled = this.#options.dial({
      onBytes: (bytes) => this.#onBytes(attempt, bytes),
      onClose: () => this.#lose(attempt, "closed"),
    });
    dialled.then(
      (wire) => {
        if (this.#attempt !== attempt) return wire.close();
        attempt.wire = wire;
        attempt.size = this.#size;
        this.#greet(wire);
      },
      (error: unknown) => this.#onDialFailed(attempt, error),
    );
  }

  #greet(wire: ByteWire): void {
    const { name, version, session, clientId, label, isViewer } = this.#options;
    // A picture of another size is no place to go on from.
    const since = this.#sessionSize && !sameSize(this.#sessionSize, this.#size) ? undefined : this.#place.next;
    if (since === undefined) this.#place.forget();
    const attach: PayloadOf<"session.attach"> = {
      session,
      client: clientId,
      ...this.#size,
      ...(label === undefined ? {} : { label }),
      ...(isViewer ? { view: true } : {}),
      ...(since === undefined ? {} : { since }),
    };
    wire.send(line({ id: HELLO_ID, type: "hello", payload: { protocol: PROTOCOL, client: name, version } }));
    wire.send(line({ id: ATTACH_ID, type: "session.attach", payload: attach }));
  }

  #onBytes(attempt: Attempt, bytes: Uint8Array): void {
    if (this.#attempt !== attempt) return; // a late word of a wire that was left
    try {
      for (const heard of attempt.reader.read(bytes)) {
        this.#onHeard(attempt, heard);
        if (this.#attempt !== attempt) return;
      }
    } catch (error) {
      if (!(error instanceof BrokenFrame)) throw error;
      this.#onBroken(attempt);
    }
  }

  #onHeard(attempt: Attempt, heard: Heard): void {
    switch (heard.kind) {
      case "answer":
        return this.#onAnswer(attempt, heard.answer);
      case "foreign":
        return this.#fail(notOurProtocol(heard.text));
      case "output":
        return this.#onOutput(heard);
      case "screen":
        return this.#events.onScreen(heard.bytes, this.#place.screenAt(heard.position));
      case "ack":
        this.#input.ack(heard.position);
        this.#sendInput();
        return this.#settleInput();
      case "control":
        this.#sessionSize = { cols: heard.control.cols, rows: heard.control.rows };
        return this.#events.onControl?.(heard.control);
      case "end":
        this.#finish();
        return this.#events.onEnd(heard.outcome);
    }
  }

  #onAnswer(attempt: Attempt, answer: Response): void {
    if (!answer.success) return this.#onRefused(attempt, fromWire(answer));
    if (answer.id === HELLO_ID) this.#server = (answer.data as DataOf<"hello">).server;
    else if (answer.id === ATTACH_ID) this.#onAttached(attempt, answer.data as DataOf<"session.attach">);
    else if (answer.id === GET_ID) this.#onLooked(attempt, answer.data as DataOf<"session.get">);
  }

  #onAttached(attempt: Attempt, data: DataOf<"session.attach">): void {
    if (typeof data?.input_bytes !== "number" || typeof data.continued !== "boolean")
      return this.#fail(noFrames(this.#server));
    attempt.cancelDeadline();
    this.#cancelFirstDeadline();
    attempt.reader.isLive = true;
    this.#wasAttached = true;
    this.#missingSinceMs = undefined;
    this.#backoff.reset();
    if (!data.continued) this.#place.forget();
    this.#input.rewind(data.input_bytes);
    this.#events.onAttached?.(data);
    if (this.#attempt !== attempt) return;
    if (this.#isPaused) attempt.wire?.pause();
    if (!sameSize(attempt.size, this.#size)) this.#send(TERMINAL_FRAME.resize, encodeTerminalSize(this.#size));
    if (this.#wantsControl) this.takeControl();
    this.#sendInput();
    this.#settleInput();
    if (!this.#isLost) return;
    this.#isLost = false;
    this.#events.onConnection?.("back");
  }

  #onOutput({ position, bytes }: Extract<Heard, { kind: "output" }>): void {
    const fresh = this.#place.take(position, bytes);
    if (fresh === "gap") throw new BrokenFrame();
    if (fresh.length === 0) return;
    this.#brokenCount = 0;
    this.#events.onOutput(fresh);
  }

  #onBroken(attempt: Attempt): void {
    if (this.#attempt !== attempt) return;
    this.#place.forget();
    this.#brokenCount += 1;
    if (this.#brokenCount > BROKEN_COUNT_MAX) return this.#fail(brokenFrames(this.#server, this.#brokenCount));
    this.#lose(attempt, "broken");
  }

  #onDialFailed(attempt: Attempt, error: unknown): void {
    if (this.#attempt !== attempt) return;
    this.#lastError = error;
    if (error instanceof WarrenError) this.#onRefused(attempt, error);
    else this.#lose(attempt, "refused");
  }

  #onRefused(attempt: Attempt, error: WarrenError): void {
    switch (error.code) {
      case "SERVER_ENDING":
      case "SESSION_MOVED":
      case "CONNECTION_LOST":
        return this.#lose(attempt, "refused");
      case "SESSION_NOT_FOUND":
      case "NO_SERVER":
        return this.#onMissing(attempt, error);
      case "SESSION_NOT_LIVE":
        if (!this.#wasAttached || !attempt.wire) return this.#fail(error);
        // It has ended while the wire was cut: how, it still knows.
        this.#lastError = error;
        return attempt.wire.send(
          line({ id: GET_ID, type: "session.get", payload: { session: this.#options.session } }),
        );
      case "UNKNOWN_TYPE":
        return this.#fail(noFrames(this.#server));
      default:
        return this.#fail(error);
    }
  }

  #onMissing(attempt: Attempt, error: WarrenError): void {
    if (!this.#wasAttached && !this.#options.isKnown) return this.#fail(error);
    this.#lastError = error;
    const nowMs = this.#clock.nowMs();
    this.#missingSinceMs ??= nowMs;
    if (nowMs - this.#missingSinceMs >= MISSING_MAX_MS) return this.#fail(error);
    this.#lose(attempt, "refused");
  }

  #onLooked(attempt: Attempt, { session }: DataOf<"session.get">): void {
    if (!session?.outcome) return this.#lose(attempt, "refused"); // its end is being written down
    const outcome = session.outcome as Outcome;
    this.#finish();
    this.#events.onEnd(outcome);
  }

  #lose(attempt: Attempt, why: "closed" | "silent" | "refused" | "broken" | "by us"): void {
    if (this.#attempt !== attempt) return;
    this.#attempt = undefined;
    attempt.cancelDeadline();
    attempt.wire?.close();
    if (attempt.reader.isLive && !this.#isLost) {
      this.#isLost = true;
      this.#events.onConnection?.("lost");
      if (this.#isOver) return;
    }
    this.#cancelRedial = this.#clock.timer(why === "by us" ? 0 : this.#backoff.nextMs(), () => this.#dial());
  }

  #sendInput(): void {
    if (!this.#attempt?.reader.isLive) return;
    for (let piece = this.#input.next(); piece; piece = this.#input.next())
      this.#send(TERMINAL_FRAME.input, encodePosition(piece.seq), piece.bytes);
  }

  /** Tells whoever waits for room, or for everything to be taken. */
  #settleInput(): void {
    if (this.#input.waitingBytes === 0) this.#wakeFlushed();
    if (!this.#isFull || this.#input.waitingBytes > WAITING_BYTES_MAX / 2) return;
    this.#isFull = false;
    this.#events.onRoom?.();
  }

  #send(type: number, ...parts: Uint8Array[]): void {
    this.#attempt?.wire?.send(encodeTerminalFrame(type, ...parts));
  }

  #failFirst(): void {
    const { session, title = () => session } = this.#options;
    this.#fail(
      isWarrenError(this.#lastError) ? this.#lastError : serverSilent(title(), ANSWER_TIMEOUT_MS, this.#lastError),
    );
  }

  #fail(error: WarrenError): void {
    if (this.#isOver) return;
    this.#finish();
    this.#events.onFailed(error);
  }

  #finish(): void {
    this.#isOver = true;
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.cancelDeadline();
    attempt?.wire?.close();
    this.#cancelRedial();
    this.#cancelFirstDeadline();
    this.#wakeFlushed();
  }

  #wakeFlushed(): void {
    for (const wake of [...this.#flushWaiters]) wake();
    this.#flushWaiters.clear();
  }
}

const sameSize = (a: TerminalSize, b: TerminalSize): boolean => a.cols === b.cols && a.rows === b.rows;

const line = (message: object): Uint8Array => new TextEncoder().encode(`${JSON.stringify(message)}\n`);
