import { messageOf, toWire, WarrenError } from "../protocol/errors.ts";
import { type LiveFrame, STREAM_CREDIT_BYTES, STREAM_DATA_BYTES_MAX } from "../sealing/live.ts";
import { targetGone } from "./errors.ts";
import { GreetingAnswer, greetingLine, type StreamGreeting } from "./greeting.ts";
import type { ConnectUnit, UnitWire } from "./network.ts";

/**
 * One stream of a session, on its way to the server that has its target. Bytes are passed on as they are; in each direction at most the credit is on
 * the way, so a slow end slows the other and nobody else.
 */
export interface BridgeOptions {
  stream: number;
  target: string;
  greeting: StreamGreeting;
  connect: ConnectUnit;
  /** `take` has something to give. */
  onMore(): void;
}

/** Credit is given in steps of so many bytes: each is a message. */
const CREDIT_STEP_BYTES = STREAM_CREDIT_BYTES / 4;

export class StreamBridge {
  readonly #options: BridgeOptions;
  /** Towards the device. */
  readonly #chunks: Uint8Array[] = [];
  #queuedBytes = 0;
  #creditLeft = STREAM_CREDIT_BYTES;
  #isPaused = false;
  /** Towards the server: came and is not credited; of that, taken by the server. */
  #uncreditedBytes = 0;
  #takenBytes = 0;
  #early: Uint8Array[] = [];
  #answer: GreetingAnswer | undefined;
  #wire: UnitWire | undefined;
  #ending: { code: string; sentence: string } | undefined;
  #isOver = false;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#answer = new GreetingAnswer(options.greeting.scopes);
    void this.#connect();
  }

  /** The next frame for the device, if there is one; `close` is the last, and then it is over. */
  take(): LiveFrame | undefined {
    const { stream } = this.#options;
    if (this.#isOver) return undefined;
    if (this.#takenBytes >= CREDIT_STEP_BYTES) {
      const bytes = this.#takenBytes;
      this.#takenBytes = 0;
      this.#uncreditedBytes -= bytes;
      return { kind: "credit", stream, bytes };
    }
    const first = this.#chunks[0];
    if (first !== undefined) return this.#creditLeft > 0 ? this.#data(first) : undefined;
    if (!this.#ending) return undefined;
    this.#isOver = true;
    return { kind: "close", stream, ...this.#ending };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** From the device. False: it has sent more than its credit. */
  hear(bytes: Uint8Array): boolean {
    this.#uncreditedBytes += bytes.length;
    if (this.#uncreditedBytes > STREAM_CREDIT_BYTES) return false;
    if (this.#answer || !this.#wire) this.#early.push(bytes.slice());
    else this.#pass(this.#wire, bytes);
    return true;
  }

  credited(bytes: number): void {
    this.#creditLeft = Math.min(STREAM_CREDIT_BYTES, this.#creditLeft + bytes);
    this.#options.onMore();
  }

  /** The device has closed it, or its session is over. What it had written still arrives. */
  close(): void {
    this.#isOver = true;
    this.#wire?.close();
  }

  async #connect(): Promise<void> {
    const { connect, target, greeting } = this.#options;
    try {
      const wire = await connect(target, {
        onBytes: (bytes) => this.#fromServer(bytes),
        onClosed: () => this.#end(this.#answer ? targetGone() : undefined),
      });
      if (this.#isOver) return wire.close();
      this.#wire = wire;
      wire.write(greetingLine(greeting), () => {});
    } catch (error) {
      this.#end(error instanceof WarrenError ? error : new WarrenError("TARGET_UNREACHABLE", messageOf(error)));
    }
  }

  #fromServer(bytes: Uint8Array): void {
    if (this.#isOver || this.#ending) return;
    if (!this.#answer) return this.#queue(bytes);
    try {
      const answer = this.#answer.push(bytes);
      if (!answer) return;
      if (answer.refusal) return this.#refuse(answer.refusal);
      this.#answer = undefined;
      const early = this.#early;
      this.#early = [];
      for (const chunk of early) this.#pass(this.#wire!, chunk);
      if (answer.rest.length > 0) this.#queue(answer.rest);
    } catch {
      this.#refuse(targetGone());
    }
  }

  #refuse(error: WarrenError): void {
    this.#wire?.close();
    this.#end(error);
  }

  #queue(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#pauseOrResume();
    this.#options.onMore();
  }

  #data(first: Uint8Array): LiveFrame {
    const length = Math.min(first.length, this.#creditLeft, STREAM_DATA_BYTES_MAX);
    if (length === first.length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(length);
    this.#queuedBytes -= length;
    this.#creditLeft -= length;
    this.#pauseOrResume();
    return { kind: "data", stream: this.#options.stream, bytes: first.subarray(0, length) };
  }

  /** What waits here is at most about a credit. */
  #pauseOrResume(): void {
    const isFull = this.#queuedBytes >= STREAM_CREDIT_BYTES;
    const isRoomy = this.#queuedBytes < STREAM_CREDIT_BYTES / 2;
    if (isFull && !this.#isPaused) {
      this.#isPaused = true;
      this.#wire?.pause();
    } else if (isRoomy && this.#isPaused) {
      this.#isPaused = false;
      this.#wire?.resume();
    }
  }

  #pass(wire: UnitWire, bytes: Uint8Array): void {
    const { length } = bytes;
    wire.write(bytes, () => {
      this.#takenBytes += length;
      if (this.#takenBytes >= CREDIT_STEP_BYTES) this.#options.onMore();
    });
  }

  #end(error: WarrenError | undefined): void {
    if (this.#ending || this.#isOver) return;
    const { code, error: sentence } = error ? toWire(error, error.code) : { code: "", error: "" };
    this.#ending = { code, sentence };
    this.#options.onMore();
  }
}
