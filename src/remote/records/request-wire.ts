import { LineSplitter } from "../../protocol/lines.ts";
import { concat, utf8 } from "../../sealing/bytes.ts";
import type { UnitWire, UnitWireEvents } from "../network.ts";

/**
 * What a device asks on the stream `requests` of a live session: in each line a request, as its records have it, and in each line back a result. To the
 * bridge it is a server like any other: it is greeted first, and takes no more while it has something in hand.
 */

/** Longer than what a record holds: what is live need not fit one. */
const LINE_BYTES_MAX = 1024 * 1024;
const LINE_END = utf8("\n");
/** Answers that wait for the device to read; one more ends the stream, and the device asks again. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;

export interface RequestWireOptions extends UnitWireEvents {
  /** Answers with the text of the result. @throws what ends the stream: the device asks again */
  ask(text: Uint8Array): Promise<Uint8Array>;
}

export function requestWire(options: RequestWireOptions): UnitWire {
  return new RequestWire(options);
}

class RequestWire implements UnitWire {
  readonly #options: RequestWireOptions;
  readonly #splitter = new LineSplitter(LINE_BYTES_MAX);
  #answers: Uint8Array[] = [];
  #waitingBytes = 0;
  #isGreeted = false;
  #isPaused = false;
  #isClosed = false;

  constructor(options: RequestWireOptions) {
    this.#options = options;
  }

  write(bytes: Uint8Array, onTaken: () => void): void {
    try {
      const asked = this.#splitter.push(bytes).map((line) => this.#onLine(line));
      void Promise.all(asked).then(onTaken, () => this.close());
    } catch {
      this.close(); // no line
    }
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused && !this.#isClosed && this.#answers.length > 0) {
      const line = this.#answers.shift()!;
      this.#waitingBytes -= line.length;
      this.#options.onBytes(line);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#answers = [];
    queueMicrotask(() => this.#options.onClosed());
  }

  /** The scopes are on the list of devices, and looked at when it is carried out. */
  async #onLine(line: string): Promise<void> {
    if (this.#isGreeted) return this.#say(await this.#options.ask(utf8(line)));
    this.#isGreeted = true;
    const { payload } = JSON.parse(line) as { payload: { scopes: string[] } };
    this.#say(utf8(JSON.stringify({ success: true, data: { server: "", scopes: payload.scopes } })));
  }

  #say(text: Uint8Array): void {
    if (this.#isClosed) return;
    const line = concat(text, LINE_END);
    if (!this.#isPaused) return this.#options.onBytes(line);
    if (this.#waitingBytes > WAITING_BYTES_MAX) return this.close();
    this.#answers.push(line);
    this.#waitingBytes += line.length;
  }
}
