import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { Client, type Dial } from "../client.ts";
import type { Coordinator } from "./coordinator.ts";
import { MemoryOutbox, MemoryRecords } from "./testing/memory-records.ts";
import { echoServer, TestSite } from "./testing/site.ts";

const clientOf = (dial: Dial): Client =>
  new Client({ dial, name: "test", version: "0", randomId: () => globalThis.crypto.randomUUID() });

/** Resolves when it is so; looks whenever something happens. */
function until(coordinator: Coordinator, isSo: () => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error("it did not come to that in 20 s")), 20_000);
  const look = (): void => {
    if (!isSo()) return;
    clearTimeout(timer);
    subscription.close();
    resolve();
  };
  const subscription = coordinator.subscribe(look);
  look();
  return promise;
}

test("coordinator: pairs by a code and asks the machine through the hub", async () => {
  await using site = new TestSite();
  const home = await site.hub("home");
  const laptop = await site.machine("laptop");
  const store = site.newStore();
  await site.pair(laptop, home, store);
  const device = await site.device(store);
  device.start();
  const client = clientOf(device.machineNamed("laptop").dialLines());
  const data = (await client.request("unit.list", {})) as unknown as { name: string; target: string };
  assert.deepEqual([data.name, data.target], ["laptop", "primary"]);
  client.close();
});

test("coordinator: a server that is just ending is no refusal: its successor is asked", async () => {
  await using site = new TestSite();
  const home = await site.hub("home");
  const serving = echoServer("laptop");
  let greetings = 0;
  const laptop = await site.machine("laptop", async (target, events) => {
    if (++greetings > 1) return serving(target, events);
    const ending = { success: false, error: "The server is being replaced; ask again.", code: "SERVER_ENDING" };
    const write = (): void => events.onBytes(Buffer.from(`${JSON.stringify(ending)}\n`));
    return { write, pause() {}, resume() {}, close() {} };
  });
  const store = site.newStore();
  await site.pair(laptop, home, store);
  const device = await site.device(store);
  device.start();
  const client = clientOf(device.machineNamed("laptop").dialLines());
  await client.request("unit.list", {});
  assert.equal(greetings, 2);
  client.close();
});

test("coordinator: a hub that has moved is dialled by its new address at once, also while the old one is dialled in vain", async () => {
  await using site = new TestSite({ clock: new HandClock() });
  const home = await site.hub("home");
  const store = site.newStore();
  await site.pair(await site.machine("laptop"), home, store);
  const device = await site.device(store);
  site.dials.set(home.address, () => new Promise(() => {}));
  site.dials.set("https://moved.example", (events) => home.connect(events, (frame) => frame));
  device.start();
  const { entry, state } = device.hubs()[0]!;
  assert.deepEqual(state, { kind: "connecting", address: home.address });
  await device.addHub({ ...entry, addresses: ["https://moved.example", ...entry.addresses] });
  await device.connect(entry.fingerprint);
  const { state: next } = device.hubs()[0]!;
  assert.equal("address" in next && next.address, "https://moved.example");
  await until(device, () => device.hubs()[0]!.state.kind === "ready");
});

test("coordinator: a machine at two hubs is one row, and what was asked is repeated through the other hub", async () => {
  await using site = new TestSite();
  const [home, cloud] = [await site.hub("home"), await site.hub("cloud")];
  const seen: { type: string; request_id?: string }[] = [];
  const held = Promise.withResolvers<void>();
  const laptop = await site.machine(
    "laptop",
    echoServer("laptop", seen, () => held.promise),
  );
  const store = site.newStore();
  await site.pair(laptop, home, store);
  await site.pair(laptop, cloud, store);
  const device = await site.device(store);
  assert.equal(device.machines().length, 1);
  assert.equal(Object.keys(device.machines()[0]!.machine.spaces).length, 2);
  device.start();
  const link = device.machineNamed("laptop");
  const client = clientOf(link.dialLines());
  const answer = client.request("stop", { job_id: "web" });
  await until(device, () => link.liveHub !== undefined && device.hubs().every(({ state }) => state.kind === "ready"));
  while (seen.length === 0) await new Promise((wake) => setImmediate(wake));
  const first = link.liveHub!;
  [home, cloud].find((host) => host.label === device.hub(first)!.entry.label)!.kill();
  await until(device, () => link.liveHub !== undefined && link.liveHub !== first);
  while (seen.length < 2) await new Promise((wake) => setImmediate(wake));
  held.resolve();
  await answer;
  assert.deepEqual(
    seen.map(({ type }) => type),
    ["stop", "stop"],
  );
  assert.equal(seen[0]!.request_id, seen[1]!.request_id);
  client.close();
});

