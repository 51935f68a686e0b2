import assert from "node:assert/strict";
import { test } from "node:test";
import { BadHub, type BadHubScript } from "../../contact/testing/bad-hub.ts";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { LineSplitter } from "../../protocol/lines.ts";
import { toHex, utf8 } from "../../sealing/bytes.ts";
import { encodeFrame, type Frame } from "../../sealing/frames.ts";
import { fingerprintOf } from "../../sealing/login.ts";
import { Client } from "../client.ts";
import type { Coordinator } from "./coordinator.ts";
import { TestSite } from "./testing/site.ts";
import type { HubEntry } from "./world.ts";

const GOOD = 5;
const MESSAGES = 1_000;

const presence = (space: Uint8Array): Frame => ({ kind: "presence", space, isPresent: true });
const nobody = new Uint8Array(32);

/** 15 hubs that are no use, each in its own way. @param spaces of the machines at the good ones */
const badHubs = (spaces: readonly Uint8Array[]): [name: string, script: BadHubScript][] => [
  ["dead: nobody listens", { dials: "refuses" }],
  ["dead: the dial never ends", { dials: "hangs" }],
  ["dead: hangs up after the hello", { hello: true, hangsUp: "after hello" }],
  ["slow: says nothing at all", {}],
  ["slow: says hello, and never lets in", { hello: true }],
  ["slow: lets in, and never answers", { hello: true, welcome: "its own" }],
  ["lying: the welcome is of no key", { hello: true, welcome: "garbage" }],
  ["lying: the welcome is of another key", { hello: true, welcome: "another's" }],
  ["lying: what it says has no form", { says: [Uint8Array.of(255, 1, 2, 3)] }],
  [
    "lying: tells of the others' machines",
    {
      hello: true,
      welcome: "its own",
      says: spaces.map((space) => encodeFrame({ kind: "presence", space, isPresent: false })),
    },
  ],
  [
    "lying: opens channels, as to a machine",
    {
      hello: true,
      welcome: "its own",
      says: [encodeFrame({ kind: "opened", channel: 1, loginKey: nobody })],
    },
  ],
  ["flooding: pings, before it lets in", { hello: true, floods: { kind: "ping", token: 1 } }],
  ["flooding: presence, after it", { hello: true, welcome: "its own", floods: presence(nobody) }],
  [
    "flooding: large frames for channels that are not there",
    {
      hello: true,
      welcome: "its own",
      floods: { kind: "data", channel: 7, bytes: new Uint8Array(60_000) },
    },
  ],
  [
    "flooding: by a wire that cannot wait",
    {
      hello: true,
      welcome: "its own",
      floods: { kind: "ping", token: 1 },
      cannotWait: true,
    },
  ],
];

/** Known to the device as a hub that it used last, so that it is dialled before the good ones. */
async function addBad(site: TestSite, device: Coordinator, bad: readonly BadHub[]): Promise<string[]> {
  const added: string[] = [];
  for (const [index, hub] of bad.entries()) {
    const address = `https://bad-${index}.example`;
    const key = hub.key.publicKey;
    site.dials.set(address, (events) => hub.dial(events));
    const entry: HubEntry = {
      fingerprint: toHex(await fingerprintOf(site.crypto, key)),
      key,
      addresses: [address],
      label: hub.name,
      login: hub.login,
      addedMs: 0,
      usedMs: site.clock.wallMs() + 1_000_000,
    };
    await device.addHub(entry);
    added.push(entry.fingerprint);
  }
  return added;
}

/** Sends so many numbered lines to the machine's server, and gives the numbers as their answers come. */
async function numbersFrom(device: Coordinator, machine: string): Promise<number[]> {
  const heard: number[] = [];
  const splitter = new LineSplitter();
  const { promise, resolve, reject } = Promise.withResolvers<number[]>();
  const stream = await device.machineNamed(machine).stream("primary", {
    onBytes: (bytes) => {
      for (const line of splitter.push(bytes)) heard.push((JSON.parse(line) as { id: number }).id);
      if (heard.length >= MESSAGES) resolve(heard);
    },
    onClosed: (why) => reject(why ?? new Error(`${machine}: the stream ended after ${heard.length}`)),
  });
  for (let id = 0; id < MESSAGES; id++) {
    stream.send(utf8(`${JSON.stringify({ id, type: "ping" })}\n`));
    if (id % 50 === 0) await new Promise((next) => setImmediate(next)); // the bad ones have their turns
  }
  const numbers = await promise;
  stream.close();
  return numbers;
}

