import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame } from "../sealing/frames.ts";
import { makeLogin } from "../sealing/login.ts";
import { HUB_LIMITS } from "./limits.ts";
import { type OwnerOptions, ownerAnswers } from "./owner.ts";
import { testRecord } from "./testing/hub-talk.ts";
import { TestHub } from "./testing/test-hub.ts";

/** A machine with one device that is admitted, both connected. */
async function pair(test: TestHub) {
  const [machineKey, deviceKey] = [await test.crypto.newSigningKey(), await test.crypto.newSigningKey()];
  const machine = await test.enter("machine", machineKey);
  assert.equal(await machine.talk.answer({ kind: "admit", request: 1, loginKey: deviceKey.publicKey }), "done");
  const device = await test.enter("device", deviceKey);
  return { machineKey, deviceKey, machine, device, space: machineKey.publicKey };
}

test("login: a machine comes in by the fingerprint of its key once it is known, and nothing missed is told in the signature alone", async () => {
  await using hub = await TestHub.open();
  const key = await hub.crypto.newSigningKey();
  assert.equal((await hub.enter("machine", key)).missed, "nothing missed");
  assert.equal((await hub.enter("machine", key, { isNew: false })).missed, "nothing missed");
  const stranger = await hub.crypto.newSigningKey();
  await assert.rejects(hub.enter("machine", stranger, { isNew: false }), /KEY_NOT_KNOWN/);
});

test("login: one that is replayed, signed for another hub, or in another role is refused", async () => {
  await using hub = await TestHub.open();
  const { deviceKey } = await pair(hub);
  const { crypto, key } = hub;
  const first = hub.connect();
  const { nonce: hubNonce } = await first.talk.next("hello");
  const wanted = { hubKey: key.publicKey, hubNonce, key: deviceKey, cursor: 0 };
  const { login } = await makeLogin(crypto, { ...wanted, role: "device" });
  first.talk.send({ kind: "login", ...login });
  await first.talk.next("welcome");
  const replay = hub.connect();
  replay.talk.send({ kind: "login", ...login });
  assert.equal(await replay.talk.refusal(), "LOGIN_REFUSED");
  const elsewhere = hub.connect();
  const other = await crypto.newSigningKey();
  const { login: forOther } = await makeLogin(crypto, {
    ...wanted,
    hubNonce: (await elsewhere.talk.next("hello")).nonce,
    hubKey: other.publicKey,
    role: "device",
  });
  elsewhere.talk.send({ kind: "login", ...forOther });
  assert.equal(await elsewhere.talk.refusal(), "LOGIN_REFUSED");
  const raised = hub.connect();
  const { login: asDevice } = await makeLogin(crypto, {
    ...wanted,
    hubNonce: (await raised.talk.next("hello")).nonce,
    role: "device",
    isNew: true,
  });
  raised.talk.send({ kind: "login", ...asDevice, role: "machine" });
  assert.equal(await raised.talk.refusal(), "LOGIN_REFUSED");
  await assert.rejects(hub.enter("device", other), /DEVICE_UNKNOWN/);
});

test("login: without an invitation a hub that is not open admits no machine; an invitation is good once, and for ten minutes", async () => {
  await using hub = await TestHub.open({ isOpen: false });
  const [one, two, three] = await Promise.all([1, 2, 3].map(() => hub.crypto.newSigningKey()));
  await assert.rejects(hub.enter("machine", one!), /MACHINE_NOT_INVITED/);
  const invitation = hub.crypto.random(16);
  const late = hub.crypto.random(16);
  const nowMs = hub.clock.wallMs();
  await hub.store.write(() => hub.store.roster.addInvitation(invitation, "laptop", { nowMs }));
  await hub.store.write(() => hub.store.roster.addInvitation(late, undefined, { nowMs }));
  const both = await Promise.allSettled([
    hub.enter("machine", one!, { invitation }),
    hub.enter("machine", two!, { invitation }),
  ]);
  assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"], "two at once: one gets in");
  assert.equal(hub.store.roster.members()[0]?.label, "laptop");
  await assert.rejects(hub.enter("machine", three!, { invitation: hub.crypto.random(16) }), /INVITATION_REFUSED/);
  await hub.clock.passSlowly(10 * 60_000);
  await assert.rejects(hub.enter("machine", three!, { invitation: late }), /INVITATION_REFUSED/);
});

