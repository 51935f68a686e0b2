import assert from "node:assert/strict";
import { copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { testRecord } from "../src/hub/testing/hub-talk.ts";
import { isWarrenError } from "../src/protocol/errors.ts";
import { RecordsSite } from "../src/remote/records/testing/records-site.ts";
import type { SigningKey } from "../src/sealing/crypto.ts";
import { decodePairingCode, encodePairingCode } from "../src/sealing/pairing-code.ts";
import { decodeRecord } from "../src/sealing/record.ts";
import type { UnitRow } from "../src/sealing/unit-row.ts";
import { webCrypto } from "../src/sealing/webcrypto.ts";
import { needsRoot, smallDisk } from "./harness/faults.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { type Entered, HubHouse } from "./harness/hub-house.ts";
import { Pocket } from "./harness/remote-capture/pocket.ts";
import { Tap } from "./harness/remote-capture/tap.ts";
import { World } from "./harness/remote-sim/world.ts";
import { showCode } from "./harness/shown-code.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** What goes wrong around hubs, machines and devices, made to: real processes where it is about processes, the real code on virtual time where it is about time. */
const crypto = webCrypto();
const isProof = process.env.WARREN_PROOF === "1";
const DAY_MS = 24 * 60 * 60 * 1_000;

const ALL = "view,type,approve,admin";

async function paired(house: TemporaryHome, address: string, phone = new Pocket("phone")): Promise<Pocket> {
  const { code, pairing } = await showCode(house, address, { scopes: ALL });
  await phone.join(code);
  assert.equal((await pairing.ended).status, 0);
  return phone;
}

test("faults: codes that are cut, expired, oversized, foreign, of another version or without a hub are refused by name, and leave nothing", async () => {
  await using hub = await HubHouse.open();
  await using desk = temporaryHome();
  const { code, pairing } = await showCode(hub.house, hub.address, { scopes: ALL });
  const read = decodePairingCode(code, { nowSeconds: Date.now() / 1_000, isLocal: true });
  const bare = code.slice("warren://pair?".length);
  const expired = encodePairingCode({ ...read, expires: Math.floor(Date.now() / 1_000) - 1 }).warren;
  const cases: Record<string, string> = {
    [code.slice(0, -20)]: "CODE_CUT",
    [expired]: "CODE_EXPIRED",
    [code + "A".repeat(2_000)]: "CODE_TOO_LONG",
    "https://example.com/login": "CODE_FOREIGN",
    "warren://pair?key=abc&server=https://example.com": "CODE_FOREIGN",
    "warren://pair?key=abc": "CODE_WITHOUT_HUB",
    [`warren://pair?AI${bare.slice(2)}`]: "CODE_VERSION",
  };
  for (const [text, wanted] of Object.entries(cases)) {
    const { status, stdout, stderr } = await desk.warren(["pair", text, "--yes", "--json"]);
    const { code: got, error, fix } = JSON.parse(stdout || stderr) as { code: string; error: string; fix?: string };
    const isNone = ["CODE_CUT", "CODE_TOO_LONG", "CODE_FOREIGN"].includes(wanted);
    assert.deepEqual([got, status], [wanted, isNone ? 2 : 125], text.slice(0, 60));
    assert.ok(error.endsWith(".") && !error.includes(bare.slice(20, 60)) && fix !== "", error);
  }
  assert.equal(existsSync(join(desk.places.remoteDir, "device")), false, "nothing is kept");
  assert.equal((await hub.status()).connections.guests, 0);
  const joined = await desk.warren(["pair", code, "--yes", "--json"]);
  assert.equal(joined.status, 0, `it is good still: ${joined.stdout}${joined.stderr}`);
  assert.equal((await pairing.ended).status, 0);
});

test("faults: a version that is not known is said to be that, whichever end is the newer one", async () => {
  await using hub = await HubHouse.open();
  const upgrade = `GET /hub/v2 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
  assert.match(await saidTo(hub.facts.port, upgrade), /^HTTP\/1\.1 404/);
  const newer = await hub.connect();
  newer.talk.sendBytes(Uint8Array.of(9, 1, 2, 3));
  const { code, sentence } = await newer.talk.next("refused");
  assert.equal(code, "FRAME_INVALID");
  assert.match(sentence, /kind 9 is unknown/);
  const key = await crypto.newSigningKey();
  const { talk } = await hub.enter("machine", key);
  const record = await testRecord(crypto, { kind: "item", space: key.publicKey, sender: key.publicKey, seq: 1 });
  record[0] = 2;
  const answer = await talk.answer({ kind: "put", request: 1, record });
  assert.equal(answer !== "done" && answer.code, "VERSION_UNKNOWN");

  await using house = temporaryHome();
  const later = createServer((_request, response) => void response.writeHead(404).end());
  later.listen(0, "127.0.0.1");
  await new Promise((resolve) => later.once("listening", resolve));
  const { port } = later.address() as AddressInfo;
  const { status, stderr } = await house.warren(["pair", "--hub", `http://127.0.0.1:${port}`, "--yes"]);
  later.close();
  assert.equal(status, 125);
  assert.match(stderr, /no hub of Warren, or one of another version/);
});

/** What is answered to these bytes, up to the end. */
function saidTo(port: number, text: string): Promise<string> {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => {}); // a close follows
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

for (const who of ["machine", "device", "hub"] as const)
  test(`faults: a clock that is wrong by a day, the ${who}'s: what is asked is done, pairing says that the clocks differ, and who is revoked stays out`, async () => {
    for (const offsetMs of [-DAY_MS, DAY_MS]) {
      await using world = await World.open({ seed: 7, hubs: 1 });
      const [machine, device, hub] = [world.machines[0]!, world.devices[0]!, world.hubs[0]!];
      await world.pair(device, machine, hub);
      await world.finish(device.start());
      const ask = async (number: number) => {
        const { outbox } = device.coordinator!;
        const item = await outbox!.add({ machine: await idOf(), type: "stop", payload: { number } });
        return item.id;
      };
      const idOf = async (): Promise<string> => (await device.store.machines())[0]!.id;
      const isDone = (number: number): boolean => machine.effects.some((effect) => effect.number === number);
      await world.finish(ask(1));
      await world.time.runUntil(world.time.nowMs + 60_000, () => isDone(1));
      ({ machine, device, hub })[who].wall.offsetMs = offsetMs;
      world.network.cut();
      await world.finish(ask(2));
      await world.time.runUntil(world.time.nowMs + 120_000, () => isDone(2));
      assert.deepEqual(
        machine.effects.map(({ number }) => number),
        [1, 2],
      );
      await assertPairs(world, { who, offsetMs });
      await world.finish(machine.remote!.revoke("device0"));
      await world.finish(ask(3));
      await world.time.runUntil(world.time.nowMs + 120_000);
      assert.equal(isDone(3), false, "revoked is revoked");
    }
  });

/** The second device: a hub's clock does not matter; where the two others differ by a day, it is said. */
async function assertPairs(world: World, { who, offsetMs }: { who: string; offsetMs: number }): Promise<void> {
  const pairing = world.pair(world.devices[1]!, world.machines[0]!, world.hubs[0]!);
  if (who === "hub") return pairing;
  const isDeviceAhead = (who === "device") === offsetMs > 0;
  if (who === "device") return pairing; // it is the first one's clock that is wrong
  await assert.rejects(pairing, { code: isDeviceAhead ? "CODE_EXPIRED" : "CODE_CLOCK_WRONG" });
}

test("faults: a hub that is killed again and again has what it has confirmed, each once", async () => {
  await using hub = await HubHouse.open();
  const [machineKey, deviceKey] = [await crypto.newSigningKey(), await crypto.newSigningKey()];
  const confirmed = new Set<number>();
  let seq = 0;
  for (let round = 0; round < (isProof ? 100 : 10); round++) {
    const machine = await hub.enter("machine", machineKey);
    assert.equal(await machine.talk.answer({ kind: "admit", request: 0, loginKey: deviceKey.publicKey }), "done");
    const batch = await Promise.all(Array.from({ length: 60 }, () => itemOf(machineKey, ++seq)));
    for (const { seq: number, bytes } of batch) machine.talk.send({ kind: "put", request: number, record: bytes });
    // The kill comes while the rest is being written.
    for (let count = 0; count < 5 + ((round * 7) % 50); count++)
      confirmed.add((await machine.talk.next("done")).request);
    hub.running.child.kill("SIGKILL");
    await hub.running.ended;
    await machine.talk.closed;
    while (machine.talk.has("done")) confirmed.add((await machine.talk.next("done")).request);
    const kept = keptBy(hub);
    assert.equal(new Set(kept).size, kept.length, "none twice");
    for (const number of confirmed) assert.ok(kept.includes(number), `round ${round}: ${number} was confirmed`);
    seq = kept.at(-1)!;
    await hub.start();
  }
  assert.ok(confirmed.size > 200, `${confirmed.size}`);
});

async function itemOf(key: SigningKey, seq: number, text = ""): Promise<{ seq: number; bytes: Uint8Array }> {
  const { publicKey } = key;
  return { seq, bytes: await testRecord(crypto, { kind: "item", space: publicKey, sender: publicKey, seq, text }) };
}

/** The numbers of the records in its store, in the order of places. */
function keptBy({ database }: HubHouse): number[] {
  const store = new DatabaseSync(database, { readOnly: true });
  try {
    const rows = store.prepare("select bytes from records order by place").all() as { bytes: Uint8Array }[];
    return rows.map(({ bytes }) => decodeRecord(bytes).seq);
  } finally {
    store.close();
  }
}

test(
  "faults: a hub whose disk is full says so to whoever writes, passes on what is live, and goes on when there is room",
  {
    skip: needsRoot(),
  },
  async () => {
    using disk = smallDisk(24 * 1024 * 1024);
    await using hub = await HubHouse.open({ home: join(disk.path, "home") });
    const [machineKey, deviceKey] = [await crypto.newSigningKey(), await crypto.newSigningKey()];
    const machine = await hub.enter("machine", machineKey);
    await machine.talk.answer({ kind: "admit", request: 0, loginKey: deviceKey.publicKey });
    const device = await hub.enter("device", deviceKey);
    const confirmed: number[] = [];
    const put = async (seq: number): Promise<string> => {
      const text = "x".repeat(40_000);
      const answer = await machine.talk.answer({
        kind: "put",
        request: seq,
        record: (await itemOf(machineKey, seq, text)).bytes,
      });
      if (answer === "done") confirmed.push(seq);
      return answer === "done" ? answer : `${answer.code} ${answer.fix}`;
    };
    for (let seq = 1; seq <= 10; seq++) assert.equal(await put(seq), "done");
    disk.fill();
    let refused = "";
    for (let seq = 11; seq < 400 && refused === ""; seq++) {
      const said = await put(seq);
      if (said !== "done") refused = said;
    }
    assert.match(refused, /^HUB_NOT_STORED .*df -h/);
    const another = await machine.talk.answer({ kind: "admit", request: 900, loginKey: crypto.random(32) });
    assert.equal(another !== "done" && another.code, "HUB_NOT_STORED");
    await passesOn(machine, device, machineKey.publicKey);
    const guest = await hub.enter("guest", await crypto.newSigningKey());
    assert.equal(guest.missed, "nothing missed", "who writes nothing is let in");
    disk.drain();
    await waitUntil(async () => (await put(500)) === "done", { what: "it stores again", everyMs: 50 });
    await hub.end("SIGKILL");
    assert.deepEqual(keptBy(hub), confirmed);
    await hub.start();
    assert.equal((await hub.enter("device", deviceKey)).talk.isClosed, false);
  },
);

async function passesOn(machine: Entered, device: Entered, space: Uint8Array): Promise<void> {
  device.talk.send({ kind: "open", channel: 1, space });
  const { channel } = await machine.talk.next("opened");
  device.talk.send({ kind: "data", channel: 1, bytes: Uint8Array.of(7) });
  assert.deepEqual([...(await machine.talk.next("data")).bytes], [7]);
  machine.talk.send({ kind: "close", channel, reason: "done" });
  await device.talk.next("close");
}

/** A lying hub is found out sooner, so that the test is over sooner. */
const IMPATIENT = {
  silenceMs: 700,
  pongMs: 700,
  contactMs: 2_000,
  answerMs: 2_000,
  handshakeMs: 2_000,
  patienceMs: 3_000,
};

test("faults: a hub that drops every second message makes what is asked late or fail by name, never wrong and never twice", async () => {
  await using hub = await HubHouse.open();
  using tap = await Tap.before(hub.facts.port);
  await using house = temporaryHome();
  using phone = await paired(house, tap.address, new Pocket("phone", IMPATIENT));
  await phone.open();
  const { outbox } = phone.coordinator;
  const machine = phone.link.machine.id;
  const mark = (name: string) => ({
    command: ["sh", "-c", `echo ${name} >> done`],
    name,
    workdir: house.dir,
    env: ["PATH=/usr/bin:/bin"],
  });
  const names: string[] = [];
  for (const direction of ["to hub", "from hub"] as const) {
    await phone.client().request("list", {}); // a session stands
    let count = 0;
    let dropped = 0;
    tap.passes = (message) => {
      if (message.direction !== direction || ++count % 2 === 1) return true;
      dropped += 1;
      return false;
    };
    for (let number = 0; number < 3; number++) {
      const name = `${direction.replace(" ", "-")}-${number}`;
      names.push(name);
      await outbox!.add({ machine, type: "add", payload: mark(name) });
    }
    const asked = phone.client().request("list", {});
    const answer = await asked.then(
      ({ jobs }) => jobs.every((job) => names.includes(job.name ?? "")),
      (error: unknown) => isWarrenError(error),
    );
    assert.equal(answer, true, "an answer, or a name of what is wrong");
    assert.ok(dropped >= 2, `${dropped} messages were lost`);
    tap.passes = () => true;
    for (const { entry } of phone.coordinator.hubs()) await phone.coordinator.connect(entry.fingerprint); // as a person does
    await waitUntil(() => outbox!.items().every(({ state }) => state.kind === "done"), {
      what: `everything is done: ${outbox!.items().map(({ state }) => JSON.stringify(state))}`,
      deadlineMs: 60_000,
    });
  }
  const lines = (): string[] => readFileSync(join(house.dir, "done"), "utf8").trim().split("\n").sort();
  await waitUntil(() => lines().length >= names.length, { what: "the jobs' work" });
  assert.deepEqual(lines(), names.sort());
});

test("faults: a hub whose store was put back tells of a gap, and who was paired since is let in again, and who was revoked is thrown out again", async () => {
  await using hub = await HubHouse.open();
  await using house = temporaryHome();
  using phone = await paired(house, hub.address);
  using lost = await paired(house, hub.address, new Pocket("lost"));
  await phone.open();
  await house.warren(["add", "--name", "web", "--", "sleep", "1000"]);
  await waitUntil(() => phone.rows.has("web"), { what: "the row of web" });
  await hub.end("SIGTERM");
  const copy = `${hub.database}.copy`;
  copyFileSync(hub.database, copy);
  await hub.start();
  await waitUntil(() => phone.coordinator.hubs()[0]!.state.kind === "ready", { what: "the hub is back" });
  using tablet = await paired(house, hub.address, new Pocket("tablet"));
  const { status, stderr } = await house.warren(["devices", "revoke", "lost"]);
  assert.equal(status, 0, stderr);
  await house.warren(["add", "--name", "db", "--", "sleep", "1000"]);
  await waitUntil(() => phone.rows.has("db"), { what: "the row of db" });
  await hub.end("SIGKILL");
  copyFileSync(copy, hub.database);
  for (const end of ["-wal", "-shm"]) rmSync(`${hub.database}${end}`, { force: true });
  await hub.start();
  await waitUntil(() => /cursor_not_given_here/.test(readFileSync(hub.house.places.hubLog, "utf8")), {
    what: "a gap is told",
  });
  await house.warren(["add", "--name", "after", "--", "sleep", "1000"]);
  await waitUntil(() => phone.rows.has("after"), { what: "the row of after" });
  for (const known of [phone, tablet]) {
    if (known === tablet) await tablet.open();
    const { jobs } = await known.client().request("list", {});
    assert.deepEqual(jobs.map(({ name }) => name).sort(), ["after", "db", "web"]);
  }
  assert.equal((await hub.status()).devices, 2, "thrown out by the machine, again");
  await lost.open();
  await assert.rejects(lost.client().request("list", {}), { code: "DEVICE_REFUSED" });
  const { state } = lost.coordinator.hubs()[0]!;
  assert.match(state.kind === "refused" ? state.error.code : state.kind, /^(DEVICE_UNKNOWN|KEY_NOT_KNOWN)$/);
});

test("faults: of 20,000 units 500 are told, those that need somebody first, and the list of the others is not lost", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  const row = (index: number): UnitRow => ({
    id: `u${index}`,
    kind: "job",
    name: `job ${index}`,
    state: index % 1_000 === 999 ? "needs_you" : "running",
    since: new Date(Date.UTC(2026, 0, 1) + index * 1_000).toISOString(),
  });
  await site.rows(Array.from({ length: 20_000 }, (_, index) => row(index)));
  await site.pass(4_000);
  await phone.fetch();
  const units = phone.units();
  assert.equal(Object.keys(units).length, 500);
  assert.equal(Object.values(units).filter((state) => state === "needs_you").length, 20);
  assert.equal(units.u19998, "running", "the youngest");
  assert.equal(units.u0, undefined);
  assert.deepEqual([await phone.gaps(), phone.refused], [[], []]);
});

