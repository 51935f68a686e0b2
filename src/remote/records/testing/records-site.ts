import { RecordReader } from "../../../client/remote/record-reader.ts";
import type { RecordGap } from "../../../client/remote/record-store.ts";
import { MemoryRecords } from "../../../client/remote/testing/memory-records.ts";
import type { HubNetwork } from "../../../contact/network.ts";
import type { HubTalk } from "../../../hub/testing/hub-talk.ts";
import { TestHub } from "../../../hub/testing/test-hub.ts";
import { silentLog } from "../../../platform/log.ts";
import type { HandClock } from "../../../platform/testing/hand-clock.ts";
import { LineSplitter } from "../../../protocol/lines.ts";
import { concat, toHex, utf8 } from "../../../sealing/bytes.ts";
import { type Link, NO_LINK, nextIn } from "../../../sealing/chain.ts";
import type { ExchangeKey, SealingCrypto, SigningKey } from "../../../sealing/crypto.ts";
import { fingerprintText } from "../../../sealing/fingerprint.ts";
import { fingerprintOf } from "../../../sealing/login.ts";
import { namesKey, streamId } from "../../../sealing/period.ts";
import { RECORD_KINDS, recordHash, sealRecord } from "../../../sealing/record.ts";
import { decodeResult, encodeJson, type RemoteRequest, type RemoteResult } from "../../../sealing/request.ts";
import { decodeUnitRow, type UnitRow } from "../../../sealing/unit-row.ts";
import { webCrypto } from "../../../sealing/webcrypto.ts";
import { KeptSettings } from "../../kept-settings.ts";
import type { ConnectUnit } from "../../network.ts";
import { Remote } from "../../remote.ts";
import { EMPTY_ROSTER, type Roster, type RosterDevice } from "../../roster.ts";
import type { RemoteStore, StoredName } from "../../store.ts";
import type { MailLook } from "../mail-watch.ts";
import type { UnitWatchOptions } from "../unit-watch.ts";

/** What is being computed on WebCrypto's threads, which know nothing of the clock here. */
const computing = { count: 0 };
const crypto = counted(webCrypto());
const ADDRESS = "https://home.example";

/** Thrown by what a machine does after it was killed. */
export class Killed extends Error {}

/** The real hub in this process, a machine that can be killed at any write, and devices that read and leave records; one clock for all. */
export class RecordsSite implements AsyncDisposable {
  readonly hub: TestHub;
  readonly clock: HandClock;
  files = new Map<StoredName, string>();
  remote: Remote | undefined;
  /** The app's, as the machine that runs has them. */
  settings!: KeptSettings;
  /** What servers were asked, and by whom. */
  readonly asked: { type: string; request_id?: string; by: string; scopes: string[] }[] = [];
  /** The server's own word for a message. */
  answer: (type: string, payload: Record<string, unknown>) => object | { code: string; error: string } = () => ({});
  /** A server answers a message of this type when that is over. */
  holding: ((type: string) => Promise<void> | undefined) | undefined;
  /** The server that has this unit is stopped: it is connected to, and says nothing. */
  silentUnit: string | undefined;
  /** The machine is about to seal this text. */
  sealing: ((text: Uint8Array) => Promise<void>) | undefined;
  /** So many more writes are done; then the machine is killed. */
  writesLeft = Number.POSITIVE_INFINITY;
  /** The machine is about to write this file. */
  writing: ((name: StoredName, text: string) => Promise<void> | undefined) | undefined;
  /** The disk takes no file whose name begins so. */
  unwritable: string | undefined;
  watching: UnitWatchOptions | undefined;
  /** A look at the mailbox: as whoever watches it tells. */
  mailed: ((look: MailLook) => void) | undefined;
  readonly #closes = new Set<() => void>();
  readonly #answers = new Map<string, object>();
  #life = 0;
  /** What the machine sends to the hub arrives nowhere. */
  isMute = false;

  static async make(): Promise<RecordsSite> {
    const site = new RecordsSite(await TestHub.open());
    await site.start();
    const fingerprint = fingerprintText(await fingerprintOf(crypto, site.hub.key.publicKey));
    await site.remote!.addHub({ address: ADDRESS, fingerprint });
    return site;
  }

  private constructor(hub: TestHub) {
    this.hub = hub;
    this.clock = hub.clock;
  }

  get roster(): Roster {
    return JSON.parse(this.files.get("roster.json") ?? JSON.stringify(EMPTY_ROSTER)) as Roster;
  }