test("login: a hub that is full leaves an invitation as it is, for when there is room", async () => {
  await using hub = await TestHub.open({ isOpen: false, limits: { spaces: 1 } });
  const [one, two] = [await hub.crypto.newSigningKey(), await hub.crypto.newSigningKey()];
  const [first, second] = [hub.crypto.random(16), hub.crypto.random(16)];
  for (const invitation of [first, second])
    await hub.store.write(() => hub.store.roster.addInvitation(invitation, undefined, { nowMs: hub.clock.wallMs() }));
  await hub.enter("machine", one, { invitation: first });
  await assert.rejects(hub.enter("machine", two, { invitation: second }), /HUB_FULL/);
  await assert.rejects(hub.enter("machine", two, { invitation: hub.crypto.random(16) }), /INVITATION_REFUSED/);
  await hub.hub.members.remove(one.publicKey);
  await hub.enter("machine", two, { invitation: second });
});

test("before the login nothing is done, and after 5 s of silence the connection ends", async () => {
  await using hub = await TestHub.open();
  const rude = hub.connect();
  rude.talk.send({ kind: "open", channel: 1, space: new Uint8Array(32) });
  assert.equal(await rude.talk.refusal(), "FRAME_FORBIDDEN");
  const silent = hub.connect();
  await hub.clock.passSlowly(5_000);
  assert.equal(await silent.talk.refusal(), "LOGIN_LATE");
  await silent.talk.closed;
  const garbage = hub.connect();
  garbage.talk.sendBytes(Uint8Array.of(250, 1, 2));
  assert.equal(await garbage.talk.refusal(), "FRAME_INVALID");
});

test("who may send what: a device admits nobody, a guest opens nothing but a rendezvous, nobody speaks for the hub", async () => {
  await using hub = await TestHub.open();
  const { device, machine } = await pair(hub);
  const guest = await hub.enter("guest", await hub.crypto.newSigningKey());
  device.talk.send({ kind: "admit", request: 1, loginKey: new Uint8Array(32) });
  guest.talk.send({ kind: "open", channel: 1, space: new Uint8Array(32) });
  machine.talk.send({ kind: "done", request: 1 });
  for (const { talk } of [device, guest, machine]) assert.equal(await talk.refusal(), "FRAME_FORBIDDEN");
});

test("channels: bytes arrive in order under each end's own number, credit goes back, a close comes after what was sent", async () => {
  await using hub = await TestHub.open();
  const { machine, device, deviceKey, space } = await pair(hub);
  device.talk.send({ kind: "open", channel: 77, space });
  const opened = await machine.talk.next("opened");
  assert.deepEqual(opened.loginKey, deviceKey.publicKey);
  for (const byte of [1, 2, 3]) device.talk.send({ kind: "data", channel: 77, bytes: Uint8Array.of(byte) });
  for (const byte of [1, 2, 3]) assert.deepEqual([...(await machine.talk.next("data")).bytes], [byte]);
  machine.talk.send({ kind: "credit", channel: opened.channel, bytes: 1_000 });
  assert.deepEqual(
    await device.talk.next("credit"),
    { kind: "credit", channel: 77, bytes: 3 },
    "no more than was used",
  );
  machine.talk.send({ kind: "data", channel: opened.channel, bytes: Uint8Array.of(9) });
  machine.talk.send({ kind: "close", channel: opened.channel, reason: "expelled" });
  assert.deepEqual([...(await device.talk.next("data")).bytes], [9]);
  assert.deepEqual(await device.talk.next("close"), { kind: "close", channel: 77, reason: "done" });
  device.talk.send({ kind: "open", channel: 78, space: new Uint8Array(32) });
  assert.equal((await device.talk.next("close")).reason, "gone", "no member of it");
  device.talk.send({ kind: "open", channel: 79, space });
  await machine.talk.next("opened");
  machine.wire.destroy();
  assert.deepEqual(await device.talk.next("close"), { kind: "close", channel: 79, reason: "gone" });
});

