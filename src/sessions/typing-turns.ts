import type { Clock } from "../platform/clock.ts";

/**
 * Puts what several clients type in order: bytes go on as they come, but from the start of a bracketed paste to its end (`ESC [ 200 ~` … `ESC [ 201 ~`)
 * everybody else waits. A paste whose client falls silent or goes is over after a while, so that nobody waits for ever.
 */
const PASTE_BEGIN = Buffer.from("\x1b[200~");
const PASTE_END = Buffer.from("\x1b[201~");
/** A mark may be split over two pieces: this much of the last one is looked at again. */
const MARK_BYTES = PASTE_BEGIN.length - 1;
const PASTE_SILENCE_MS = 5_000;
/** What looks like the beginning of a mark may be the escape key: nobody waits longer for its rest. */
const MARK_SILENCE_MS = 50;

export interface Typed {
  /** Who typed. */
  client: string;
  /** Bytes that this client has typed before. */
  seq: number;
  bytes: Buffer;
}

export class TypingTurns {
  readonly #clock: Clock;
  readonly #write: (typed: Typed) => void;
  /** Who has the word: others wait. */
  #paster: string | undefined;
  #isPaste = false;
  #tail: Buffer = Buffer.alloc(0);
  readonly #waiting: Typed[] = [];
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock, write: (typed: Typed) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  /** Bytes of that client that wait for somebody else's paste. */
  waitingBytes(client: string): number {
    return this.#waiting.reduce((sum, typed) => sum + (typed.client === client ? typed.bytes.length : 0), 0);
  }

  push(typed: Typed): void {
    if (this.#paster !== undefined && this.#paster !== typed.client) {
      this.#waiting.push(typed);
      return;
    }
    this.#pass(typed);
    if (this.#paster === undefined) this.#passWaiting();
  }

  /** The client is gone: what it typed before it went still counts, but nobody waits for its paste. */
  leave(client: string): void {
    if (this.#paster === client) this.#endPaste();
  }

  close(): void {
    this.#cancelTimer?.();
  }

  #pass(typed: Typed): void {
    this.#write(typed);
    const isSame = this.#paster === typed.client;
    const seen = isSame ? Buffer.concat([this.#tail, typed.bytes]) : typed.bytes;
    const opened = seen.lastIndexOf(PASTE_BEGIN);
    const closed = seen.lastIndexOf(PASTE_END);
    this.#isPaste = opened === closed ? isSame && this.#isPaste : opened > closed;
    const isCut = !this.#isPaste && endsWithin(seen, PASTE_BEGIN);
    this.#tail = Buffer.from(seen.subarray(Math.max(0, seen.length - MARK_BYTES)));
    this.#paster = this.#isPaste || isCut ? typed.client : undefined;
    this.#cancelTimer?.();
    const silenceMs = this.#isPaste ? PASTE_SILENCE_MS : MARK_SILENCE_MS;
    this.#cancelTimer = this.#paster === undefined ? undefined : this.#clock.timer(silenceMs, () => this.#endPaste());
  }

  #passWaiting(): void {
    while (this.#paster === undefined && this.#waiting.length > 0) this.#pass(this.#waiting.shift()!);
    if (this.#paster === undefined) return;
    const own = this.#waiting.filter(({ client }) => client === this.#paster);
    if (own.length === 0) return;
    const others = this.#waiting.filter(({ client }) => client !== this.#paster);
    this.#waiting.splice(0, this.#waiting.length, ...others);
    for (const typed of own) this.push(typed);
  }

  #endPaste(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#paster = undefined;
    this.#isPaste = false;
    this.#passWaiting();
  }
}

/** Whether it ends with a beginning of `mark`, but not all of it. */
function endsWithin(bytes: Buffer, mark: Buffer): boolean {
  for (let length = Math.min(mark.length - 1, bytes.length); length > 0; length--)
    if (bytes.subarray(bytes.length - length).equals(mark.subarray(0, length))) return true;
  return false;
}
