import { shownSentence } from "../../contact/shown-text.ts";
import { StreamFlow } from "../../contact/stream-flow.ts";
import type { StreamEnd } from "../../contact/stream-set.ts";
import { WarrenError } from "../../protocol/errors.ts";
import type { LiveFrame } from "../../sealing/live.ts";

export interface StreamEvents {
  onBytes(bytes: Uint8Array): void;
  /** Once, also after `close`. `why`: the machine's own word; undefined: it was done, or its session is over. */
  onClosed(why: WarrenError | undefined): void;
}

export interface StreamOptions {
  /** `primary`, or a unit's id. */
  target: string;
  events: StreamEvents;
  /** What may wait to be sent; past it the stream is closed. */
  waitingBytesMax: number;
  onMore(): void;
}

/**
 * One stream of a live session: bytes to and from the server that has its target. What its reader does not take yet waits here, within the credit; what
 * waits to be sent is bounded, and a stream that has more is closed.
 */
export class LiveStream implements StreamEnd {
  readonly #options: StreamOptions;
  readonly #flow: StreamFlow;
  /** Held while paused. */
  readonly #in: Uint8Array[] = [];
  #isPaused = false;
  #isOpened = false;
  #state: "open" | "closing" | "closed" = "open";

  constructor(number: number, options: StreamOptions) {
    this.#options = options;
    this.#flow = new StreamFlow(number, options.onMore);
  }

  get isOver(): boolean {
    return this.#state === "closed";
  }

  send(bytes: Uint8Array): void {
    if (this.#state !== "open") return;
    if (this.#flow.waitingBytes + bytes.length <= this.#options.waitingBytesMax) return this.#flow.send(bytes);
    this.#flow.drop();
    this.close();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused && this.#in.length > 0) this.#give(this.#in.shift()!);
  }

  /** After what was sent. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#in.length = 0;
    this.#options.onMore();
  }

  take(): LiveFrame | undefined {
    if (this.#state === "closed") return undefined;
    const stream = this.#flow.number;
    if (!this.#isOpened) {
      this.#isOpened = true;
      return { kind: "open", stream, target: this.#options.target };
    }
    const frame = this.#flow.take();
    if (frame || this.#state !== "closing" || this.#flow.waitingBytes > 0) return frame;
    this.closed(undefined);
    return { kind: "close", stream, code: "", sentence: "" };
  }

  hear(bytes: Uint8Array): boolean {
    if (!this.#flow.came(bytes.length)) return false;
    if (this.#isPaused) this.#in.push(bytes);
    else this.#give(bytes);
    return true;
  }

  credited(bytes: number): void {
    this.#flow.credited(bytes);
  }

  closed(why: { code: string; sentence: string } | undefined): void {
    if (this.#state === "closed") return;
    this.#isPaused = false;
    for (const bytes of this.#in.splice(0)) this.#give(bytes);
    this.#state = "closed";
    this.#options.events.onClosed(why && why.code !== "" ? errorOf(why) : undefined);
  }

  #give(bytes: Uint8Array): void {
    if (this.#state === "open") this.#options.events.onBytes(bytes);
    this.#flow.done(bytes.length);
  }
}

const errorOf = ({ code, sentence }: { code: string; sentence: string }): WarrenError =>
  new WarrenError(code, shownSentence(sentence));