test("channels: a reader that sleeps stops its own writer at 256 KiB, and nobody else", async () => {
  await using hub = await TestHub.open();
  const { machine, device, space } = await pair(hub);
  const otherKey = await hub.crypto.newSigningKey();
  await machine.talk.answer({ kind: "admit", request: 2, loginKey: otherKey.publicKey });
  const other = await hub.enter("device", otherKey);
  device.talk.send({ kind: "open", channel: 1, space });
  const slow = (await machine.talk.next("opened")).channel;
  other.talk.send({ kind: "open", channel: 1, space });
  const quick = (await machine.talk.next("opened")).channel;
  device.wire.isAsleep = true;
  const bytes = new Uint8Array(32 * 1024);
  for (let count = 0; count < 8; count++) machine.talk.send({ kind: "data", channel: slow, bytes });
  machine.talk.send({ kind: "data", channel: quick, bytes: Uint8Array.of(5) });
  assert.deepEqual([...(await other.talk.next("data")).bytes], [5]);
  assert.equal(device.wire.isClosed, false);
  assert.ok(hub.hub.facts().held_bytes <= 256 * 1024 + 100);
  device.wire.isAsleep = false;
  device.wire.flush();
  for (let count = 0; count < 8; count++) assert.equal((await device.talk.next("data")).bytes.length, bytes.length);
  // Without credit one byte more is too much.
  machine.talk.send({ kind: "data", channel: slow, bytes: Uint8Array.of(1) });
  assert.equal((await machine.talk.next("close")).reason, "too_slow");
  assert.equal((await device.talk.next("close")).reason, "too_slow");
  assert.equal(hub.hub.facts().held_bytes, 0);
});

test("channels: what waited for a slow reader is held no more when the reader goes, also where its channel was closed before", async () => {
  await using hub = await TestHub.open({ limits: { socketBytes: 32 * 1024 } });
  const { machine, device, space } = await pair(hub);
  device.wire.isAsleep = true;
  for (let channel = 1; channel <= 2; channel++) {
    device.talk.send({ kind: "open", channel, space });
    const opened = await machine.talk.next("opened");
    const bytes = new Uint8Array(32 * 1024);
    for (let count = 0; count < 6; count++) machine.talk.send({ kind: "data", channel: opened.channel, bytes });
    if (channel === 1) machine.talk.send({ kind: "close", channel: opened.channel, reason: "done" });
  }
  machine.wire.destroy();
  await hub.clock.passSlowly(1);
  assert.equal(hub.hub.facts().channels, 0);
  assert.ok(hub.hub.facts().held_bytes > 10 * 32 * 1024, "the reader may read it still");
  device.wire.destroy();
  await hub.clock.passSlowly(1);
  assert.equal(hub.hub.facts().held_bytes, 0);
});

test("channels: a reader that is cut off by the last frame that waited for it leaves nothing held, and no less", async () => {
  const limits = { socketBytes: 8 * 1024, unreadBytes: 16 * 1024 };
  await using hub = await TestHub.open({ limits });
  const { machine, device, space } = await pair(hub);
  device.talk.send({ kind: "open", channel: 1, space });
  const { channel } = await machine.talk.next("opened");
  device.wire.isAsleep = true;
  machine.talk.send({ kind: "data", channel, bytes: new Uint8Array(32 * 1024) });
  assert.equal(hub.hub.facts().refusals.TOO_SLOW, 1);
  assert.equal(hub.hub.facts().held_bytes, 0);
});

