import assert from "node:assert/strict";
import { test } from "node:test";
import type { SealingCrypto } from "../crypto.ts";
import { everyBitFlipped, flipBit, rejectsWith } from "../testing/checks.ts";
import { counting } from "../testing/fixed.ts";
import { handshakePair, type Pattern, PROLOGUE, PSK, shakeHands, sidesOf } from "../testing/noise-pair.ts";
import { standInCrypto } from "../testing/stand-in.ts";
import { webCrypto } from "../webcrypto.ts";
import { CipherState, nonceOf } from "./cipher-state.ts";
import { Handshake } from "./handshake.ts";
import { NOISE_TEXT_BYTES_MAX, SESSION_AGE_MS_MAX, SESSION_MESSAGES_MAX, Transport } from "./transport.ts";

const NOTHING = new Uint8Array(0);
const real = webCrypto();

for (const [name, crypto] of [
  ["webcrypto", real],
  ["stand-in", standInCrypto(3)],
] as const)
  for (const pattern of ["IK", "XKpsk3"] as const) both(`${pattern} with ${name}`, pattern, crypto);

function both(name: string, pattern: Pattern, crypto: SealingCrypto): void {
  test(`${name}: both ends agree on the hash and on who they are, and messages pass each way`, async () => {
    const sides = await sidesOf(crypto, pattern);
    const { initiator, responder } = await shakeHands(await handshakePair(crypto, sides));
    assert.deepEqual(initiator.handshakeHash, responder.handshakeHash);
    assert.deepEqual(responder.theirStatic, sides.initiator.publicKey);
    assert.deepEqual(initiator.theirStatic, sides.responder.publicKey);
    for (let index = 0; index < 3; index++) {
      assert.deepEqual(await responder.open(await initiator.seal(counting(9, index))), counting(9, index));
      assert.deepEqual(await initiator.open(await responder.seal(counting(5, index))), counting(5, index));
    }
    assert.deepEqual([initiator.sealedCount, initiator.openedCount], [3, 3]);
  });

  test(`${name}: every flipped bit of every handshake message is refused, and ends it`, async () => {
    const sides = await sidesOf(crypto, pattern);
    const lengths: number[] = [];
    await shakeHands(await handshakePair(crypto, sides), (message) => {
      lengths.push(message.length);
      return message;
    });
    // Every bit with the stand-in; with the real one every bit of one in three bytes, which is seconds otherwise.
    const step = crypto === real ? 17 : 1;
    for (const [at, length] of lengths.entries())
      for (let bit = 0; bit < length * 8; bit += step) {
        const pair = await handshakePair(crypto, sides);
        const changed = shakeHands(pair, (message, index) => (index === at ? flipBit(message, bit) : message));
        await assert.rejects(changed, /does not open|refused/, `message ${at}, bit ${bit}`);
        const reader = at % 2 === 0 ? pair.responder : pair.initiator;
        await rejectsWith("NOISE_DEAD", reader.read(counting(200)));
        await rejectsWith("NOISE_DEAD", reader.transport());
      }
  });

  test(`${name}: another prologue, another key of the responder, another psk, a cut message: refused`, async () => {
    const sides = await sidesOf(crypto, pattern);
    const psk = pattern === "XKpsk3" ? { psk: PSK } : {};
    const start = (change: object) =>
      Handshake.start(crypto, {
        pattern,
        isInitiator: false,
        prologue: PROLOGUE,
        own: sides.responder,
        ...psk,
        ...change,
      });
    const wrong = [{ prologue: counting(20, 8) }, { own: await crypto.newExchangeKey() }];
    for (const change of pattern === "XKpsk3" ? [...wrong, { psk: counting(32) }] : wrong) {
      const { initiator } = await handshakePair(crypto, sides);
      await rejectsWith("SEAL_BROKEN", shakeHands({ initiator, responder: await start(change) }));
    }
    const { initiator, responder } = await handshakePair(crypto, sides);
    const message = await initiator.write(NOTHING);
    await rejectsWith("FORM_INVALID", responder.read(message.subarray(0, 31)));
  });
}

test("handshake: a message out of turn is refused and changes nothing; two at once are refused", async () => {
  const sides = await sidesOf(real, "IK");
  const pair = await handshakePair(real, sides);
  await rejectsWith("NOISE_OUT_OF_TURN", pair.initiator.read(counting(96)));
  await rejectsWith("NOISE_OUT_OF_TURN", pair.responder.write(NOTHING));
  await rejectsWith("NOISE_OUT_OF_TURN", pair.initiator.transport());
  const first = pair.initiator.write(NOTHING);
  await rejectsWith("NOISE_OUT_OF_TURN", pair.initiator.write(NOTHING));
  await pair.responder.read(await first);
  await pair.initiator.read(await pair.responder.write(NOTHING));
  await pair.initiator.transport();
  await rejectsWith("NOISE_DEAD", pair.initiator.transport());
});

test("handshake: ephemerals of low order are refused", async () => {
  const { responder } = await handshakePair(real, await sidesOf(real, "IK"));
  await rejectsWith("KEY_REFUSED", responder.read(new Uint8Array(96)));
});

