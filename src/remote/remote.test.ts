import assert from "node:assert/strict";
import { test } from "node:test";
import type { HubNetwork } from "../contact/network.ts";
import { TestHub } from "../hub/testing/test-hub.ts";
import { silentLog } from "../platform/log.ts";
import type { HandClock } from "../platform/testing/hand-clock.ts";
import type { StreamEvent } from "../protocol/envelope.ts";
import { fingerprintText } from "../sealing/fingerprint.ts";
import { fingerprintOf } from "../sealing/login.ts";
import { webCrypto } from "../sealing/webcrypto.ts";
import { hubAddress } from "./address.ts";
import { Remote } from "./remote.ts";
import type { RemoteStore, StoredName } from "./store.ts";

const crypto = webCrypto();
/** The first byte of the frame with which a hub lets somebody in. */
const WELCOME = 3;
const ADDRESS = "https://home.example";

/** The real hub in this process, a machine, one clock for both, and a network that can be cut. */
class Pair implements AsyncDisposable {
  readonly clock: HandClock;
  readonly hub: TestHub;
  readonly events: StreamEvent[] = [];
  readonly files = new Map<StoredName, string>();
  dialledAtMs: number[] = [];
  /** Nobody answers. */
  isDown = false;
  /** Nothing is written down before this is over. */
  disk: Promise<void> | undefined;
  /** A dial there comes to no end. */
  silentAddress: string | undefined;
  /** What is sent arrives nowhere. */
  isMute = false;
  /** The hub's welcome is lost. */
  isDeaf = false;
  remote!: Remote;
  readonly #closes: (() => void)[] = [];

  static async make(hub?: TestHub): Promise<Pair> {
    const pair = new Pair(hub ?? (await TestHub.open()));
    await pair.open();
    return pair;
  }

  async open(): Promise<void> {
    const { store, network, clock } = this;
    this.remote = await Remote.open({
      store,
      network,
      clock,
      crypto,
      log: silentLog,
      connect: () => assert.fail("nobody is there to connect"),
      name: "laptop",
      words: "anna@laptop",
      random: () => 0,
      onEvent: (event) => void this.events.push(event),
    });
  }

  private constructor(hub: TestHub) {
    this.hub = hub;
    this.clock = hub.clock;
  }

  async join(): Promise<void> {
    const fingerprint = fingerprintText(await fingerprintOf(crypto, this.hub.key.publicKey));
    await this.remote.addHub({ address: ADDRESS, fingerprint });
  }

  get state(): string {
    return this.remote.hubs()[0]!.state;
  }

  /** Time passes in small steps, and the work of each is done before the next. */
  async pass(ms: number, stepMs = 250): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      await this.clock.passSlowly(Math.min(stepMs, left));
      await settled();
    }
  }

  /** Time passes slowly: a login's signatures are made on threads, which know nothing of this clock. */
  async becomesReady(): Promise<void> {
    for (let step = 0; step < 5_000 && this.state !== "ready"; step++) await this.pass(20, 20);
    assert.equal(this.state, "ready");
  }

  /** The way between them breaks, and both hear of it. */
  cut(): void {
    for (const close of this.#closes.splice(0)) close();
  }

  readonly store: RemoteStore = {
    read: async (name) => this.files.get(name),
    write: async (name, text) => {
      await this.disk;
      this.files.set(name, text);
    },
    pathOf: (name) => `/remote/${name}`,
  };

  readonly network: HubNetwork = {
    claim: async () => ({ key: this.hub.key.publicKey, label: "home" }),
    dial: async (address, { onFrame, onClosed }) => {
      this.dialledAtMs.push(this.clock.wallMs());
      if (address === this.silentAddress) return new Promise(() => {});
      if (this.isDown) throw new Error("nobody answers");
      let isClosed = false;
      const close = (): void => {
        if (isClosed) return;
        isClosed = true;
        queueMicrotask(onClosed);
        queueMicrotask(() => hubEnd.onClosed());
      };
      const toMachine = (frame: Uint8Array): void => {
        const copy = frame.slice();
        queueMicrotask(() => isClosed || this.isMute || (this.isDeaf && copy[0] === WELCOME) || onFrame(copy));
      };
      const hubEnd = this.hub.hub.accept(
        { send: toMachine, unsentBytes: 0, pause() {}, resume() {}, close, destroy: close },
        { address: "192.0.2.9" },
      );
      this.#closes.push(close);
      return { send: (frame) => isClosed || this.isMute || hubEnd.onFrame(frame.slice()), close };
    },
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.remote.close();
    await this.hub.close();
  }
}