  /** As the next server of the home. */
  async start(): Promise<void> {
    const life = ++this.#life;
    const store = this.#store(life);
    this.settings = await KeptSettings.open({ store, clock: this.clock, log: silentLog });
    this.remote = await Remote.open({
      store,
      settings: this.settings,
      network: this.#network(life),
      connect: this.#connect(life),
      clock: this.clock,
      crypto: {
        ...crypto,
        seal: async (key, text, context) => {
          await this.sealing?.(text);
          return crypto.seal(key, text, context);
        },
      },
      log: silentLog,
      name: "laptop",
      words: "",
      random: () => 0,
      watchUnits: (watching) => {
        if (life === this.#life) this.watching = watching;
        return { close() {} };
      },
      watchMail: ({ onMail }) => {
        if (life === this.#life) this.mailed = onMail;
        return { close() {} };
      },
      onEvent() {},
    });
  }

  /** SIGKILL: nothing of it happens any more. */
  kill(): void {
    this.#life += 1;
    this.writesLeft = Number.POSITIVE_INFINITY;
    this.watching = undefined;
    this.mailed = undefined;
    for (const close of [...this.#closes]) close();
    this.remote?.close();
    this.remote = undefined;
  }

  /** Servers keep answers for a day. */
  forgetAnswers(): void {
    this.#answers.clear();
  }

  async rows(rows: UnitRow[]): Promise<void> {
    await this.until(() => this.watching !== undefined, "somebody watches");
    this.watching!.onRows(rows);
    await this.pass(4_000);
  }

  async pass(ms: number, stepMs = 250): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      await this.clock.passSlowly(Math.min(stepMs, left));
      await settled();
    }
  }

  async until(is: () => boolean, what: string): Promise<void> {
    for (let turn = 0; turn < 400; turn++) {
      if (is()) return;
      await this.pass(100, 100);
    }
    throw new Error(`it did not come to be that ${what}`);
  }

  async isReady(): Promise<void> {
    await this.until(() => this.remote!.hubs()[0]!.state === "ready", "the link is ready");
    await this.pass(4_000);
  }

  /** On the machine's list, and let in by the hub, as after a pairing. */
  async device(name: string, scopes: RosterDevice["scopes"] = ["view", "type"]): Promise<TestReader> {
    const reader = await TestReader.make(this, name);
    this.kill();
    const { roster } = this;
    const hub = roster.hubs[0]!;
    const { signing, exchange, login } = reader;
    const device: RosterDevice = {
      name,
      platform: "test",
      signing_key: toHex(signing.publicKey),
      exchange_key: toHex(exchange.publicKey),
      fingerprint: toHex(await fingerprintOf(crypto, signing.publicKey)),
      logins: { [hub.fingerprint]: toHex(login.publicKey) },
      scopes,
      added_at: "2026-11-01T00:00:00.000Z",
    };
    this.files.set("roster.json", JSON.stringify({ ...roster, devices: [...roster.devices, device] }));
    const space = await crypto.signingKeyOf(Buffer.from(hub.login_secret, "hex"));
    const { talk, wire } = await this.hub.enter("machine", space);
    await talk.answer({ kind: "admit", request: 1, loginKey: login.publicKey });
    wire.close();
    await this.start();
    await this.isReady();
    reader.space = space.publicKey;
    reader.machine = toHex((await this.machineKey()).publicKey);
    reader.hubFingerprint = Buffer.from(hub.fingerprint, "hex");
    return reader;
  }

  machineKey(): Promise<SigningKey> {
    return crypto.signingKeyOf(Buffer.from(this.files.get("key")!.trim(), "hex").subarray(0, 32));
  }

  #store(life: number): RemoteStore {
    return {
      read: async (name) => this.files.get(name),
      write: async (name, text) => {
        if (life !== this.#life || this.writesLeft <= 0) throw new Killed();
        await new Promise((resolve) => setImmediate(resolve));
        await this.writing?.(name, text);
        if (life !== this.#life) throw new Killed();
        if (this.unwritable !== undefined && name.startsWith(this.unwritable)) throw new Error("ENOSPC");
        this.writesLeft -= 1;
        this.files.set(name, text);
        if (this.writesLeft === 0) for (const close of [...this.#closes]) close();
      },
      pathOf: (name) => name,
    };
  }

  #network(life: number): HubNetwork {
    return {
      claim: async () => ({ key: this.hub.key.publicKey, label: "home" }),
      dial: async (_address, { onFrame, onClosed }) => {
        if (life !== this.#life || this.writesLeft <= 0) throw new Killed();
        let isClosed = false;
        const close = (): void => {
          if (isClosed) return;
          isClosed = true;
          this.#closes.delete(close);
          queueMicrotask(onClosed);
          queueMicrotask(() => side.onClosed());
        };
        const side = this.hub.hub.accept(
          {
            send: (frame) => {
              const copy = frame.slice();
              queueMicrotask(() => isClosed || onFrame(copy));
              queueMicrotask(() => side.onDrained());
            },
            unsentBytes: 0,
            pause() {},
            resume() {},
            close,
            destroy: close,
          },
          { address: "192.0.2.9" },
        );
        this.#closes.add(close);
        return { send: (frame) => isClosed || this.isMute || side.onFrame(frame.slice()), close };
      },
    };
  }

  /** A server that keeps its answers by request id, as the real one does; it outlives the machine's side here. */
  #connect(life: number): ConnectUnit {
    return async (target, { onBytes, onClosed }) => {
      const splitter = new LineSplitter();
      let isOpen = true;
      let greeting = { by: "", scopes: [] as string[] };
      const say = (value: object): void => {
        if (target !== this.silentUnit && isOpen && life === this.#life) onBytes(utf8(`${JSON.stringify(value)}\n`));
      };
      const hear = (line: string): void => {
        const { id, type, request_id, payload } = JSON.parse(line);
        const held = this.holding?.(type);
        const reply = (value: object): void => (held ? void held.then(() => say(value)) : say(value));
        if (type === "hello") {
          greeting = payload;
          return reply({ success: true, data: { scopes: payload.scopes } });
        }
        const known = this.#answers.get(request_id);
        if (known) return reply({ id, ...known });
        this.asked.push({ type, ...(request_id ? { request_id } : {}), by: greeting.by, scopes: greeting.scopes });
        const said = this.answer(type, payload);
        const answer = "code" in said ? { success: false, ...said } : { success: true, data: said };
        if (request_id) this.#answers.set(request_id, answer);
        reply({ id, ...answer });
      };
      return {
        write(bytes, onTaken) {
          queueMicrotask(() => {
            for (const line of splitter.push(bytes)) hear(line);
            onTaken();
          });
        },
        pause() {},
        resume() {},
        close() {
          if (!isOpen) return;
          isOpen = false;
          queueMicrotask(onClosed);
        },
      };
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.hub.close();
  }
}

/** A device that knows of the machine by records alone. */
export class TestReader {
  readonly name: string;
  readonly store = new MemoryRecords();
  readonly refused: string[] = [];
  readonly signing: SigningKey;
  readonly exchange: ExchangeKey;
  readonly login: SigningKey;
  space!: Uint8Array;
  machine!: string;
  hubFingerprint!: Uint8Array;
  readonly #site: RecordsSite;
  readonly #links = new Map<number, Link>();
  #number = 0;

  static async make(site: RecordsSite, name: string): Promise<TestReader> {
    const keys = [await crypto.newSigningKey(), await crypto.newExchangeKey(), await crypto.newSigningKey()] as const;
    return new TestReader(site, name, keys);
  }

  private constructor(site: RecordsSite, name: string, keys: readonly [SigningKey, ExchangeKey, SigningKey]) {
    this.#site = site;
    this.name = name;
    [this.signing, this.exchange, this.login] = keys;
  }

  /** Comes, fetches what there is, and goes. */
  async fetch(): Promise<void> {
    const reader = await this.reader();
    const { talk, wire } = await this.#site.hub.enter("device", this.login, { cursor: reader.place });
    await this.#site.pass(200);
    while (talk.has("record")) {
      const { place, record } = await talk.next("record");
      await reader.read(place, record);
      talk.send({ kind: "took", place });
      await settled();
    }
    await this.#site.pass(1_500);
    wire.close();
  }

  reader(): Promise<RecordReader> {
    return RecordReader.open({
      hub: toHex(this.hubFingerprint),
      loginKey: this.login.publicKey,
      keys: { signing: this.signing, exchange: this.exchange },
      store: this.store,
      crypto,
      machines: () => [
        {
          id: this.machine,
          exchangeKey: this.exchange.publicKey,
          name: "laptop",
          words: "",
          scopes: ["view"],
          spaces: { [toHex(this.hubFingerprint)]: this.space },
          addedMs: 0,
        },
      ],
      took() {},
      events: { onRow() {}, onGap() {}, onRefused: (why) => void this.refused.push(why) },
    });
  }

  /** The list as it knows it. */
  units(): Record<string, string> {
    const last = new Map<string, UnitRow>();
    for (const { kind, text } of this.store.rows)
      if (kind === RECORD_KINDS.state) last.set(decodeUnitRow(text).id, decodeUnitRow(text));
    return Object.fromEntries([...last].map(([id, { state }]) => [id, state]));
  }

  /** Those that nothing has mended: a list of heads may name a state that was replaced, whose successor comes behind it. */
  async gaps(): Promise<RecordGap[]> {
    const { chains } = await this.store.load(toHex(this.hubFingerprint));
    const space = toHex(this.space);
    return this.store.gaps.filter(
      (gap) => gap.kind !== "behind" || (chains.get(`${space}/${gap.stream}/${space}`)?.seq ?? 0) < gap.seq,
    );
  }

  results(): RemoteResult[] {
    return this.store.rows.filter(({ kind }) => kind === RECORD_KINDS.result).map(({ text }) => decodeResult(text));
  }

  /** The machine's own list of devices, the newest. */
  get members(): Uint8Array | undefined {
    return this.store.rows.findLast(({ kind }) => kind === RECORD_KINDS.members)?.text;
  }

  request(type: string, change: Partial<RemoteRequest> = {}): RemoteRequest {
    const nowMs = this.#site.clock.wallMs();
    return {
      id: toHex(crypto.random(16)),
      target: { machine: this.machine },
      type,
      payload: {},
      number: ++this.#number,
      after: 0,
      deadline_ms: nowMs + 3_600_000,
      sent_ms: nowMs,
      ...change,
    };
  }

  /** Seals them in a chain, and leaves them at the hub. Answers the records. */
  async leave(...requests: RemoteRequest[]): Promise<Uint8Array[]> {
    const records: Uint8Array[] = [];
    for (const request of requests) records.push(await this.seal(request));
    await this.put(...records);
    return records;
  }

  /** @param ownStream one that the device has made up, which begins with this record */
  async seal(request: RemoteRequest, ownStream?: Uint8Array): Promise<Uint8Array> {
    const { period, key: periodKey } = (await this.reader()).newestPeriod(toHex(this.space))!;
    const last = ownStream ? NO_LINK : this.#links.get(period);
    const head = {
      kind: RECORD_KINDS.request,
      space: this.space,
      stream: ownStream ?? (await streamId(crypto, await namesKey(crypto, periodKey), "requests")),
      sender: this.login.publicKey,
      period,
      ...nextIn(last ?? NO_LINK),
      atMs: this.#site.clock.wallMs(),
    };
    const keys = { hub: this.hubFingerprint, periodKey };
    const record = await sealRecord(crypto, { head, text: encodeJson(request), keys, signer: this.signing });
    if (!ownStream) this.#links.set(period, { seq: head.seq, hash: await recordHash(crypto, record) });
    return record.bytes;
  }

  async put(...records: Uint8Array[]): Promise<void> {
    const { talk, wire } = await this.#site.hub.enter("device", this.login, { cursor: (await this.reader()).place });
    for (const [index, record] of records.entries()) await put(talk, index + 1, record);
    wire.close();
    await settled();
  }
}

async function put(talk: HubTalk, request: number, record: Uint8Array): Promise<void> {
  const answer = await talk.answer({ kind: "put", request, record: concat(record) });
  if (answer !== "done") throw new Error(answer.code);
}

/** What can be done without time passing is done: nothing is computed, and nothing has followed from it for some turns. */
export async function settled(): Promise<void> {
  for (let quiet = 0; quiet < 20; quiet = computing.count === 0 ? quiet + 1 : 0)
    await new Promise((resolve) => setImmediate(resolve));
}

function counted(real: SealingCrypto): SealingCrypto {
  const count = (value: unknown): unknown => {
    if (!(value instanceof Promise)) return value;
    computing.count += 1;
    return value.finally(() => {
      computing.count -= 1;
    });
  };
  const wrapped = Object.entries(real).map(([name, work]) => [
    name,
    (...values: unknown[]) => count((work as (...all: unknown[]) => unknown)(...values)),
  ]);
  return Object.fromEntries(wrapped) as SealingCrypto;
}