test("handshake: the replay of a whole session opens nothing, since the responder's ephemeral is new", async () => {
  const sides = await sidesOf(real, "IK");
  const { initiator, responder } = await handshakePair(real, sides);
  const first = await initiator.write(NOTHING);
  await responder.read(first);
  await initiator.read(await responder.write(NOTHING));
  const recorded = await (await initiator.transport()).seal(counting(4));
  const again = (await handshakePair(real, sides)).responder;
  await again.read(first);
  await again.write(NOTHING);
  await rejectsWith("SEAL_BROKEN", (await again.transport()).open(recorded));
});

test("transport: a changed, repeated, swapped, dropped or reflected message ends the session", async () => {
  const sides = await sidesOf(real, "IK");
  const session = async () => shakeHands(await handshakePair(real, sides));
  const bad: Record<string, (m: Uint8Array[], back: Uint8Array) => Uint8Array[]> = {
    changed: ([a]) => [flipBit(a!, 3)],
    repeated: ([a]) => [a!, a!],
    swapped: ([a, b]) => [b!, a!],
    dropped: ([, b]) => [b!],
    reflected: (_, back) => [back],
    cut: ([a]) => [a!.subarray(1)],
  };
  for (const [name, spoil] of Object.entries(bad)) {
    const { initiator, responder } = await session();
    const sent = [await initiator.seal(counting(4)), await initiator.seal(counting(4, 9))];
    const back = await responder.seal(counting(4));
    const opened = spoil(sent, back).map((message) => responder.open(message));
    const results = await Promise.allSettled(opened);
    assert.equal(results.at(-1)?.status, "rejected", name);
    await assert.rejects(responder.open(sent[0]!), name);
  }
});

test("transport: overlapping calls are answered in order, and none after one that failed", async () => {
  const { initiator, responder } = await shakeHands(await handshakePair(real, await sidesOf(real, "IK")));
  const sealed = await Promise.all(Array.from({ length: 50 }, (_, index) => initiator.seal(counting(index * 50))));
  sealed[30] = flipBit(sealed[30]!, 5);
  const order: number[] = [];
  const opened = sealed.map((message, index) => responder.open(message).then(() => order.push(index)));
  const results = await Promise.allSettled(opened);
  assert.deepEqual(order, [...Array(30).keys()]);
  assert.equal(results.filter(({ status }) => status === "rejected").length, 20);
});

test("transport: the longest text passes, a longer one is refused and costs nothing", async () => {
  const { initiator, responder } = await shakeHands(await handshakePair(real, await sidesOf(real, "IK")));
  await rejectsWith("FORM_INVALID", initiator.seal(new Uint8Array(NOISE_TEXT_BYTES_MAX + 1)));
  const longest = await initiator.seal(new Uint8Array(NOISE_TEXT_BYTES_MAX));
  assert.equal(longest.length, 65_535);
  assert.equal((await responder.open(longest)).length, NOISE_TEXT_BYTES_MAX);
});

test("transport: it is spent after an hour", async () => {
  const { initiator } = await shakeHands(await handshakePair(real, await sidesOf(real, "IK")));
  assert.equal(initiator.isSpent({ openedAtMs: 5, nowMs: SESSION_AGE_MS_MAX + 4 }), false);
  assert.equal(initiator.isSpent({ openedAtMs: 5, nowMs: SESSION_AGE_MS_MAX + 5 }), true);
});

test("transport: it is spent after 2^20 messages in either direction, and still carries what is on its way", async () => {
  const key = await real.aeadKey(counting(32));
  const at = (counter: number) => new CipherState(real, key, counter);
  const age = { openedAtMs: 0, nowMs: 0 };
  const common = { handshakeHash: counting(32), theirStatic: counting(32) };
  const sender = new Transport({ ...common, sending: at(SESSION_MESSAGES_MAX - 1), receiving: at(0) });
  const receiver = new Transport({ ...common, sending: at(0), receiving: at(SESSION_MESSAGES_MAX - 1) });
  assert.deepEqual([sender.isSpent(age), receiver.isSpent(age)], [false, false]);
  assert.deepEqual(await receiver.open(await sender.seal(counting(3))), counting(3));
  assert.deepEqual([sender.isSpent(age), receiver.isSpent(age)], [true, true]);
  assert.deepEqual(await receiver.open(await sender.seal(counting(4))), counting(4));
});

test("cipher state: the last nonce is not used, and no bit of a text comes out of a changed message", async () => {
  const key = await real.aeadKey(counting(32));
  const last = new CipherState(real, key, Number.MAX_SAFE_INTEGER - 1);
  await last.seal(NOTHING, counting(3));
  await rejectsWith("NONCE_SPENT", last.seal(NOTHING, counting(3)));
  await rejectsWith("NONCE_SPENT", last.open(NOTHING, counting(30)));
  const sealed = await new CipherState(real, key).seal(NOTHING, counting(3));
  for (const flipped of everyBitFlipped(sealed)) {
    const state = new CipherState(real, key);
    await rejectsWith("SEAL_BROKEN", state.open(NOTHING, flipped));
    await rejectsWith("NOISE_DEAD", state.open(NOTHING, sealed));
  }
});

test("cipher state: the nonce is 32 zero bits and the counter, big-endian", () => {
  assert.deepEqual([...nonceOf(2 ** 40 + 258)], [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2]);
});
