import assert from "node:assert/strict";
import { test } from "node:test";
import type { HubNetwork, RemoteClock } from "../../contact/network.ts";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import type { Remote } from "../../remote/remote.ts";
import { decodeFrame } from "../../sealing/frames.ts";
import { Introducing } from "./introducing.ts";
import type { MachineClient } from "./introductions.ts";
import { Pairing, readCard } from "./pairing.ts";
import type { Joined } from "./pairing-kept.ts";
import type { MemoryStore } from "./testing/memory-store.ts";
import { type TestHubHost, TestSite } from "./testing/site.ts";

/** The store keeps nothing before `open`; `begun` when it was asked to. */
function gateOf(store: MemoryStore): { begun: Promise<void>; open(): void } {
  const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const join = store.join.bind(store);
  store.join = async (joined) => {
    begun.resolve();
    await gate.promise;
    await join(joined);
  };
  return { begun: begun.promise, open: gate.resolve };
}

const keptBy = async (store: MemoryStore) => ({ hubs: await store.hubs(), machines: await store.machines() });

/** As its own command asks it; the connection stays. */
const ownClient = (remote: Remote): MachineClient => ({
  async request<T extends "remote.introduce" | "remote.introduce_end">(_: T, payload: PayloadOf<T>) {
    if ("is_kept" in payload) {
      await remote.endIntroduction(payload.introduction, payload.is_kept === true);
      return {} as DataOf<T>;
    }
    const wanted = payload as PayloadOf<"remote.introduce">;
    return (await remote.introduce(wanted, undefined, new AbortController().signal)) as DataOf<T>;
  },
  close() {},
});

/** A device that has the machine shows a code for it, and the person there says yes. */
async function introduces(site: TestSite, laptop: Remote, home: TestHubHost, clock: RemoteClock) {
  const store = site.newStore();
  await site.pair(laptop, home, store);
  const device = await site.device(store);
  device.start();
  const machine = device.machineNamed("laptop");
  await machine.stream("primary", { onBytes() {}, onClosed() {} });
  const introducing: Introducing = await Introducing.offer({
    name: "phone",
    hub: device.hub(device.hubs()[0]!.entry.fingerprint)!,
    machines: [machine],
    scopes: ["view"],
    crypto: site.crypto,
    clock,
    limits: site.limits,
    clientOf: () => ownClient(laptop),
    events: { onMet: () => introducing.confirm() },
  });
  return introducing;
}

/** The wire closes behind what was sent, as a WebSocket does. */
const closingLate = ({ claim, dial }: HubNetwork): HubNetwork => ({
  claim,
  dial: async (address, events, signal) => {
    const wire = await dial(address, events, signal);
    return { ...wire, close: () => void setImmediate(wire.close) };
  },
});

/** Resolves when a device there is told that its channel is closed. */
function hungUp(host: TestHubHost): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  host.toDevice = (frame) => {
    if (decodeFrame(frame).kind === "close") resolve();
    return frame;
  };
  return promise;
}

/** Its person agrees to whoever introduces it. */
async function joins(site: TestSite, code: string, store: MemoryStore): Promise<Joined> {
  const { crypto, clock, limits } = site;
  const card = await readCard(code, store, { nowSeconds: clock.wallMs() / 1_000 });
  const pairing: Pairing = new Pairing(card, {
    name: "tablet",
    platform: "test",
    store,
    network: closingLate(site.deviceNetwork),
    crypto,
    clock,
    limits,
    onState: ({ kind }) => kind === "asked" && pairing.agree(),
  });
  return pairing.connect();
}

test("pairing: a hub that is lost while the machine is written down is no failure: both ends have it", async () => {
  await using site = new TestSite();
  const home = await site.hub("home");
  const laptop = await site.machine("laptop");
  const store = site.newStore();
  const gate = gateOf(store);
  const paired = site.pair(laptop, home, store);
  await gate.begun;
  home.kill();
  await new Promise((wake) => setImmediate(wake));
  gate.open();
  await paired;
  const { hubs, machines } = await keptBy(store);
  assert.deepEqual([hubs.length, machines.map(({ name }) => name)], [1, ["laptop"]]);
  assert.deepEqual(
    laptop.devices().map(({ name }) => name),
    ["Pixel 9"],
  );
});

test("pairing: a device that was introduced and can tell nobody that it has kept it takes it back, as the machines do", async () => {
  for (const isLost of [true, false])
    for (const isKnown of [false, true]) {
      await using site = new TestSite();
      const what = `${isLost ? "the hub is lost" : "it took too long"}, ${isKnown ? "known before" : "new"}`;
      const home = await site.hub("home");
      const laptop = await site.machine("laptop");
      const store = site.newStore();
      if (isKnown) await site.pair(laptop, home, store);
      for (const hub of await store.hubs()) await store.putHub({ ...hub, isOff: true });
      const before = await keptBy(store);
      const clock = new HandClock({ wallMs: site.clock.wallMs() });
      const introducing = await introduces(site, laptop, home, clock);
      const listed = () =>
        laptop
          .devices()
          .map((one) => `${one.name} ${one.fingerprint} ${one.scopes}`)
          .sort();
      const listedBefore = listed();
      const gate = gateOf(store);
      const joined = joins(site, introducing.code.warren, store);
      joined.catch(() => {}); // looked at below
      await gate.begun;
      assert.notDeepEqual(listed(), listedBefore, what);
      const told = hungUp(home);
      if (isLost) home.kill();
      else await clock.passSlowly(site.limits.handshakeMs);
      await assert.rejects(introducing.over, { code: "INTRODUCING_LEFT" }, what);
      if (!isLost) await told;
      for (let turn = 0; turn < 2; turn++) await new Promise((wake) => setImmediate(wake)); // from the wire to the channel
      gate.open();
      await assert.rejects(joined, { code: isLost ? "HUB_LOST" : "PAIRING_GONE" }, what);
      assert.deepEqual(await keptBy(store), before, what);
      assert.deepEqual(listed(), listedBefore, what);
    }
});

test("pairing: a device that was introduced and says in time that it has kept it is in", async () => {
  await using site = new TestSite();
  const home = await site.hub("home");
  const laptop = await site.machine("laptop");
  const store = site.newStore();
  const introducing = await introduces(site, laptop, home, site.clock);
  const { machines, left } = await joins(site, introducing.code.warren, store);
  assert.deepEqual([machines.length, left, (await store.machines()).length], [1, [], 1]);
  assert.equal((await introducing.over).joined.length, 1);
  assert.equal(laptop.devices().length, 2);
});