test("channels: 64 for a device; another is refused", async () => {
  await using hub = await TestHub.open();
  const { machine, device, space } = await pair(hub);
  for (let channel = 1; channel <= 65; channel++) device.talk.send({ kind: "open", channel, space });
  for (let count = 0; count < 64; count++) await machine.talk.next("opened");
  assert.deepEqual(await device.talk.next("close"), { kind: "close", channel: 65, reason: "refused" });
  device.talk.send({ kind: "open", channel: 3, space });
  assert.equal((await device.talk.next("close")).reason, "refused", "a number twice");
});

test("expel: the device is cut off before the answer, and does not come back; its other machine still lets it in", async () => {
  await using hub = await TestHub.open();
  const { machine, device, deviceKey, space } = await pair(hub);
  const second = await hub.enter("device", deviceKey);
  device.talk.send({ kind: "open", channel: 1, space });
  const { channel } = await machine.talk.next("opened");
  const answered = machine.talk.answer({ kind: "expel", request: 5, loginKey: deviceKey.publicKey });
  assert.ok(device.wire.isClosed && second.wire.isClosed, "at once");
  assert.equal(await answered, "done");
  assert.equal(await device.talk.refusal(), "EXPELLED");
  assert.deepEqual(await machine.talk.next("close"), { kind: "close", channel, reason: "expelled" });
  await assert.rejects(hub.enter("device", deviceKey), /DEVICE_UNKNOWN/);
  const otherMachine = await hub.enter("machine", await hub.crypto.newSigningKey());
  await otherMachine.talk.answer({ kind: "admit", request: 1, loginKey: deviceKey.publicKey });
  const again = await hub.enter("device", deviceKey);
  // A machine that the device does not belong to cannot cut it off.
  await machine.talk.answer({ kind: "expel", request: 6, loginKey: deviceKey.publicKey });
  assert.equal(again.wire.isClosed, false);
});

test("presence: a device hears that its machine comes and goes; two links of one machine are one machine", async () => {
  await using hub = await TestHub.open();
  const { machine, machineKey, device, space } = await pair(hub);
  assert.deepEqual(await device.talk.next("presence"), { kind: "presence", space, isPresent: true });
  const next = await hub.enter("machine", machineKey);
  device.talk.send({ kind: "open", channel: 9, space });
  await next.talk.next("opened");
  machine.wire.destroy();
  await hub.clock.passSlowly(1);
  assert.equal(device.talk.has("presence"), false);
  device.talk.send({ kind: "open", channel: 1, space });
  await next.talk.next("opened");
  next.wire.destroy();
  assert.equal((await device.talk.next("presence")).isPresent, false);
});

test("presence: who hangs is cut off within ten seconds, and who answers pings stays", async () => {
  await using hub = await TestHub.open();
  const { machine, device } = await pair(hub);
  await device.talk.next("presence");
  machine.talk.isAnswering = false;
  await hub.clock.passSlowly(9_900);
  assert.equal(machine.wire.isClosed, true);
  assert.equal((await device.talk.next("presence")).isPresent, false);
  await hub.clock.passSlowly(60_000);
  assert.equal(device.wire.isClosed, false);
});

