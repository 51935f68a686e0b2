import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_LINK } from "./chain.ts";
import { decodeHeads, encodeHeads, HEADS_PER_RECORD, headsDigest, missingOf, type StreamHead } from "./heads.ts";
import { copiesOf, namesKey, newPeriodKey, openPeriod, PERIOD_COPIES_MAX, sealPeriod, streamId } from "./period.ts";
import { RECORD_TEXT_BYTES_MAX } from "./record.ts";
import { everyBitFlipped, rejectsWith, throwsWith } from "./testing/checks.ts";
import { counting, hexOf } from "./testing/fixed.ts";
import { standInCrypto } from "./testing/stand-in.ts";
import { webCrypto } from "./webcrypto.ts";

const crypto = webCrypto();
const context = { hub: counting(16), space: counting(32), period: 8 };

async function readersOf(count: number) {
  const keys = await Promise.all(Array.from({ length: count }, () => crypto.newExchangeKey()));
  return keys.map((own, index) => ({ own, loginKey: counting(32, index), exchangeKey: own.publicKey }));
}

test("period: each device opens its own copy, and who has none is told so", async () => {
  const key = newPeriodKey(crypto);
  const readers = await readersOf(3);
  const text = await sealPeriod(crypto, { context, key, readers });
  for (const { own, loginKey } of readers)
    assert.deepEqual(await openPeriod(crypto, { context, text, loginKey, own }), key);
  const { own } = readers[0]!;
  await rejectsWith("NOT_FOR_US", openPeriod(crypto, { context, text, loginKey: counting(32, 99), own }));
  await rejectsWith("SEAL_BROKEN", openPeriod(crypto, { context, text, loginKey: readers[1]!.loginKey, own }));
});

test("period: a copy fits no other hub, space, period or device, and no flipped bit of it is taken", async () => {
  const readers = await readersOf(1);
  const { own, loginKey } = readers[0]!;
  const text = await sealPeriod(crypto, { context, key: newPeriodKey(crypto), readers });
  for (const other of [{ hub: counting(16, 1) }, { space: counting(32, 1) }, { period: 9 }])
    await rejectsWith("SEAL_BROKEN", openPeriod(crypto, { context: { ...context, ...other }, text, loginKey, own }));
  for (const flipped of everyBitFlipped(text))
    await assert.rejects(async () => openPeriod(crypto, { context, text: flipped, loginKey, own }));
});

test("period: as many copies as a space has members fit a record, and no more are taken", async () => {
  const readers = await readersOf(PERIOD_COPIES_MAX);
  const text = await sealPeriod(crypto, { context, key: newPeriodKey(crypto), readers });
  assert.equal(copiesOf(text).length, PERIOD_COPIES_MAX);
  assert.ok(text.length < RECORD_TEXT_BYTES_MAX);
  await rejectsWith(
    "FORM_INVALID",
    sealPeriod(crypto, { context, key: counting(32), readers: [...readers, ...readers] }),
  );
  throwsWith("FORM_INVALID", () => copiesOf(Uint8Array.of(33)));
});

test("streams: a name is the same for all readers of a period, and another in the next", async () => {
  const [names, later] = [await namesKey(crypto, counting(32)), await namesKey(crypto, counting(32, 1))];
  assert.equal(
    hexOf(await streamId(crypto, names, "unit/blazing")),
    hexOf(await streamId(crypto, names, "unit/blazing")),
  );
  assert.notDeepEqual(await streamId(crypto, names, "unit/blazing"), await streamId(crypto, later, "unit/blazing"));
  assert.notDeepEqual(await streamId(crypto, names, "unit/blazing"), await streamId(crypto, names, "unit/amber"));
});

test("heads: a long list is several records with one digest, whatever the order", async () => {
  const fast = standInCrypto(2);
  const heads: StreamHead[] = Array.from({ length: HEADS_PER_RECORD * 2 + 5 }, (_, index) => ({
    stream: Uint8Array.of(0, 0, 0, 0, 0, index >> 16, (index >> 8) & 255, index & 255),
    seq: index + 1,
    hash: counting(32, index),
  }));
  const texts = await encodeHeads(fast, [...heads].reverse());
  assert.deepEqual(
    texts.map((text) => text.length <= RECORD_TEXT_BYTES_MAX),
    [true, true, true],
  );
  const parts = texts.map(decodeHeads);
  assert.deepEqual(
    parts.flatMap((part) => part.heads),
    heads,
  );
  assert.deepEqual(
    parts.map(({ part, partCount }) => [part, partCount]),
    [
      [0, 3],
      [1, 3],
      [2, 3],
    ],
  );
  for (const { digest } of parts) assert.deepEqual(digest, await headsDigest(fast, heads));
  assert.equal((await encodeHeads(fast, [])).length, 1);
  throwsWith("FORM_INVALID", () => decodeHeads(new Uint8Array(36)));
});

test("heads: streams that the hub keeps back, cuts or rewrites are found", () => {
  const head = (stream: number, seq: number): StreamHead => ({
    stream: counting(8, stream),
    seq,
    hash: counting(32, seq),
  });
  const known = new Map([
    [hexOf(counting(8, 1)), head(1, 5)],
    [hexOf(counting(8, 2)), head(2, 4)],
    [hexOf(counting(8, 3)), head(3, 9)],
  ]);
  const listed = [head(1, 5), head(2, 5), { ...head(3, 9), hash: counting(32, 7) }, head(4, 1)];
  const missing = missingOf(listed, (stream) => known.get(hexOf(stream)) ?? NO_LINK);
  assert.deepEqual(
    missing.map(({ stream }) => stream[0]),
    [2, 3, 4],
  );
  const older = missingOf([head(1, 4)], (stream) => known.get(hexOf(stream)) ?? NO_LINK);
  assert.deepEqual(older, []);
});
