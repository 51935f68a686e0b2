import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../sealing/bytes.ts";
import { encodeFrame } from "../../sealing/frames.ts";
import { fingerprintOf } from "../../sealing/login.ts";
import { Client } from "../client.ts";
import type { Coordinator } from "./coordinator.ts";
import { TestSite } from "./testing/site.ts";
import type { HubEntry, HubWire, HubWireEvents } from "./world.ts";

const GOOD = 5;
const ROUNDS = 20;

/** Models of hubs that are no use. Each counts what it was made to do. */
type Bad = (events: HubWireEvents) => HubWire;
const quiet = (events: HubWireEvents): HubWire => ({
  send() {},
  pause() {},
  resume() {},
  close: () => queueMicrotask(() => events.onClosed()),
});
const dead: Bad = () => {
  throw new Error("nobody is there");
};
const silent: Bad = (events) => quiet(events);
/** A byte of garbage now and then. */
const lying: Bad = (events) => {
  const wire = quiet(events);
  setImmediate(() => events.onFrame(encodeFrame({ kind: "hello", nonce: new Uint8Array(16) })));
  const signature = new Uint8Array(64).fill(7);
  return { ...wire, send: () => setImmediate(() => events.onFrame(encodeFrame({ kind: "welcome", signature }))) };
};
const garbage: Bad = (events) => {
  setImmediate(() => events.onFrame(Uint8Array.of(255, 1, 2, 3)));
  return quiet(events);
};

/** Sends as fast as it is read. */
function flooding(counts: { frames: number }): Bad {
  return (events) => {
    let isPaused = false;
    let isOpen = true;
    const frame = encodeFrame({ kind: "ping", token: 1 });
    const flood = (): void => {
      for (let count = 0; count < 500 && !isPaused && isOpen; count++) {
        counts.frames += 1;
        events.onFrame(frame);
      }
      if (!isPaused && isOpen) setImmediate(flood);
    };
    setImmediate(flood);
    return {
      send() {},
      pause: () => {
        isPaused = true;
      },
      resume: () => {
        isPaused = false;
        setImmediate(flood);
      },
      close: () => {
        isOpen = false;
        queueMicrotask(() => events.onClosed());
      },
    };
  };
}

async function addBad(site: TestSite, device: Coordinator, bad: readonly Bad[]): Promise<string[]> {
  const added: string[] = [];
  for (const [index, model] of bad.entries()) {
    const address = `https://bad-${index}.example`;
    const key = (await site.crypto.newSigningKey()).publicKey;
    site.dials.set(address, model);
    const entry: HubEntry = {
      fingerprint: toHex(await fingerprintOf(site.crypto, key)),
      key,
      addresses: [address],
      label: `bad ${index}`,
      login: await site.crypto.newSigningKey(),
      addedMs: 0,
      usedMs: site.clock.wallMs() + 1_000_000, // dialled before the good ones
    };
    await device.addHub(entry);
    added.push(entry.fingerprint);
  }
  return added;
}

test("isolation: of 20 hubs 15 are dead, silent, lying or flooding, and the machines of the 5 good ones answer every time", async () => {
  await using site = new TestSite();
  const store = site.newStore();
  const names = Array.from({ length: GOOD }, (_, index) => `m${index}`);
  for (const name of names) await site.pair(await site.machine(name), await site.hub(`hub-${name}`), store);
  const device = await site.device(store);
  const floods = Array.from({ length: 3 }, () => ({ frames: 0 }));
  const bad: Bad[] = [dead, dead, dead, silent, silent, silent, lying, lying, lying, garbage, garbage, garbage];
  const added = await addBad(site, device, [...bad, ...floods.map(flooding)]);
  assert.equal(device.hubs().length, 20);
  device.start();
  const clients = names.map(
    (name) =>
      new Client({
        dial: device.machineNamed(name).dialLines(),
        name: "test",
        version: "0",
        randomId: () => crypto.randomUUID(),
      }),
  );
  const startedMs = performance.now();
  for (let round = 0; round < ROUNDS; round++) {
    const answers = await Promise.all(clients.map((client) => client.request("unit.list", {})));
    assert.deepEqual(
      answers.map((answer) => (answer as { name?: string }).name),
      names,
    );
  }
  const seconds = Math.ceil((performance.now() - startedMs) / 1_000) + 1;
  for (const { frames } of floods)
    assert.ok(
      frames > 0 && frames <= (site.limits.framesPerSecond + 1) * seconds,
      `${frames} frames in ${seconds} s were read`,
    );
  for (const fingerprint of added) assert.notEqual(device.hub(fingerprint)!.state.kind, "ready");
  const good = device.hubs().filter(({ entry }) => !added.includes(entry.fingerprint));
  assert.ok(good.every(({ state }) => state.kind === "ready"));
  for (const client of clients) client.close();
});

test("isolation: a hub that claims another's machine, or tells of a space that is not its own, changes nothing", async () => {
  await using site = new TestSite();
  const [home, evil] = [await site.hub("home"), await site.hub("evil")];
  const [laptop, other] = [await site.machine("laptop"), await site.machine("other")];
  const store = site.newStore();
  await site.pair(laptop, home, store);
  await site.pair(other, evil, store);
  const device = await site.device(store);
  const [mine] = device.machines().filter(({ machine }) => machine.name === "laptop");
  const space = Object.values(mine!.machine.spaces)[0]!;
  // After each of its frames the evil hub says that the other hub's machine is gone.
  evil.toDevice = () => encodeFrame({ kind: "presence", space, isPresent: false });
  device.start();
  const client = new Client({
    dial: device.machineNamed("laptop").dialLines(),
    name: "test",
    version: "0",
    randomId: () => crypto.randomUUID(),
  });
  assert.equal(((await client.request("unit.list", {})) as { name?: string }).name, "laptop");
  const row = device.machines().find(({ machine }) => machine.name === "laptop")!;
  assert.deepEqual(Object.keys(row.presence), Object.keys(row.machine.spaces), "told of by its own hub alone");
  assert.ok(Object.values(row.presence).every((isPresent) => isPresent));
  client.close();
});

test("isolation: a hub that is disconnected or removed takes nothing of another's with it", async () => {
  await using site = new TestSite();
  const [home, cloud] = [await site.hub("home"), await site.hub("cloud")];
  const [laptop, server] = [await site.machine("laptop"), await site.machine("server")];
  const store = site.newStore();
  await site.pair(laptop, home, store);
  await site.pair(server, cloud, store);
  const device = await site.device(store);
  device.start();
  const closed: string[] = [];
  const stream = await device.machineNamed("laptop").stream("primary", {
    onBytes() {},
    onClosed: () => void closed.push("laptop"),
  });
  await device.machineNamed("server").stream("primary", { onBytes() {}, onClosed: () => void closed.push("server") });
  const of = (label: string) => device.hubs().find(({ entry }) => entry.label.startsWith(label))!.entry.fingerprint;
  await device.disconnect(of("cloud"));
  assert.deepEqual(closed, ["server"]);
  assert.equal(device.machines().length, 2, "its rows stay, as last confirmed");
  assert.ok(device.machines().find(({ machine }) => machine.name === "server")!.machine.confirmedMs! > 0);
  assert.equal((await store.hubs()).find(({ label }) => label.startsWith("cloud"))!.isOff, true);
  const cloudId = of("cloud");
  await device.removeHub(cloudId);
  assert.deepEqual([device.hasHub(cloudId), device.machines().length, (await store.hubs()).length], [false, 1, 1]);
  assert.equal((await store.machines()).length, 1);
  assert.deepEqual([closed, stream.isClosed], [["server"], false]);
});