test("rendezvous: one guest finds it, once, until it expires; it goes with its machine", async () => {
  await using hub = await TestHub.open();
  const { machine } = await pair(hub);
  const guestKey = await hub.crypto.newSigningKey();
  const guest = await hub.enter("guest", guestKey);
  const id = hub.crypto.random(16);
  const expires = Math.floor(hub.clock.wallMs() / 1_000) + 60;
  assert.equal(await machine.talk.answer({ kind: "rendezvous", request: 1, id, expires }), "done");
  guest.talk.send({ kind: "meet", channel: 4, id });
  const met = await machine.talk.next("met");
  assert.deepEqual([met.id, met.loginKey], [id, guestKey.publicKey]);
  guest.talk.send({ kind: "data", channel: 4, bytes: Uint8Array.of(1) });
  assert.equal((await machine.talk.next("data")).channel, met.channel);
  guest.talk.send({ kind: "meet", channel: 5, id });
  assert.equal((await guest.talk.next("close")).reason, "gone", "used");
  await machine.talk.answer({ kind: "rendezvous", request: 2, id, expires });
  await hub.clock.passSlowly(60_000);
  guest.talk.send({ kind: "meet", channel: 6, id });
  assert.equal((await guest.talk.next("close")).reason, "gone", "expired");
  for (let request = 3; request < 11; request++)
    assert.equal(
      await machine.talk.answer({ kind: "rendezvous", request, id: hub.crypto.random(16), expires: 0xffff_ffff }),
      "done",
    );
  const ninth = await machine.talk.answer({ kind: "rendezvous", request: 11, id, expires: 0xffff_ffff });
  assert.ok(ninth !== "done" && ninth.code === "RENDEZVOUS_FULL");
  machine.wire.destroy();
  await hub.clock.passSlowly(1);
  assert.equal(hub.hub.facts().rendezvous, 0);
  await hub.clock.passSlowly(250_000);
  assert.equal(await guest.talk.refusal(), "GUEST_LATE");
});

test("rendezvous: a device waits for a guest as a machine does, two at a time, and no number of a channel is both its own and the hub's", async () => {
  await using hub = await TestHub.open();
  const { device, machineKey } = await pair(hub);
  const guest = await hub.enter("guest", await hub.crypto.newSigningKey());
  const [id, other, third] = [hub.crypto.random(16), hub.crypto.random(16), hub.crypto.random(16)];
  const wait = (request: number, at: Uint8Array) =>
    device.talk.answer({ kind: "rendezvous", request, id: at, expires: 0xffff_ffff });
  assert.deepEqual([await wait(1, id), await wait(2, other)], ["done", "done"]);
  const full = await wait(3, third);
  assert.ok(full !== "done" && full.code === "RENDEZVOUS_FULL");
  device.talk.send({ kind: "open", channel: 1, space: machineKey.publicKey });
  guest.talk.send({ kind: "meet", channel: 1, id });
  const met = await device.talk.next("met");
  assert.ok(met.channel >= 2 ** 31, String(met.channel));
  guest.talk.send({ kind: "data", channel: 1, bytes: Uint8Array.of(9) });
  const { channel, bytes } = await device.talk.next("data");
  assert.deepEqual([channel, [...bytes]], [met.channel, [9]]);
  device.talk.send({ kind: "data", channel: met.channel, bytes: Uint8Array.of(8) });
  assert.deepEqual([...(await guest.talk.next("data")).bytes], [8]);
  device.wire.destroy();
  await hub.clock.passSlowly(1);
  assert.equal(hub.hub.facts().rendezvous, 0);
});

test("limits: guests of an address, connections of a key, strangers and all connections are refused by name", async () => {
  const limits = { guestsOfAddress: 2, connectionsOfMember: 2, strangersOfAddress: 3, connections: 8 };
  await using hub = await TestHub.open({ limits });
  const key = await hub.crypto.newSigningKey();
  await hub.enter("guest", key);
  await hub.enter("guest", key);
  await assert.rejects(hub.enter("guest", key), /ADDRESS_FULL/);
  await hub.enter("guest", key, { address: "192.0.2.2" });
  await hub.enter("machine", key);
  await hub.enter("machine", key);
  await assert.rejects(hub.enter("machine", key), /MEMBER_FULL/);
  for (let count = 0; count < 3; count++) hub.connect();
  assert.equal(await hub.connect().talk.refusal(), "HUB_FULL");
  await hub.clock.passSlowly(5_000);
  for (let count = 0; count < 3; count++) hub.connect();
  assert.equal(await hub.connect("192.0.2.9").talk.refusal(), "HUB_FULL");
  assert.equal(hub.hub.facts().refusals.LOGIN_LATE, 3);
});

