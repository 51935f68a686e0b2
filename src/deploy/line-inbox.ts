import type { Readable } from "node:stream";
import { LineSplitter } from "../protocol/lines.ts";
import { DEPLOY_LINE_BYTES_MAX } from "./messages.ts";

/** The messages of one end, one after the other, until its stream ends. Lines that are no message of ours are told to `onOther`. */
export interface LineInboxOptions {
  stream: Readable;
  onOther?: (line: string) => void;
  /** Taken as the end when nothing has come for so long; default: never. */
  silenceMaxMs?: number;
  /** Messages that are nothing but a sign of life. */
  isIdle?: (message: { type: string }) => boolean;
}

export class LineInbox<M extends { type: string }> {
  readonly #options: LineInboxOptions;
  readonly #splitter = new LineSplitter(DEPLOY_LINE_BYTES_MAX);
  readonly #waiting: M[] = [];
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;
  #wake = (): void => {};

  constructor(options: LineInboxOptions) {
    this.#options = options;
    const { stream } = options;
    stream.on("data", this.#onData);
    for (const event of ["end", "close", "error"]) stream.on(event, this.#onEnd);
    this.#expect();
  }

  /** Undefined: nothing comes any more. */
  async next(): Promise<M | undefined> {
    while (this.#waiting.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#waiting.shift();
  }

  close(): void {
    const { stream } = this.#options;
    stream.off("data", this.#onData);
    stream.off("end", this.#onEnd).off("close", this.#onEnd);
    this.#onEnd();
    stream.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#expect();
    try {
      for (const line of this.#splitter.push(chunk)) this.#take(line);
    } catch {
      this.#onEnd(); // a line without end
    }
    this.#wake();
  };

  readonly #onEnd = (): void => {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#wake();
  };

  #take(line: string): void {
    const message = messageIn<M>(line);
    if (!message) return this.#options.onOther?.(line);
    if (!this.#options.isIdle?.(message)) this.#waiting.push(message);
  }

  #expect(): void {
    const { silenceMaxMs } = this.#options;
    clearTimeout(this.#timer);
    if (silenceMaxMs !== undefined && !this.#isOver) this.#timer = setTimeout(this.#onEnd, silenceMaxMs);
  }
}

function messageIn<M>(line: string): M | undefined {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null && typeof value.type === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
