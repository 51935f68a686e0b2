import type { SealingCrypto, SigningKey } from "../../sealing/crypto.ts";
import { decodeFrame, encodeFrame, type Frame, type FrameOf } from "../../sealing/frames.ts";
import { makeWelcome } from "../../sealing/login.ts";
import { hubLost } from "../errors.ts";
import type { HubWire, HubWireEvents } from "../network.ts";

/** What a hub that is no use does, in this order, as far as it is said. */
export interface BadHubScript {
  dials?: "refuses" | "hangs";
  hello?: true;
  hangsUp?: "after hello";
  /** The answer to a login: a true one, another key's, or no signature at all. */
  welcome?: "its own" | "another's" | "garbage";
  /** Then it says these once. */
  says?: readonly Uint8Array[];
  /** Then it says this as fast as it is read. */
  floods?: Frame;
  /** Its wire has no `pause`, as a page's. */
  cannotWait?: true;
}

/** What the device has read between two pauses; `largestTurn`: of it, in one turn, so that nothing of it was looked at meanwhile. */
interface Run {
  frames: number;
  bytes: number;
  largestFrame: number;
  largestTurn: number;
  /** By `performance.now()`. */
  beganMs: number;
  lastMs: number;
}

/** A model of a hub that a device has been told of, and how much the device let it do. */
export class BadHub {
  readonly name: string;
  readonly key: SigningKey;
  /** Of the device. */
  readonly login: SigningKey;
  readonly counts = { dials: 0, sent: 0, runs: [] as Run[] };
  readonly #script: BadHubScript;
  readonly #crypto: SealingCrypto;

  static async make(crypto: SealingCrypto, name: string, script: BadHubScript): Promise<BadHub> {
    return new BadHub({ crypto, name, script, key: await crypto.newSigningKey(), login: await crypto.newSigningKey() });
  }

  private constructor(parts: {
    crypto: SealingCrypto;
    name: string;
    script: BadHubScript;
    key: SigningKey;
    login: SigningKey;
  }) {
    this.name = parts.name;
    this.key = parts.key;
    this.login = parts.login;
    this.#script = parts.script;
    this.#crypto = parts.crypto;
  }

  dial(events: HubWireEvents): HubWire | Promise<HubWire> {
    this.counts.dials += 1;
    const { dials, hello, hangsUp, welcome, cannotWait } = this.#script;
    if (dials === "refuses") throw hubLost();
    if (dials === "hangs") return new Promise(() => {});
    const line = new BadLine(events, this.counts.runs);
    const nonce = new Uint8Array(16).fill(this.counts.dials);
    if (hello) line.say(encodeFrame({ kind: "hello", nonce }));
    if (hangsUp) line.close();
    else if (!welcome) this.#goOn(line);
    const wire: HubWire = {
      send: (bytes) => {
        this.counts.sent += 1;
        const frame = decodeFrame(bytes);
        if (frame.kind === "login" && welcome) void this.#welcome(line, nonce, frame);
      },
      close: () => line.close(),
    };
    return cannotWait ? wire : { ...wire, pause: () => line.pause(), resume: () => line.resume() };
  }

  async #welcome(line: BadLine, hubNonce: Uint8Array, { nonce, cursor }: FrameOf<"login">): Promise<void> {
    const { welcome } = this.#script;
    const facts = { hubKey: this.key.publicKey, hubNonce, nonce: nonce.slice(), loginKey: this.login.publicKey };
    const hubKey = welcome === "its own" ? this.key : await this.#crypto.newSigningKey();
    const signed = await makeWelcome(this.#crypto, { hubKey, facts, cursor, head: cursor, floor: cursor });
    const signature = welcome === "garbage" ? new Uint8Array(64).fill(7) : signed.signature;
    line.say(encodeFrame({ kind: "welcome", signature }));
    this.#goOn(line);
  }

  #goOn(line: BadLine): void {
    const { says = [], floods } = this.#script;
    for (const frame of says) line.say(frame);
    if (floods) line.flood(encodeFrame(floods));
  }
}

/** What it says arrives for as long as it is read, up to 500 frames a turn. */
class BadLine {
  readonly #events: HubWireEvents;
  readonly #runs: Run[];
  readonly #queue: Uint8Array[] = [];
  #run: Run | undefined;
  #floods: Uint8Array | undefined;
  #isPaused = false;
  #isOpen = true;

  constructor(events: HubWireEvents, runs: Run[]) {
    this.#events = events;
    this.#runs = runs;
    setImmediate(() => this.#turn());
  }

  say(frame: Uint8Array): void {
    this.#queue.push(frame);
    setImmediate(() => this.#turn());
  }

  flood(frame: Uint8Array): void {
    this.#floods = frame;
    setImmediate(() => this.#turn());
  }

  pause(): void {
    this.#isPaused = true;
    this.#run = undefined;
  }

  resume(): void {
    this.#isPaused = false;
    setImmediate(() => this.#turn());
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    queueMicrotask(() => this.#events.onClosed());
  }

  #turn(): void {
    let bytes = 0;
    for (let count = 0; count < 500 && this.#isOpen && !this.#isPaused; count++) {
      const frame = this.#queue.shift() ?? this.#floods;
      if (!frame) return;
      bytes += frame.length;
      this.#count(frame.length, bytes);
      this.#events.onFrame(frame);
    }
    if (this.#isOpen && !this.#isPaused) setImmediate(() => this.#turn());
  }

  #count(bytes: number, turnBytes: number): void {
    if (!this.#run) {
      const beganMs = performance.now();
      this.#run = { frames: 0, bytes: 0, largestFrame: 0, largestTurn: 0, beganMs, lastMs: beganMs };
      this.#runs.push(this.#run);
    }
    this.#run.frames += 1;
    this.#run.lastMs = performance.now();
    this.#run.bytes += bytes;
    this.#run.largestFrame = Math.max(this.#run.largestFrame, bytes);
    this.#run.largestTurn = Math.max(this.#run.largestTurn, turnBytes);
  }
}