test("coordinator: of a machine that has taken this device off its list a person gets to know, and what waits for it says so; paired anew, all goes on", async () => {
  await using site = new TestSite();
  const home = await site.hub("home");
  const seen: { type: string }[] = [];
  const laptop = await site.machine("laptop", echoServer("laptop", seen));
  const store = site.newStore();
  await site.pair(laptop, home, store);
  const device = await site.device(store, { records: new MemoryRecords(), outbox: new MemoryOutbox() });
  const homeId = device.hubs()[0]!.entry.fingerprint;
  const told: unknown[] = [];
  device.subscribe((event) => event.kind === "refused" && told.push(event.refusal?.error.code));
  device.start();
  const { id } = device.machineNamed("laptop").machine;
  await until(device, () => device.machines()[0]!.presence[homeId] === true);
  assert.equal(device.machines()[0]!.refusal, undefined);
  const [name] = laptop.devices();
  await laptop.revoke(name!.name);
  const item = await device.outbox!.add({ machine: id, type: "stop", payload: { job_id: "web" } });
  const itemNow = () => device.outbox!.items().find((one) => one.id === item.id)!;
  await until(device, () => device.machines()[0]!.refusal !== undefined && itemNow().held !== undefined);
  assert.deepEqual([device.machines()[0]!.refusal!.by, itemNow().held!.code], ["hub", "DEVICE_REFUSED"]);
  await site.pair(laptop, home, store);
  await device.connect(homeId);
  await until(device, () => itemNow().state.kind === "done");
  assert.deepEqual([device.machines()[0]!.refusal, itemNow().held, seen.length], [undefined, undefined, 1]);
  assert.deepEqual(told, ["DEVICE_REFUSED", undefined]);
});

/** One device, paired with one machine at these hubs. */
async function paired(site: TestSite, labels: readonly string[]) {
  const laptop = await site.machine("laptop");
  const store = site.newStore();
  for (const label of labels) await site.pair(laptop, await site.hub(label), store);
  const records = new MemoryRecords();
  const device = await site.device(store, { records });
  return { store, records, device, hub: device.hubs()[0]!.entry.fingerprint };
}

const isReady = (device: Coordinator, hub: string): boolean => device.hub(hub)?.state.kind === "ready";

test("coordinator: a machine that is met by another hub while one is removed does not bring that one back", async () => {
  await using site = new TestSite();
  const { store, records, device } = await paired(site, ["home", "cloud"]);
  device.start();
  const link = device.machineNamed("laptop");
  const client = clientOf(link.dialLines());
  await client.request("unit.list", {});
  await until(device, () => device.hubs().every(({ state }) => state.kind === "ready"));
  const first = link.liveHub!;
  const { fingerprint: other } = device.hubs().find(({ entry }) => entry.fingerprint !== first)!.entry;
  const gate = Promise.withResolvers<void>();
  const forget = records.forget.bind(records);
  records.forget = (hub) => gate.promise.then(() => forget(hub));
  const removed = device.removeHub(first);
  const isOther = until(device, () => link.liveHub === other);
  await client.request("unit.list", {});
  await isOther;
  gate.resolve();
  await removed;
  await new Promise((wake) => setImmediate(wake));
  const [machine] = await store.machines();
  assert.deepEqual([Object.keys(machine!.spaces), Object.keys(link.machine.spaces)], [[other], [other]]);
  assert.ok(machine!.confirmedMs !== undefined && (await store.hubs()).every((entry) => entry.fingerprint === other));
  client.close();
});

test("coordinator: a hub that lets this device in while it is removed does not come back, nor does what was being written of it", async () => {
  await using site = new TestSite();
  for (const isUnderWay of [true, false]) {
    const { store, device, hub } = await paired(site, [`home-${isUnderWay}`]);
    const gate = Promise.withResolvers<void>();
    const [putHub, removeHub] = [store.putHub.bind(store), store.removeHub.bind(store)];
    if (isUnderWay) store.putHub = (entry) => gate.promise.then(() => putHub(entry));
    else store.removeHub = (fingerprint) => removeHub(fingerprint).then(() => gate.promise);
    const removedBefore = isUnderWay ? undefined : device.removeHub(hub);
    device.start();
    await until(device, () => isReady(device, hub));
    const removed = removedBefore ?? device.removeHub(hub);
    gate.resolve();
    await removed;
    await new Promise((wake) => setImmediate(wake));
    assert.deepEqual([await store.hubs(), await store.machines()], [[], []], isUnderWay ? "written" : "let in");
    assert.deepEqual([device.hubs(), device.machines()], [[], []]);
  }
});