test("faults: idle connections by the hundred, in a proof by the thousand, are held and answered", async () => {
  await using hub = await HubHouse.open();
  const wanted = isProof ? 3_900 : 300;
  const keys = await Promise.all(Array.from({ length: Math.ceil(wanted / 16) }, () => crypto.newSigningKey()));
  const all: Entered[] = [];
  while (all.length < wanted) all.push(await hub.enter("machine", keys[all.length % keys.length]!));
  assert.equal((await hub.status()).connections.machines, wanted);
  for (const { talk } of all) talk.send({ kind: "ping", token: 1 });
  for (const { talk } of all) assert.equal((await talk.next("pong")).token, 1);
  for (const { socket } of all) socket.close();
  await waitUntil(async () => (await hub.status()).connections.machines === 0, { what: "all are gone", everyMs: 50 });
});

test("faults: a hub on localhost is there by both of its addresses, on one port", async () => {
  await using hub = await HubHouse.open({ args: ["--host", "localhost"] });
  const key = await crypto.newSigningKey();
  for (const host of ["127.0.0.1", "[::1]"]) {
    const { missed, talk } = await hub.enter("machine", key, { host });
    assert.equal(missed, "nothing missed", host);
    talk.send({ kind: "ping", token: 5 });
    assert.equal((await talk.next("pong")).token, 5);
  }
});
