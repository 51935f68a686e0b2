import type { Log } from "../../platform/log.ts";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import type { SigningKey } from "../../sealing/crypto.ts";
import type { Role } from "../../sealing/login.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import { Hub } from "../hub.ts";
import { HUB_LIMITS, type HubLimits } from "../limits.ts";
import { HubStore } from "../store.ts";
import type { HubWire, HubWireEvents } from "../wire.ts";
import { HubTalk, type Login, logIn } from "./hub-talk.ts";

/** The real hub on a clock that stands still until it is moved, with wires that are queues in this process. */
export class TestHub {
  readonly crypto = webCrypto();
  readonly clock: HandClock;
  readonly lines: string[] = [];
  readonly path: string;
  key!: SigningKey;
  hub!: Hub;
  store!: HubStore;

  static async open({
    limits = {},
    isOpen = true,
    path = ":memory:",
    key,
    atMs,
  }: {
    limits?: Partial<HubLimits>;
    isOpen?: boolean;
    path?: string;
    key?: SigningKey;
    atMs?: number;
  } = {}): Promise<TestHub> {
    const test = new TestHub(path, new HandClock(atMs === undefined ? {} : { wallMs: atMs }));
    test.key = key ?? (await test.crypto.newSigningKey());
    const all = { ...HUB_LIMITS, ...limits };
    const onBroken = (error: unknown): void => void test.lines.push(`broken ${error}`);
    test.store = new HubStore({ path, limits: all, nowMs: test.clock.wallMs(), onBroken });
    const note = (event: string, fields?: object): void => void test.lines.push(`${event} ${JSON.stringify(fields)}`);
    const log: Log = { debug: note, info: note, warn: note, error: note };
    const { key: hubKey, crypto, store, clock } = test;
    test.hub = new Hub({ key: hubKey, crypto, store, clock, log, isOpen, limits: all });
    return test;
  }

  private constructor(path: string, clock: HandClock) {
    this.path = path;
    this.clock = clock;
  }

  connect(address = "192.0.2.1"): { talk: HubTalk; wire: TestWire } {
    const wire = new TestWire();
    const talk = new HubTalk((bytes) => wire.fromClient(bytes));
    wire.talk = talk;
    wire.events = this.hub.accept(wire, { address });
    wire.flush();
    return { talk, wire };
  }

  /** Connects and logs in; the refusal's code is thrown. */
  async enter(role: Role, key: SigningKey, options: Partial<Login> & { address?: string } = {}) {
    const { address, ...login } = options;
    const { talk, wire } = this.connect(address);
    const missed = await logIn(talk, {
      crypto: this.crypto,
      hubKey: this.key.publicKey,
      key,
      role,
      isNew: true,
      ...login,
    });
    if (typeof missed === "object" && "refused" in missed) throw new Error(missed.refused);
    return { talk, wire, missed };
  }

  async close(): Promise<void> {
    this.hub.end();
    await this.store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What the hub sends arrives at once, unless the reader sleeps; what it does not read waits here. */
export class TestWire implements HubWire {
  talk!: HubTalk;
  events: HubWireEvents | undefined;
  readonly #toClient: Uint8Array[] = [];
  readonly #toHub: Uint8Array[] = [];
  unsentBytes = 0;
  isPaused = false;
  /** The client reads nothing. */
  isAsleep = false;
  isClosed = false;

  send(frame: Uint8Array): void {
    if (this.isClosed) return;
    this.#toClient.push(frame.slice());
    this.unsentBytes += frame.length;
    if (this.events) this.flush();
  }

  /** The client reads what is there, at most so many frames. */
  flush(count = Number.POSITIVE_INFINITY): void {
    if (this.isAsleep) return;
    this.#read(count);
  }

  wake(count: number): void {
    this.#read(count);
  }

  #read(count: number): void {
    let left = count;
    while (left-- > 0) {
      const frame = this.#toClient.shift();
      if (!frame) return;
      this.unsentBytes -= frame.length;
      this.talk.hear(frame);
      queueMicrotask(() => this.events?.onDrained());
    }
  }

  fromClient(bytes: Uint8Array): void {
    if (this.isClosed) return;
    if (this.isPaused) this.#toHub.push(bytes.slice());
    else this.events?.onFrame(bytes.slice());
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    while (!this.isPaused) {
      const bytes = this.#toHub.shift();
      if (!bytes) return;
      this.events?.onFrame(bytes);
    }
  }

  close(): void {
    this.#read(Number.POSITIVE_INFINITY);
    this.destroy();
  }

  destroy(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.talk.end();
    queueMicrotask(() => this.events?.onClosed());
  }
}