test("isolation: of 20 hubs 15 are dead, slow, lying or flooding; all messages of the 5 good ones come, in order", async () => {
  await using site = new TestSite();
  const store = site.newStore();
  const names = Array.from({ length: GOOD }, (_, index) => `m${index}`);
  for (const name of names) await site.pair(await site.machine(name), await site.hub(`hub-${name}`), store);
  const device = await site.device(store);
  const scripts = badHubs(device.machines().flatMap(({ machine }) => Object.values(machine.spaces)));
  const bad = await Promise.all(scripts.map(([name, script]) => BadHub.make(site.crypto, name, script)));
  const added = await addBad(site, device, bad);
  assert.deepEqual([device.hubs().length, bad.length], [GOOD + 15, 15]);
  const startedMs = performance.now();
  device.start();
  const wanted = Array.from({ length: MESSAGES }, (_, id) => id);
  const all = await Promise.all(names.map((name) => numbersFrom(device, name)));
  for (const numbers of all) assert.deepEqual(numbers, wanted);
  const good = device.hubs().filter(({ entry }) => !added.includes(entry.fingerprint));
  assert.ok(good.every(({ state }) => state.kind === "ready"));
  assert.ok(good.every(({ entry }) => [...site.hosts.values()].some(({ address }) => entry.addresses[0] === address)));
  for (const host of site.hosts.values())
    assert.equal(host.dialCount, 1 + 1, "the pairing's and this one: none was lost");
  const { framesPerSecond, bytesPerSecond, unreadBytes } = site.limits;
  const seconds = Math.ceil((performance.now() - startedMs) / 1_000) + 1;
  for (const { name, counts } of bad) {
    const share = name.includes("cannot wait") ? 10 : 1;
    assert.ok(counts.dials > 0, `${name}: it had its turn`);
    for (const { frames, bytes, largestFrame, largestTurn, beganMs, lastMs } of counts.runs) {
      // A run may begin at the end of one second and go on in the next; on a slow machine it goes on for as long as it stays below what is allowed.
      const allowed = share * (2 + Math.floor((lastMs - beganMs) / 1_000));
      assert.ok(frames <= allowed * (framesPerSecond + 1), `${name}: ${frames} frames were read without a pause`);
      assert.ok(
        bytes <= allowed * (bytesPerSecond + largestFrame),
        `${name}: ${bytes} bytes were read without a pause`,
      );
      assert.ok(largestTurn <= share * unreadBytes + largestFrame, `${name}: ${largestTurn} bytes waited`);
    }
    assert.ok(counts.sent <= 2 * counts.dials + 2 * seconds, `${name}: it was sent ${counts.sent} frames`);
  }
  const flooding = bad.filter(({ name }) => name.startsWith("flooding"));
  assert.ok(flooding.every(({ counts }) => counts.runs.length > 0));
  for (const machine of device.machines())
    assert.deepEqual(
      Object.keys(machine.presence),
      Object.keys(machine.machine.spaces),
      "told of by its own hub alone",
    );
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
  const { machine } = device.machines()[0]!;
  const session = device.connectionForSession({ machine: machine.id, id: "s1" });
  assert.deepEqual([session?.target, session?.link], ["s1", device.connectionForMachine(machine.id)]);
  assert.equal(device.connectionForSession({ machine: "nobody", id: "s1" }), undefined);
  const cloudId = of("cloud");
  await device.removeHub(cloudId);
  assert.deepEqual([device.hasHub(cloudId), device.machines().length, (await store.hubs()).length], [false, 1, 1]);
  assert.equal((await store.machines()).length, 1);
  assert.deepEqual([closed, stream.isOver], [["server"], false]);
});

test("isolation: a hub that is removed is gone from the ways of a machine that is met elsewhere too, and whoever looks is told", async () => {
  await using site = new TestSite();
  const [home, cloud] = [await site.hub("home"), await site.hub("cloud")];
  const laptop = await site.machine("laptop");
  const store = site.newStore();
  await site.pair(laptop, home, store);
  await site.pair(laptop, cloud, store);
  const device = await site.device(store);
  const ways: number[] = [];
  device.subscribe((event) => {
    if (event.kind === "machine") ways.push(Object.keys(device.machines()[0]!.machine.spaces).length);
  });
  await device.removeHub(device.hubs()[0]!.entry.fingerprint);
  assert.deepEqual(ways, [1]);
});

test("isolation: hubs are dialled one after another, the one used last first; each entry says where and when it was used", async () => {
  const time = new HandClock();
  await using site = new TestSite({ clock: time });
  const store = site.newStore();
  await site.pair(await site.machine("laptop"), await site.hub("home"), store);
  const [home] = (await store.hubs()) as [HubEntry];
  const { usedMs: _, ...unused } = home;
  const dialled: string[] = [];
  const startMs = time.wallMs();
  const names = ["old", "new", "never", "off"];
  for (const [index, name] of names.entries()) {
    const address = `https://${name}.example`;
    site.dials.set(address, () => {
      dialled.push(`${name} ${time.wallMs() - startMs}`);
      return new Promise(() => {});
    });
    const used = { old: { usedMs: 1 }, new: { usedMs: startMs + 1 }, off: { isOff: true } }[name] ?? {};
    await store.putHub({ ...unused, ...used, fingerprint: `${index}`.repeat(32), label: name, addresses: [address] });
  }
  const away = "https://away.example";
  site.dials.set(away, () => {
    throw new Error("nobody is there");
  });
  await store.putHub({ ...home, addresses: [away, ...home.addresses] });
  await time.passSlowly(7_000);
  const device = await site.device(store);
  device.start();
  await time.passSlowly(1_000);
  assert.deepEqual(
    dialled,
    ["new 7000", "old 7100", "never 7150"],
    "the fourth, 50 ms after the first, was used in between",
  );
  const ready = Promise.withResolvers<void>();
  const look = (): void => {
    if (device.hub(home.fingerprint)!.state.kind === "ready") ready.resolve();
  };
  const subscription = device.subscribe(look);
  look();
  await ready.promise;
  subscription.close();
  const { entry } = device.hub(home.fingerprint)!;
  assert.deepEqual(entry.addresses, [...home.addresses, away], "the one that led there is the first now");
  assert.ok(entry.usedMs! >= startMs + 7_050 && entry.addedMs === home.addedMs && entry.label === home.label);
  const kept = (await store.hubs()).find(({ fingerprint }) => fingerprint === home.fingerprint)!;
  assert.deepEqual([kept.addresses, kept.usedMs], [entry.addresses, entry.usedMs], "and is written down");
});