test("limits: a flood at ten times the rate is not read for as long as it is too much, and loses nothing", async () => {
  const limits = { framesPerSecond: 100, rateBurstSeconds: 1 };
  await using hub = await TestHub.open({ limits });
  const { machine, device, space } = await pair(hub);
  device.talk.send({ kind: "open", channel: 1, space });
  await machine.talk.next("opened");
  for (let count = 0; count < 1_000; count++)
    device.talk.send({ kind: "data", channel: 1, bytes: Uint8Array.of(count & 255) });
  assert.equal(device.wire.isPaused, true);
  const before = hub.hub.facts().relayed_frames;
  assert.ok(before < 110, String(before));
  await hub.clock.passSlowly(12_000);
  assert.equal(device.wire.isClosed, false);
  for (let count = 0; count < 1_000; count++) assert.equal((await machine.talk.next("data")).bytes[0], count & 255);
});

test("limits: a client that reads nothing is closed at 1 MiB of answers, and comes back with its cursor", async () => {
  await using hub = await TestHub.open({ limits: { unreadBytes: 10_000, framesPerSecond: 1e9 } });
  const { device } = await pair(hub);
  device.wire.isAsleep = true;
  for (let count = 0; count < 5_000 && !device.wire.isClosed; count++) device.talk.send({ kind: "ping", token: 1 });
  assert.equal(device.wire.isClosed, true);
  assert.equal(hub.hub.facts().refusals.TOO_SLOW, 1);
});

test("a space takes 32 devices; another is SPACE_FULL, and one that is in already is fine", async () => {
  await using hub = await TestHub.open({ limits: { spaceMembers: 2 } });
  const { machine, deviceKey } = await pair(hub);
  const admit = async (loginKey: Uint8Array, request: number) =>
    machine.talk.answer({ kind: "admit", request, loginKey });
  assert.equal(await admit(hub.crypto.random(32), 2), "done");
  const third = await admit(hub.crypto.random(32), 3);
  assert.ok(third !== "done" && third.code === "SPACE_FULL");
  assert.equal(await admit(deviceKey.publicKey, 4), "done");
});

test("what is sent behind a login that is still being looked at is done after it", async () => {
  await using hub = await TestHub.open();
  const { machineKey, machine, space } = await pair(hub);
  machine.wire.destroy();
  const { talk, wire } = hub.connect();
  const { crypto, key } = hub;
  const { nonce: hubNonce } = await talk.next("hello");
  const { login } = await makeLogin(crypto, {
    hubKey: key.publicKey,
    hubNonce,
    key: machineKey,
    role: "machine",
    cursor: 0,
  });
  const record = await testRecord(crypto, { kind: "item", space, sender: space, seq: 1 });
  wire.events!.onFrame(encodeFrame({ kind: "login", ...login }));
  wire.events!.onFrame(encodeFrame({ kind: "put", request: 8, record }));
  await talk.next("welcome");
  assert.equal((await talk.next("done")).request, 8);
});

test("the hub's end is told to everybody", async () => {
  const hub = await TestHub.open();
  const { machine, device } = await pair(hub);
  await hub.close();
  for (const { talk } of [machine, device]) assert.equal(await talk.refusal(), "HUB_ENDS");
  const late = hub.connect();
  assert.equal(await late.talk.refusal(), "HUB_ENDS");
});

test("owner: an invitation that is over is not counted among those that wait", async () => {
  await using hub = await TestHub.open({ isOpen: false });
  const facts = () => ({ addresses: [] }) as unknown as ReturnType<OwnerOptions["facts"]>;
  const { crypto, clock, store } = hub;
  const { status } = ownerAnswers({ hub: hub.hub, store, crypto, clock, facts });
  const invite = (atMs: number) =>
    store.write(() => store.roster.addInvitation(crypto.random(16), undefined, { nowMs: atMs }));
  await invite(clock.wallMs());
  assert.equal((await status({})).invitations, 1);
  await clock.passSlowly(HUB_LIMITS.invitationMs);
  assert.equal((await status({})).invitations, 0);
});