test("coordinator: a machine that is met while it is removed does not come back", async () => {
  await using site = new TestSite();
  const { store, device, hub } = await paired(site, ["home"]);
  device.start();
  await until(device, () => isReady(device, hub));
  const gate = Promise.withResolvers<void>();
  const removeMachine = store.removeMachine.bind(store);
  store.removeMachine = (id) => removeMachine(id).then(() => gate.promise);
  const link = device.machineNamed("laptop");
  const removed = device.removeMachine(link.machine.id);
  const client = clientOf(link.dialLines());
  await client.request("unit.list", {});
  gate.resolve();
  await removed;
  await new Promise((wake) => setImmediate(wake));
  assert.deepEqual([await store.machines(), device.machines()], [[], []]);
  client.close();
});

test("coordinator: a hub that lets this device in while it is disconnected stays so", async () => {
  await using site = new TestSite();
  const { store, device, hub } = await paired(site, ["home"]);
  const gate = Promise.withResolvers<void>();
  const putHub = store.putHub.bind(store);
  store.putHub = (entry) => putHub(entry).then(() => (entry.isOff ? gate.promise : undefined));
  const off = device.disconnect(hub);
  device.start();
  await until(device, () => isReady(device, hub));
  gate.resolve();
  await off;
  await new Promise((wake) => setImmediate(wake));
  const [row] = device.hubs();
  assert.deepEqual([row!.entry.isOff, row!.state], [true, { kind: "off" }]);
  assert.equal((await store.hubs())[0]!.isOff, true);
});

test("coordinator: a way that is added to a machine while it is met stays", async () => {
  await using site = new TestSite();
  const { store, device, hub } = await paired(site, ["home"]);
  device.start();
  await until(device, () => isReady(device, hub));
  const link = device.machineNamed("laptop");
  const gate = Promise.withResolvers<void>();
  const putMachine = store.putMachine.bind(store);
  store.putMachine = (one) => putMachine(one).then(() => ("other" in one.spaces ? gate.promise : undefined));
  const added = device.addMachine({ ...link.machine, spaces: { other: new Uint8Array(32) } });
  const client = clientOf(link.dialLines());
  await client.request("unit.list", {});
  gate.resolve();
  await added;
  await new Promise((wake) => setImmediate(wake));
  for (const { spaces } of [link.machine, ...(await store.machines())])
    assert.deepEqual(Object.keys(spaces).sort(), [hub, "other"].sort());
  client.close();
});

test("coordinator: what the store refuses has not been done, and the next change is", async () => {
  await using site = new TestSite();
  const { store, device, hub } = await paired(site, ["home"]);
  device.start();
  const link = device.machineNamed("laptop");
  let closedCount = 0;
  const stream = await link.stream("primary", { onBytes() {}, onClosed: () => void closedCount++ });
  await new Promise((wake) => setImmediate(wake));
  const { putHub, removeHub } = store;
  store.putHub = store.removeHub = () => Promise.reject(new Error("the disk is full"));
  await assert.rejects(device.disconnect(hub), /disk is full/);
  await assert.rejects(device.removeHub(hub), /disk is full/);
  assert.deepEqual([isReady(device, hub), device.hub(hub)!.entry.isOff, link.liveHub], [true, undefined, hub]);
  assert.deepEqual([Object.keys(link.machine.spaces), stream.isOver, closedCount], [[hub], false, 0]);
  Object.assign(store, { putHub, removeHub });
  await device.removeHub(hub);
  assert.deepEqual([await store.hubs(), device.machines(), closedCount], [[], [], 1]);
});

test("coordinator: one of two machines of a hub takes this device off its list: the other goes on at once, and who has done so is said", async () => {
  await using site = new TestSite();
  const [home, cloud] = [await site.hub("home"), await site.hub("cloud")];
  const [laptop, desk] = [await site.machine("laptop"), await site.machine("desk")];
  const store = site.newStore();
  await site.pair(laptop, home, store);
  await site.pair(laptop, cloud, store);
  await site.pair(desk, cloud, store);
  const device = await site.device(store);
  device.start();
  const clients = ["laptop", "desk"].map((name) => clientOf(device.machineNamed(name).dialLines()));
  for (const client of clients) await client.request("unit.list", {});
  const { name } = laptop.devices()[0]!;
  await laptop.revoke(name);
  const refusalOf = (machine: string) => device.machines().find((one) => one.machine.name === machine)?.refusal;
  const asked = clients[0]!.request("unit.list", {}).catch(() => {});
  await until(device, () => refusalOf("laptop") !== undefined);
  assert.equal(((await clients[1]!.request("unit.list", {})) as unknown as { name: string }).name, "desk");
  assert.equal(refusalOf("desk"), undefined);
  const stateAt = ({ address }: { address: string }) =>
    device.hubs().find(({ entry }) => entry.addresses[0] === address)?.state.kind;
  assert.deepEqual([stateAt(home), stateAt(cloud)], ["refused", "ready"]);
  for (const client of clients) client.close();
  await asked;
});