/** WebCrypto works on threads of its own. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("code: it ends after two minutes, at the hub as well, and nothing is written", async () => {
  await using pair = await Pair.make();
  await pair.join();
  const before = pair.files.get("roster.json");
  await pair.remote.pair(ADDRESS, ["view"], new AbortController().signal);
  assert.equal(pair.hub.hub.facts().rendezvous, 1);
  await pair.pass(119_000, 4_000);
  assert.equal(pair.remote.snapshot().snapshot.pairings.length, 1);
  await pair.pass(2_000);
  const [ended] = pair.events.filter(({ event }) => event === "pairing_ended");
  assert.equal(ended?.data.how, "expired");
  assert.deepEqual(pair.remote.snapshot().snapshot.pairings, []);
  assert.equal(pair.hub.hub.facts().rendezvous, 0);
  assert.equal(pair.files.get("roster.json"), before);
});

test("code: it stands again on the next connection, and goes with whoever asked for it", async () => {
  await using pair = await Pair.make();
  await pair.join();
  const asker = new AbortController();
  await pair.remote.pair(ADDRESS, ["view"], asker.signal);
  pair.cut();
  await settled();
  assert.deepEqual([pair.state, pair.hub.hub.facts().rendezvous], ["waiting", 0]);
  await pair.becomesReady();
  await settled();
  assert.equal(pair.hub.hub.facts().rendezvous, 1);
  asker.abort();
  await settled();
  const [ended] = pair.events.filter(({ event }) => event === "pairing_ended");
  assert.deepEqual([ended?.data.how, pair.hub.hub.facts().rendezvous], ["cancelled", 0]);
});

test("presence: a hub that says nothing any more is given up after eight seconds, and not before it was asked", async () => {
  await using pair = await Pair.make();
  await pair.join();
  await pair.pass(60_000, 1_000);
  assert.equal(pair.state, "ready", "pings are answered for as long as it takes");
  assert.equal(pair.dialledAtMs.length, 1);
  pair.isMute = true;
  await pair.pass(4_000);
  assert.equal(pair.state, "ready", "asked, and has time to answer");
  await pair.pass(5_000);
  assert.notEqual(pair.state, "ready");
});

test("backoff: a hub that is down is dialled ever more rarely, and at once again when it was there", async () => {
  await using pair = await Pair.make();
  await pair.join();
  pair.dialledAtMs = [];
  pair.isDown = true;
  pair.isMute = true;
  await pair.pass(200_000, 500);
  const gaps = pair.dialledAtMs.slice(1).map((atMs, index) => atMs - pair.dialledAtMs[index]!);
  assert.deepEqual(gaps.slice(0, 6), [2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  pair.isDown = false;
  pair.isMute = false;
  const upAtMs = pair.clock.wallMs();
  await pair.becomesReady();
  assert.ok(pair.clock.wallMs() - upAtMs < 60_000);
});

test("hub: one that has moved is reached by the address that it is added with again, whatever was being dialled", async () => {
  await using pair = await Pair.make();
  await pair.join();
  pair.silentAddress = ADDRESS;
  pair.cut();
  const isConnecting = () => pair.state === "connecting";
  for (let step = 0; step < 400 && !isConnecting(); step++) await pair.pass(20, 20);
  assert.ok(isConnecting());
  const fingerprint = fingerprintText(await fingerprintOf(crypto, pair.hub.key.publicKey));
  const [{ state, addresses }] = await Promise.all([
    pair.remote.addHub({ address: "https://new.example", fingerprint }),
    pair.becomesReady(),
  ]);
  assert.deepEqual([state, addresses], ["ready", ["https://new.example", ADDRESS]]);
});

test("hub: one that is added twice at once is one hub, with one key and one link", async () => {
  await using pair = await Pair.make();
  const { promise, resolve } = Promise.withResolvers<void>();
  pair.disk = promise;
  const both = Promise.all([pair.join(), pair.join()]);
  await settled();
  resolve();
  await both;
  const { connections } = pair.hub.hub.facts();
  assert.deepEqual([pair.remote.hubs().length, pair.hub.store.totals().spaces, connections.machines], [1, 1, 1]);
});

test("idle: a machine with a hub and no device needs no server", async () => {
  await using pair = await Pair.make();
  assert.equal(pair.remote.isIdle, true);
  await pair.join();
  assert.equal(pair.remote.isIdle, true);
});

test("idle: with a device that could come, the server is needed", async () => {
  await using pair = await Pair.make();
  await pair.join();
  const roster = JSON.parse(pair.files.get("roster.json")!);
  const key = "1".repeat(64);
  const device = { name: "phone", platform: "x", signing_key: key, exchange_key: key, fingerprint: "1".repeat(32) };
  const more = { logins: {}, scopes: ["view"], added_at: "2026-11-01T00:00:00.000Z" };
  pair.files.set("roster.json", JSON.stringify({ ...roster, devices: [{ ...device, ...more }] }));
  pair.remote.close();
  await pair.open();
  assert.equal(pair.remote.isIdle, false);
});

test("address: written in one way, https unless it is this machine's own; the rest is refused", () => {
  const ways: [string, string][] = [
    ["home.example", "https://home.example"],
    ["https://HOME.example:443/", "https://home.example"],
    ["localhost:7117", "http://localhost:7117"],
    ["127.0.0.1:7117/", "http://127.0.0.1:7117"],
    ["http://10.0.0.2:7117", "http://10.0.0.2:7117"],
    [" https://example.org/hub/ ", "https://example.org/hub"],
  ];
  for (const [text, address] of ways) assert.equal(hubAddress(text), address);
  for (const text of ["", "ftp://x", "https://me:pw@x", "https://x/?a=1", "https://x/#a", `https://${"x".repeat(300)}`])
    assert.throws(() => hubAddress(text), { code: "HUB_ADDRESS_BAD" }, text);
});

test("hub: an invitation whose answer was lost is good for the same machine once more", async () => {
  const hub = await TestHub.open({ isOpen: false });
  await using site = await Pair.make(hub);
  const secret = crypto.random(16);
  await hub.store.write(() => hub.store.roster.addInvitation(secret, "laptop", { nowMs: site.clock.wallMs() }));
  const fingerprint = fingerprintText(await fingerprintOf(crypto, hub.key.publicKey));
  const invitation = Buffer.from(secret).toString("hex");
  const add = () => site.remote.addHub({ address: ADDRESS, fingerprint, invitation });
  site.isDeaf = true;
  const first = add().then(
    () => "in",
    () => "lost",
  );
  // Signatures are made on threads, which know nothing of this clock.
  const isUsed = () => hub.store.roster.openInvitations(site.clock.wallMs()).length === 0;
  for (let step = 0; step < 400 && !isUsed(); step++) await site.pass(20, 20);
  assert.ok(isUsed());
  await site.pass(15_000);
  assert.equal(await first, "lost");
  assert.deepEqual(site.remote.hubs(), []);
  site.isDeaf = false;
  let isIn = false;
  const second = add().then(({ state }) => {
    isIn = state === "ready";
  });
  for (let step = 0; step < 400 && !isIn; step++) await site.pass(20, 20);
  await second;
  assert.ok(isIn);
});
