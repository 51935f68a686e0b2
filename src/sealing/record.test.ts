import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { utf8 } from "./bytes.ts";
import type { Link } from "./chain.ts";
import { RECORD_BYTES_MAX } from "./frames.ts";
import { pad, unpad } from "./padding.ts";
import { decodeRecord, openRecord, RECORD_KINDS, RECORD_TEXT_BYTES_MAX, type RecordHead } from "./record.ts";
import { type Taken, takeRecord } from "./take.ts";
import { everyBitFlipped, rejectsWith, throwsWith } from "./testing/checks.ts";
import { counting } from "./testing/fixed.ts";
import { newSpace, readingOf, write } from "./testing/space.ts";
import { standInCrypto } from "./testing/stand-in.ts";
import { webCrypto } from "./webcrypto.ts";

const crypto = webCrypto();
const space = await newSpace(crypto);
const outcome = (taken: Taken): string =>
  taken.kind === "refused" || taken.kind === "dropped"
    ? taken.why
    : taken.kind === "stuck"
      ? taken.step.kind
      : taken.kind;

for (const [name, any] of [
  ["webcrypto", crypto],
  ["stand-in", standInCrypto(5)],
] as const)
  test(`record: every flipped bit is refused, by ${name}`, async () => {
    const space = await newSpace(any);
    const { record } = await write(any, space);
    assert.equal(outcome(await takeRecord(any, readingOf(space), record.bytes)), "taken");
    for (const flipped of everyBitFlipped(record.bytes)) {
      const taken = await takeRecord(any, readingOf(space), flipped);
      assert.equal(taken.kind, "refused", `${JSON.stringify(taken)}`);
    }
  });

test("record: a cut or longer one is refused, at every length", async () => {
  const { record } = await write(crypto, space);
  for (let length = 0; length < record.bytes.length; length++)
    assert.equal((await takeRecord(crypto, readingOf(space), record.bytes.subarray(0, length))).kind, "refused");
  assert.equal(outcome(await takeRecord(crypto, readingOf(space), new Uint8Array([...record.bytes, 0]))), "form");
});

test("record: another hub, space, stream, sender, kind, period, place in the chain or time is refused, though all else is right", async () => {
  const { record } = await write(crypto, space, { kind: "state" });
  const elsewhere = { ...readingOf(space), hub: counting(16) };
  assert.equal(outcome(await takeRecord(crypto, elsewhere, record.bytes)), "signature");
  // Moved to another head with its old seal, but signed by the sender: only the seal can tell.
  const moves: Partial<RecordHead>[] = [
    { space: counting(32) },
    { stream: counting(8) },
    { sender: space.device.login.publicKey },
    { kind: RECORD_KINDS.item },
    { period: 5 },
    { seq: 2 },
    { prev: counting(32) },
    { atMs: 5 },
  ];
  for (const move of moves) {
    const { record: other } = await write(crypto, space, { kind: "state", head: move });
    const moved = other.bytes.slice();
    moved.set(record.salt, 126);
    moved.set(record.sealed, 146);
    moved.set(await crypto.sign(space.machine.signing, signedText(moved.subarray(0, -64))), moved.length - 64);
    const keys = { hub: space.hub, periodKey: space.periodKey };
    const opening = openRecord(crypto, {
      record: decodeRecord(moved),
      keys,
      signerKey: space.machine.signing.publicKey,
    });
    await rejectsWith("SEAL_BROKEN", opening);
  }
});

const signedText = (unsigned: Uint8Array): Uint8Array =>
  new Uint8Array([...utf8("warren record 1\0"), ...space.hub, ...unsigned]);

test("record: unknown senders, other spaces, kinds that are not theirs, unknown periods and versions are refused, each by name", async () => {
  const stranger = { ...space.device, login: await crypto.newSigningKey() };
  const refusals = [
    [{ from: stranger, kind: "request" }, "unknown_sender"],
    [{ from: space.device, kind: "item" }, "kind_not_allowed"],
    [{ from: space.device, kind: "members" }, "kind_not_allowed"],
    [{ from: space.machine, kind: "request" }, "kind_not_allowed"],
    [{ head: { space: counting(32) } }, "other_space"],
    [{ head: { period: 9 } }, "unknown_period"],
    [{ from: { ...space.machine, signing: space.device.signing } }, "signature"],
    [{ from: space.device, kind: "request" }, "taken"],
  ] as const;
  for (const [written, expected] of refusals) {
    const { record } = await write(crypto, space, written);
    assert.equal(outcome(await takeRecord(crypto, readingOf(space), record.bytes)), expected);
  }
  const { record } = await write(crypto, space);
  const later = record.bytes.slice();
  later[0] = 2;
  assert.equal(outcome(await takeRecord(crypto, readingOf(space), later)), "version");
  const other = { ...readingOf(space), periodKeyOf: () => counting(32) };
  assert.equal(outcome(await takeRecord(crypto, other, record.bytes)), "seal");
});

