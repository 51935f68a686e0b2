import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { SigningKey } from "../sealing/crypto.ts";
import { decodeRecord, RECORD_KINDS } from "../sealing/record.ts";
import type { HubLimits } from "./limits.ts";
import type { HubTalk } from "./testing/hub-talk.ts";
import { testRecord } from "./testing/hub-talk.ts";
import { TestHub } from "./testing/test-hub.ts";

const DAY_MS = 86_400_000;

function directory(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "warren-hub-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

async function space(hub: TestHub) {
  const [machineKey, deviceKey] = [await hub.crypto.newSigningKey(), await hub.crypto.newSigningKey()];
  const machine = await hub.enter("machine", machineKey);
  await machine.talk.answer({ kind: "admit", request: 1, loginKey: deviceKey.publicKey });
  let request = 100;
  const put = async (
    talk: HubTalk,
    sender: SigningKey,
    one: Omit<Parameters<typeof testRecord>[1], "space" | "sender">,
  ) => {
    const record = await testRecord(hub.crypto, {
      ...one,
      space: machineKey.publicKey,
      sender: sender.publicKey,
    });
    const answer = await talk.answer({ kind: "put", request: ++request, record });
    return { record, answer: answer === "done" ? answer : answer.code };
  };
  return { machineKey, deviceKey, machine, put };
}

test("records: a device that was away gets what it missed in order, then what comes; its cursor is all that it says", async () => {
  await using hub = await TestHub.open();
  const { machineKey, deviceKey, machine, put } = await space(hub);
  const sent: Uint8Array[] = [];
  for (let seq = 1; seq <= 150; seq++) sent.push((await put(machine.talk, machineKey, { kind: "item", seq })).record);
  const first = await hub.enter("device", deviceKey);
  assert.ok(typeof first.missed === "object" && first.missed.floor === 0);
  let place = 0;
  for (const record of sent) {
    const got = await first.talk.next("record");
    assert.ok(got.place > place);
    place = got.place;
    first.talk.send({ kind: "took", place });
    assert.deepEqual(Buffer.from(got.record), Buffer.from(record));
  }
  assert.equal((first.missed as { head: number }).head, place);
  const { record } = await put(machine.talk, machineKey, { kind: "item", seq: 151 });
  const live = await first.talk.next("record");
  assert.deepEqual(Buffer.from(live.record), Buffer.from(record));
  first.wire.destroy();
  const again = await hub.enter("device", deviceKey, { cursor: live.place, isNew: false });
  assert.equal(again.missed, "nothing missed");
  await put(again.talk, deviceKey, { kind: "request", seq: 1 });
  assert.equal(again.talk.has("record"), false, "nobody gets their own records");
  assert.equal((await machine.talk.next("record")).record.length > 0, true);
  again.wire.destroy();
  const third = await hub.enter("device", deviceKey, { cursor: live.place });
  assert.equal(third.missed, "nothing missed", "nor are they missed");
  await put(machine.talk, machineKey, { kind: "item", seq: 152 });
  assert.ok((await third.talk.next("record")).place > live.place);
  assert.equal(third.talk.has("record"), false, "the machine's alone");
});

test("records: a later state takes the former one's place, an older one is refused, the same one is there already", async () => {
  await using hub = await TestHub.open();
  const { machineKey, deviceKey, machine, put } = await space(hub);
  await put(machine.talk, machineKey, { kind: "state", seq: 1 });
  const { record } = await put(machine.talk, machineKey, { kind: "state", seq: 5 });
  const other = await put(machine.talk, machineKey, { kind: "state", seq: 1, stream: 2 });
  assert.equal((await put(machine.talk, machineKey, { kind: "state", seq: 4 })).answer, "RECORD_OLD");
  assert.equal(await machine.talk.answer({ kind: "put", request: 1, record }), "done");
  assert.equal(hub.store.totals().records, 2);
  const device = await hub.enter("device", deviceKey);
  for (const wanted of [record, other.record])
    assert.deepEqual(Buffer.from((await device.talk.next("record")).record), Buffer.from(wanted));
  assert.ok(typeof device.missed === "object" && device.missed.floor === 0, "a replaced state is no gap");
});

test("records: one that is put again after a lost answer is there once", async () => {
  await using hub = await TestHub.open();
  const { machineKey, machine, put } = await space(hub);
  const { record } = await put(machine.talk, machineKey, { kind: "item", seq: 1 });
  assert.equal(await machine.talk.answer({ kind: "put", request: 1, record }), "done");
  assert.equal(hub.store.totals().records, 1);
});

test("records: of another space, another sender, a machine's kind by a device, too large, or no record at all are refused and stored nowhere", async () => {
  await using hub = await TestHub.open();
  const { machineKey, deviceKey, machine, put } = await space(hub);
  const device = await hub.enter("device", deviceKey);
  const put2 = async (record: Uint8Array): Promise<string> => {
    const answer = await device.talk.answer({ kind: "put", request: 1, record });
    return answer === "done" ? answer : answer.code;
  };
  const make = (space: Uint8Array, sender: Uint8Array) =>
    testRecord(hub.crypto, { kind: "item", space, sender, seq: 1 });
  assert.equal(await put2(await make(hub.crypto.random(32), deviceKey.publicKey)), "RECORD_REFUSED");
  assert.equal(await put2(await make(machineKey.publicKey, machineKey.publicKey)), "RECORD_REFUSED");
  for (const kind of ["state", "result", "period", "members", "head"] as const)
    assert.equal((await put(device.talk, deviceKey, { kind, seq: 1 })).answer, "RECORD_REFUSED");
  assert.equal(await put2(new Uint8Array(300)), "VERSION_UNKNOWN");
  const cut = (await make(machineKey.publicKey, deviceKey.publicKey)).slice(0, -1);
  assert.equal(await put2(cut), "FORM_INVALID");
  assert.equal(hub.store.totals().records, 0);
  assert.equal(machine.talk.has("record"), false);
});

test("records: what all have taken is forgotten, states aside; a reader whose cursor is lower sees the floor", async () => {
  await using hub = await TestHub.open();
  const { machineKey, deviceKey, machine, put } = await space(hub);
  const device = await hub.enter("device", deviceKey);
  await put(machine.talk, machineKey, { kind: "item", seq: 1 });
  await put(machine.talk, machineKey, { kind: "state", seq: 1, stream: 2 });
  await put(machine.talk, machineKey, { kind: "item", seq: 2 });
  const places = [];
  for (let count = 0; count < 3; count++) places.push((await device.talk.next("record")).place);
  device.talk.send({ kind: "took", place: places[1]! });
  await hub.clock.passSlowly(2_000);
  await hub.store.write(() => {});
  assert.equal(hub.store.totals().records, 2);
  device.talk.send({ kind: "took", place: places[2]! + 5_000_000 });
  await hub.clock.passSlowly(2_000);
  assert.equal(hub.store.totals().records, 2, "a place that was never given is not believed");
  device.wire.destroy();
  const evicted = await hub.enter("device", deviceKey, { cursor: 0 });
  assert.ok(typeof evicted.missed === "object" && evicted.missed.floor === places[0]);
});

test("records: items go after a week, states stay for a month, and both leave a floor", async () => {
  await using hub = await TestHub.open({ limits: { sweepMs: DAY_MS / 2 } });
  const { machineKey, deviceKey, machine, put } = await space(hub);
  await put(machine.talk, machineKey, { kind: "item", seq: 1 });
  await put(machine.talk, machineKey, { kind: "state", seq: 1, stream: 2 });
  machine.wire.destroy();
  await hub.clock.passSlowly(8 * DAY_MS);
  assert.equal(hub.store.totals().records, 1);
  const device = await hub.enter("device", deviceKey);
  assert.ok(typeof device.missed === "object" && device.missed.floor > 0);
  device.wire.destroy();
  await hub.clock.passSlowly(24 * DAY_MS);
  assert.deepEqual([hub.store.totals().records, hub.store.totals().bytes], [0, 0]);
});

test("records: a full space drops the machine's oldest items for a newer one, but nothing for a request; a device drops its own alone", async () => {
  const limits: Partial<HubLimits> = { spaceRecords: 200 };
  await using hub = await TestHub.open({ limits });
  const { machineKey, deviceKey, machine, put } = await space(hub);
  const device = await hub.enter("device", deviceKey);
  assert.equal((await put(device.talk, deviceKey, { kind: "item", seq: 1, stream: 9 })).answer, "done");
  for (let seq = 1; seq < 200; seq++)
    assert.equal((await put(machine.talk, machineKey, { kind: "item", seq })).answer, "done");
  assert.equal((await put(device.talk, deviceKey, { kind: "request", seq: 1 })).answer, "SPACE_FULL");
  const own = await put(device.talk, deviceKey, { kind: "item", seq: 2, stream: 9 });
  assert.equal(own.answer, "done", "in the place of its first");
  assert.equal((await put(device.talk, deviceKey, { kind: "request", seq: 1 })).answer, "SPACE_FULL");
  assert.equal((await put(machine.talk, machineKey, { kind: "item", seq: 201 })).answer, "done");
  assert.ok(hub.store.totals().records <= 200);
  assert.equal((await put(device.talk, deviceKey, { kind: "request", seq: 1 })).answer, "done", "there is room now");
  const late = await hub.enter("device", deviceKey, { cursor: 0 });
  assert.ok(typeof late.missed === "object" && late.missed.floor > 0, "what was dropped is a gap");
});

test("records: requests that the machine has taken make room, whatever other members have taken, and those of who is expelled go", async () => {
  await using hub = await TestHub.open({ limits: { spaceRecords: 10 } });
  const { machineKey, deviceKey, machine, put } = await space(hub);
  const otherKey = await hub.crypto.newSigningKey();
  await machine.talk.answer({ kind: "admit", request: 2, loginKey: otherKey.publicKey }); // and never says that it took anything
  const [device, other] = [await hub.enter("device", deviceKey), await hub.enter("device", otherKey)];
  assert.equal((await put(machine.talk, machineKey, { kind: "item", seq: 1 })).answer, "done");
  for (let seq = 1; seq < 10; seq++)
    assert.equal((await put(device.talk, deviceKey, { kind: "request", seq })).answer, "done");
  assert.equal((await put(other.talk, otherKey, { kind: "request", seq: 1 })).answer, "SPACE_FULL");
  let place = 0;
  for (let count = 0; count < 4; count++) place = (await machine.talk.next("record")).place;
  machine.talk.send({ kind: "took", place });
  await hub.clock.passSlowly(2_000);
  assert.equal((await put(other.talk, otherKey, { kind: "request", seq: 1 })).answer, "done");
  assert.equal(hub.store.totals().records, 7, "the item, five that wait, and the new one");
  await machine.talk.answer({ kind: "expel", request: 3, loginKey: deviceKey.publicKey });
  assert.equal(hub.store.totals().records, 2);
});

test("records: requests of who is thrown out, and those that the machine has taken, are missed by nobody: another's that waits below them is no gap", async () => {
  await using hub = await TestHub.open({ limits: { spaceRecords: 5 } });
  const { machineKey, deviceKey, machine, put } = await space(hub);
  const otherKey = await hub.crypto.newSigningKey();
  await machine.talk.answer({ kind: "admit", request: 2, loginKey: otherKey.publicKey });
  await put(machine.talk, machineKey, { kind: "item", seq: 1 }); // nobody says that it took it
  machine.wire.destroy();
  const [device, other] = [await hub.enter("device", deviceKey), await hub.enter("device", otherKey)];
  const waiting = await put(other.talk, otherKey, { kind: "request", seq: 1 });
  assert.equal((await put(device.talk, deviceKey, { kind: "request", seq: 1 })).answer, "done");
  await hub.hub.members.remove(deviceKey.publicKey);
  assert.equal(hub.store.totals().records, 2);
  const back = await hub.enter("machine", machineKey);
  assert.ok(typeof back.missed === "object" && back.missed.floor === 0, "nothing is missed");
  const { place, record } = await back.talk.next("record");
  assert.deepEqual(Buffer.from(record), Buffer.from(waiting.record));
  back.talk.send({ kind: "took", place });
  await hub.clock.passSlowly(2_000);
  for (let seq = 1; seq <= 3; seq++)
    assert.equal((await put(back.talk, machineKey, { kind: "state", seq, stream: seq })).answer, "done");
  assert.equal((await put(back.talk, machineKey, { kind: "state", seq: 4, stream: 4 })).answer, "done");
  assert.equal(hub.store.totals().records, 5, "in the place of the one that was taken");
  const again = await hub.enter("device", otherKey);
  assert.ok(typeof again.missed === "object" && again.missed.floor === 0);
});

test("records: a request waits for its machine, also where items that came later have gone to make room", async () => {
  await using hub = await TestHub.open({ limits: { spaceRecords: 5 } });
  const { machineKey, deviceKey, machine, put } = await space(hub);
  const device = await hub.enter("device", deviceKey);
  const waiting = await put(device.talk, deviceKey, { kind: "request", seq: 1 });
  for (let seq = 1; seq <= 80; seq++)
    assert.equal((await put(machine.talk, machineKey, { kind: "item", seq })).answer, "done");
  machine.wire.destroy(); // and has taken nothing
  const back = await hub.enter("machine", machineKey);
  const { head, floor } = back.missed as { head: number; floor: number };
  assert.ok(floor < head, "a reader takes it that nothing is there where they are the same");
  const { record } = await back.talk.next("record");
  assert.deepEqual(Buffer.from(record), Buffer.from(waiting.record));
});

for (const when of ["before", "after"])
  test(`records: what who is thrown out has left last holds nothing back: the others' are forgotten when all have taken them, ${when} that`, async () => {
    await using hub = await TestHub.open();
    const { machineKey, deviceKey, machine, put } = await space(hub);
    const otherKey = await hub.crypto.newSigningKey();
    await machine.talk.answer({ kind: "admit", request: 2, loginKey: otherKey.publicKey });
    for (const seq of [1, 2]) await put(machine.talk, machineKey, { kind: "item", seq });
    machine.wire.destroy();
    const [device, other] = [await hub.enter("device", deviceKey), await hub.enter("device", otherKey)];
    assert.equal((await put(device.talk, deviceKey, { kind: "request", seq: 1 })).answer, "done");
    if (when === "after") await hub.hub.members.remove(deviceKey.publicKey);
    let place = 0;
    for (let count = 0; count < 2; count++) place = (await other.talk.next("record")).place;
    other.talk.send({ kind: "took", place });
    await hub.clock.passSlowly(2_000);
    await hub.store.write(() => {});
    if (when === "before") await hub.hub.members.remove(deviceKey.publicKey);
    assert.equal(hub.store.totals().records, 0);
  });

test("records: a put that is refused as too much has pushed nothing out", async () => {
  await using hub = await TestHub.open({ limits: { spaceBytes: 3_000 } });
  const { machineKey, machine, put } = await space(hub);
  assert.equal((await put(machine.talk, machineKey, { kind: "item", seq: 1 })).answer, "done");
  const text = new Uint8Array(900);
  assert.equal((await put(machine.talk, machineKey, { kind: "state", seq: 1, text })).answer, "done");
  const before = hub.store.totals();
  const large = new Uint8Array(2_500);
  assert.equal((await put(machine.talk, machineKey, { kind: "item", seq: 2, text: large })).answer, "SPACE_FULL");
  assert.deepEqual(hub.store.totals(), before);
});

test("records: a full space of states is SPACE_FULL by bytes too, and a state that replaces one still fits", async () => {
  await using hub = await TestHub.open({ limits: { spaceBytes: 2_000 } });
  const { machineKey, machine, put } = await space(hub);
  const text = new Uint8Array(600);
  assert.equal((await put(machine.talk, machineKey, { kind: "state", seq: 1, text })).answer, "done");
  assert.equal((await put(machine.talk, machineKey, { kind: "state", seq: 1, stream: 2, text })).answer, "done");
  assert.equal((await put(machine.talk, machineKey, { kind: "state", seq: 1, stream: 3, text })).answer, "SPACE_FULL");
  assert.equal((await put(machine.talk, machineKey, { kind: "state", seq: 2, text })).answer, "done");
});

test("records: one reader that sleeps has them wait in the store, not in memory, and the others get theirs", async () => {
  await using hub = await TestHub.open({ limits: { socketBytes: 20_000, unreadBytes: 60_000 } });
  const { machineKey, deviceKey, machine, put } = await space(hub);
  const otherKey = await hub.crypto.newSigningKey();
  await machine.talk.answer({ kind: "admit", request: 2, loginKey: otherKey.publicKey });
  const [asleep, awake] = [await hub.enter("device", deviceKey), await hub.enter("device", otherKey)];
  asleep.wire.isAsleep = true;
  const text = new Uint8Array(5_000);
  for (let seq = 1; seq <= 40; seq++) await put(machine.talk, machineKey, { kind: "item", seq, text });
  for (let count = 0; count < 40; count++) {
    const { place } = await awake.talk.next("record");
    awake.talk.send({ kind: "took", place });
  }
  assert.equal(asleep.wire.isClosed, false);
  assert.ok(asleep.wire.unsentBytes < 30_000, String(asleep.wire.unsentBytes));
  asleep.wire.isAsleep = false;
  asleep.wire.flush();
  let place = 0;
  for (let count = 0; count < 40; count++) {
    const got = await asleep.talk.next("record");
    assert.ok(got.place > place, "in order, each once");
    place = got.place;
    asleep.talk.send({ kind: "took", place });
  }
});

test("records: the states of former periods go when the machine has put them anew under a later key, and not before", async () => {
  await using hub = await TestHub.open();
  const { machineKey, deviceKey, machine, put } = await space(hub);
  const puts = (kind: "state" | "head", period: number, ...streams: number[]) =>
    Promise.all(
      streams.map(async (stream) => (await put(machine.talk, machineKey, { kind, seq: 1, period, stream })).record),
    );
  const stored = async (): Promise<string[]> => {
    const { talk, wire } = await hub.enter("device", deviceKey);
    talk.send({ kind: "ping", token: 1 });
    await talk.next("pong");
    const periods: string[] = [];
    while (talk.has("record")) {
      const { kind, period } = decodeRecord((await talk.next("record")).record);
      periods.push(`${kind === RECORD_KINDS.state ? "state" : "head"} ${period}`);
    }
    wire.destroy();
    return periods.sort();
  };
  await puts("state", 250, 1, 2, 3);
  await puts("head", 250, 9);
  await puts("state", 300, 4, 5);
  assert.equal((await stored()).length, 6);
  await puts("head", 300, 10);
  assert.deepEqual(await stored(), ["head 250", "head 300", "state 300", "state 300"]);
  await puts("state", 250, 1);
  await puts("head", 300, 11);
  assert.ok((await stored()).includes("state 250"), "once for each period");
  assert.equal(hub.store.totals().records, 6);
});

test("records: who takes none, and came for something else, is sent a few and not the whole store", async () => {
  await using hub = await TestHub.open({ limits: { firstRecordBytes: 10_000, untakenBytes: 40_000 } });
  const { machineKey, deviceKey, machine, put } = await space(hub);
  const text = new Uint8Array(1_000);
  for (let seq = 1; seq <= 100; seq++) await put(machine.talk, machineKey, { kind: "item", seq, text });
  const { talk } = await hub.enter("device", deviceKey);
  const places: number[] = [];
  const arrived = async (): Promise<number> => {
    talk.send({ kind: "ping", token: 1 });
    await talk.next("pong"); // behind all that was sent before
    while (talk.has("record")) places.push((await talk.next("record")).place);
    return places.length;
  };
  const few = await arrived();
  assert.ok(few > 0 && few < 15, String(few));
  await put(machine.talk, machineKey, { kind: "item", seq: 101, text });
  assert.equal(await arrived(), few, "nor what comes now");
  for (let count = few; count < 101; ) {
    talk.send({ kind: "took", place: places.at(-1)! });
    const now = await arrived();
    assert.ok(now > count && now - count < 45, `${count} ${now}`);
    count = now;
  }
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
});

test("store: what was answered is there after a restart, and a hub that was put back to an old state says so by a gap", async () => {
  using dir = directory();
  const path = join(dir.path, "hub.db");
  const before = await TestHub.open({ path });
  const { machineKey, deviceKey, machine, put } = await space(before);
  await put(machine.talk, machineKey, { kind: "item", seq: 1 });
  const early = await before.enter("device", deviceKey);
  const old = (await early.talk.next("record")).place;
  await before.close();
  const backup = `${dir.path}/backup.db`;
  cpSync(path, backup);
  const { key } = before;
  const atMs = before.clock.wallMs();

  const between = await TestHub.open({ path, key, atMs: atMs + 60_000 });
  const device = await between.enter("device", deviceKey, { cursor: old });
  assert.equal(device.missed, "nothing missed", "a restart is no gap");
  const again = await between.enter("machine", machineKey);
  const record = await testRecord(between.crypto, {
    kind: "item",
    space: machineKey.publicKey,
    sender: machineKey.publicKey,
    seq: 2,
  });
  assert.equal(await again.talk.answer({ kind: "put", request: 1, record }), "done");
  const newer = (await device.talk.next("record")).place;
  assert.ok(newer > old);
  await between.close();

  for (const name of readdirSync(dir.path)) if (name !== "backup.db") rmSync(join(dir.path, name));
  cpSync(backup, path);
  await using restored = await TestHub.open({ path, key, atMs: atMs + 120_000 });
  const known = await restored.enter("device", deviceKey, { cursor: old });
  assert.equal(known.missed, "nothing missed", "a cursor from before the backup says nothing");
  const lost = await restored.enter("device", deviceKey, { cursor: newer });
  assert.ok(typeof lost.missed === "object" && lost.missed.floor > newer, "what came after the backup is a gap");
  assert.equal(lost.missed.head, lost.missed.floor);
  const mended = await restored.enter("device", deviceKey, { cursor: lost.missed.head });
  assert.equal(mended.missed, "nothing missed");
  const ahead = await restored.enter("device", deviceKey, { cursor: Number.MAX_SAFE_INTEGER - 5 });
  assert.ok(typeof ahead.missed === "object" && ahead.missed.floor > Number.MAX_SAFE_INTEGER - 5);
  assert.ok((await ahead.talk.next("record")).place === old, "everything that there is comes again");
});

test("store: nothing of a record's text and no secret of an invitation is in its files, nor in the log", async () => {
  using dir = directory();
  const hub = await TestHub.open({ path: join(dir.path, "hub.db") });
  const { machineKey, machine, put } = await space(hub);
  const canary = "the-canary-that-sings";
  await put(machine.talk, machineKey, { kind: "item", seq: 1, text: canary });
  const invitation = hub.crypto.random(16);
  await hub.store.write(() => hub.store.roster.addInvitation(invitation, "laptop", { nowMs: hub.clock.wallMs() }));
  const files = readdirSync(dir.path).map((name) => readFileSync(join(dir.path, name)));
  await hub.close();
  const all = Buffer.concat([...files, Buffer.from(hub.lines.join("\n"))]);
  assert.ok(all.includes(Buffer.from(machineKey.publicKey)), "it is the right file");
  for (const secret of [
    Buffer.from(canary),
    Buffer.from(invitation),
    Buffer.from(Buffer.from(invitation).toString("hex")),
  ])
    assert.equal(all.includes(secret), false);
});

test("store: what still comes for a space that was removed is refused, and fails nobody else's", async () => {
  await using hub = await TestHub.open();
  const { machineKey, deviceKey, machine } = await space(hub);
  const otherKey = await hub.crypto.newSigningKey();
  const record = await testRecord(hub.crypto, {
    kind: "item",
    space: machineKey.publicKey,
    sender: machineKey.publicKey,
    seq: 1,
  });
  // One batch: the second goes to a space that the first has removed.
  const removed = hub.hub.members.remove(machineKey.publicKey);
  assert.ok(machine.wire.isClosed, "it is cut off before it is written down, however much it sends");
  const { roster, archive } = hub.store;
  const [membership] = roster.memberships("machine", machineKey.publicKey);
  const late = { space: membership!.space, head: decodeRecord(record), bytes: record, isMachine: true, nowMs: 0 };
  const puts = assert.rejects(
    hub.store.write(() => archive.put(late)),
    { code: "EXPELLED" },
  );
  const admits = hub.store.write(() => roster.admit(late.space, deviceKey.publicKey, 0));
  const others = hub.store.write(() => roster.addMachine(otherKey.publicKey, undefined, 0));
  await assert.rejects(admits, { code: "EXPELLED" });
  await puts;
  assert.equal(await removed, true);
  await others;
  assert.equal(roster.memberships("machine", otherKey.publicKey).length, 1);
});

test("store: when the disk fails nothing is answered done, and the hub is told to end", async () => {
  await using hub = await TestHub.open();
  const { HubStore } = await import("./store.ts");
  const { HUB_LIMITS } = await import("./limits.ts");
  let fails = false;
  const told: unknown[] = [];
  const store = new HubStore({
    path: ":memory:",
    limits: HUB_LIMITS,
    nowMs: hub.clock.wallMs(),
    onBroken: (error) => told.push(error),
    sync: async () => {
      if (fails) throw new Error("EIO");
    },
  });
  await store.write(() => store.roster.addMachine(new Uint8Array(32), undefined, 1));
  fails = true;
  const work = store.write(() => store.roster.addMachine(new Uint8Array(32).fill(1), undefined, 1));
  await assert.rejects(work, { code: "HUB_NOT_STORED" });
  assert.equal(told.length, 1);
  await store.close();
});

test("store: many at once are few transactions, and one that is refused leaves the others alone", async () => {
  await using hub = await TestHub.open();
  const { HubStore } = await import("./store.ts");
  const { HUB_LIMITS } = await import("./limits.ts");
  let syncs = 0;
  const limits = { ...HUB_LIMITS, spaces: 50 };
  const sync = async (): Promise<void> => void syncs++;
  const store = new HubStore({
    path: ":memory:",
    limits,
    nowMs: hub.clock.wallMs(),
    onBroken: () => assert.fail(),
    sync,
  });
  const keys = Array.from({ length: 60 }, (_, at) => new Uint8Array(32).fill(at));
  const all = await Promise.allSettled(
    keys.map((key) => store.write(() => store.roster.addMachine(key, undefined, 1))),
  );
  assert.equal(all.filter(({ status }) => status === "fulfilled").length, 50);
  assert.equal(store.totals().spaces, 50);
  assert.ok(syncs <= 2, String(syncs));
  await store.close();
});
