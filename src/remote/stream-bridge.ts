import { StreamFlow } from "../contact/stream-flow.ts";
import type { StreamEnd } from "../contact/stream-set.ts";
import { messageOf, toWire, WarrenError } from "../protocol/errors.ts";
import { type LiveFrame, STREAM_CREDIT_BYTES } from "../sealing/live.ts";
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

export class StreamBridge implements StreamEnd {
  readonly #options: BridgeOptions;
  /** Towards the device: what the server has said. Towards the server: what it has taken is done. */
  readonly #flow: StreamFlow;
  #isPaused = false;
  #early: Uint8Array[] = [];
  #answer: GreetingAnswer | undefined;
  #wire: UnitWire | undefined;
  #ending: { code: string; sentence: string } | undefined;
  #isOver = false;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#flow = new StreamFlow(options.stream, options.onMore);
    this.#answer = new GreetingAnswer(options.greeting.scopes);
    void this.#connect();
  }

  take(): LiveFrame | undefined {
    if (this.#isOver) return undefined;
    const frame = this.#flow.take();
    if (frame?.kind === "data") this.#pauseOrResume();
    if (frame || !this.#ending || this.#flow.waitingBytes > 0) return frame;
    this.#isOver = true;
    return { kind: "close", stream: this.#options.stream, ...this.#ending };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  hear(bytes: Uint8Array): boolean {
    if (!this.#flow.came(bytes.length)) return false;
    if (this.#answer || !this.#wire) this.#early.push(new Uint8Array(bytes));
    else this.#pass(this.#wire, bytes);
    return true;
  }

  credited(bytes: number): void {
    this.#flow.credited(bytes);
  }

  /** What the device had written still arrives. */
  closed(): void {
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
    this.#flow.send(bytes);
    this.#pauseOrResume();
  }

  /** What waits here is at most about a credit. */
  #pauseOrResume(): void {
    const { waitingBytes } = this.#flow;
    if (waitingBytes >= STREAM_CREDIT_BYTES && !this.#isPaused) {
      this.#isPaused = true;
      this.#wire?.pause();
    } else if (waitingBytes < STREAM_CREDIT_BYTES / 2 && this.#isPaused) {
      this.#isPaused = false;
      this.#wire?.resume();
    }
  }

  #pass(wire: UnitWire, bytes: Uint8Array): void {
    const { length } = bytes;
    wire.write(bytes, () => this.#flow.done(length));
  }

  #end(error: WarrenError | undefined): void {
    if (this.#ending || this.#isOver) return;
    const { code, error: sentence } = error ? toWire(error, error.code) : { code: "", error: "" };
    this.#ending = { code, sentence };
    this.#options.onMore();
  }
}