test("chain: dropped, repeated, swapped and rewritten records are found by the next one", async () => {
  const first = await write(crypto, space, { text: "1" });
  const second = await write(crypto, space, { text: "2", after: first.link });
  const third = await write(crypto, space, { text: "3", after: second.link });
  const otherSecond = await write(crypto, space, { text: "2, rewritten", after: first.link });
  const take = async (known: Link | undefined, written: { record: { bytes: Uint8Array } }) =>
    takeRecord(crypto, readingOf(space, known), written.record.bytes);
  assert.equal(outcome(await take(undefined, first)), "taken");
  assert.equal(outcome(await take(first.link, second)), "taken");
  assert.equal(outcome(await take(second.link, second)), "duplicate");
  assert.equal(outcome(await take(second.link, first)), "older");
  assert.equal(outcome(await take(otherSecond.link, third)), "fork");
  assert.equal(outcome(await take(otherSecond.link, second)), "fork");
  const stuck = await take(first.link, third);
  assert.ok(stuck.kind === "stuck");
  assert.deepEqual(stuck.step, { kind: "gap", from: 2, to: 2 });
  assert.equal(outcome(await take(undefined, second)), "gap");
});

test("chain: a state may be newer by any number, one that is older is dropped, and a rewritten one is a fork", async () => {
  const first = await write(crypto, space, { kind: "state" });
  const second = await write(crypto, space, { kind: "state", after: first.link });
  const fifth = await write(crypto, space, { kind: "state", after: { seq: 4, hash: counting(32) } });
  const take = async (known: Link, written: { record: { bytes: Uint8Array } }) =>
    outcome(await takeRecord(crypto, readingOf(space, known), written.record.bytes));
  assert.equal(await take(first.link, fifth), "taken");
  assert.equal(await take(fifth.link, second), "older");
  assert.equal(await take({ seq: 1, hash: counting(32) }, second), "fork");
  assert.equal(await take({ seq: 5, hash: counting(32) }, fifth), "fork");
});

test("record: each has a key of its own, also when a home counts again", async () => {
  const [a, b] = [await write(crypto, space, { text: "same" }), await write(crypto, space, { text: "same" })];
  assert.notDeepEqual(a.record.sealed, b.record.sealed);
  assert.notDeepEqual(a.record.salt, b.record.salt);
});

test("record: the longest text fits the longest record, one byte more does not", async () => {
  const { record } = await write(crypto, space, { text: "x".repeat(RECORD_TEXT_BYTES_MAX) });
  assert.equal(record.bytes.length, RECORD_BYTES_MAX);
  assert.equal(outcome(await takeRecord(crypto, readingOf(space), record.bytes)), "taken");
  await rejectsWith("RECORD_TOO_LARGE", write(crypto, space, { text: "x".repeat(RECORD_TEXT_BYTES_MAX + 1) }));
  throwsWith("RECORD_TOO_LARGE", () => decodeRecord(new Uint8Array(RECORD_BYTES_MAX + 1)));
  await rejectsWith("FORM_INVALID", write(crypto, space, { head: { seq: 0 } }));
});

test("padding: lengths come in few steps, every text comes back, and no other padding is taken", () => {
  const lengths = new Set<number>();
  for (let length = 0; length < 3_000; length++) {
    const padded = pad(new Uint8Array(length).fill(9), 60_000);
    lengths.add(padded.length);
    assert.ok(padded.length <= Math.max(64, (length + 4) * 1.25), `${length}`);
  }
  assert.deepEqual([...lengths].slice(0, 5), [64, 80, 100, 125, 156]);
  assert.ok(lengths.size < 20);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (text) => {
      const padded = pad(text, 450 + 4 + 100);
      assert.deepEqual(unpad(padded, 554), text);
      const dirty = padded.slice();
      dirty[dirty.length - 1]! ^= 1;
      if (text.length + 4 < padded.length) throwsWith("FORM_INVALID", () => unpad(dirty, 554));
      throwsWith("FORM_INVALID", () => unpad(new Uint8Array([...padded, 0]), 554));
    }),
  );
});
