import assert from "node:assert/strict";
import { test } from "node:test";
import { checkOf, fingerprintText, parseFingerprint } from "./fingerprint.ts";
import {
  encodeLive,
  isSessionRefused,
  LIVE_ANSWER,
  livePrologue,
  SESSION_REFUSED,
  STREAM_DATA_BYTES_MAX,
} from "./live.ts";
import { Handshake } from "./noise/handshake.ts";
import { NOISE_TEXT_BYTES_MAX } from "./noise/transport.ts";
import { INTRODUCTION, isProof, makeOffer, makeProof, openOffer, rendezvousOf } from "./pairing.ts";
import { everyBitFlipped, rejectsWith, throwsWith } from "./testing/checks.ts";
import { bytesOf, counting } from "./testing/fixed.ts";
import { shakeHands } from "./testing/noise-pair.ts";
import { webCrypto } from "./webcrypto.ts";

const crypto = webCrypto();
const pairingKey = await crypto.newExchangeKey();
const code = {
  hub: counting(16),
  pairingKey: pairingKey.publicKey,
  secret: counting(16, 9),
  expires: 1_800_000_000,
  scopes: ["view", "type"] as const,
};

async function pair(ofDevice: object = {}) {
  const device = await crypto.newExchangeKey();
  const [mine, theirs] = [await rendezvousOf(crypto, { ...code, ...ofDevice }), await rendezvousOf(crypto, code)];
  const common = { pattern: "XKpsk3" as const };
  const ends = {
    initiator: await Handshake.start(crypto, {
      ...common,
      ...mine,
      isInitiator: true,
      own: device,
      theirs: code.pairingKey,
    }),
    responder: await Handshake.start(crypto, { ...common, ...theirs, isInitiator: false, own: pairingKey }),
  };
  return shakeHands(ends);
}

test("pairing: both ends meet at one id, and see the same six digits", async () => {
  const { initiator, responder } = await pair();
  const check = await checkOf(crypto, initiator.handshakeHash);
  assert.match(check, /^\d{3} \d{3}$/);
  assert.equal(await checkOf(crypto, responder.handshakeHash), check);
  assert.deepEqual((await rendezvousOf(crypto, code)).id, (await crypto.sha256(pairingKey.publicKey)).slice(0, 16));
});

test("pairing: another secret, hub, expiry or scope in the code than the machine's does not pair", async () => {
  for (const changed of [
    { secret: counting(16) },
    { hub: counting(16, 1) },
    { expires: 1 },
    { scopes: ["view", "admin"] },
  ])
    await rejectsWith("SEAL_BROKEN", pair(changed));
});

test("pairing: proof and offer hold in their session alone, and no flipped bit of the offer is taken", async () => {
  const [first, second] = [await pair(), await pair()];
  const [device, machine] = [await crypto.newSigningKey(), await crypto.newSigningKey()];
  const handshakeHash = first.initiator.handshakeHash;
  const proof = await makeProof(crypto, device, handshakeHash);
  const signingKey = device.publicKey;
  assert.equal(await isProof(crypto, { text: proof, signingKey, handshakeHash }), true);
  assert.equal(
    await isProof(crypto, { text: proof, signingKey, handshakeHash: second.initiator.handshakeHash }),
    false,
  );
  assert.equal(await isProof(crypto, { text: proof, signingKey: machine.publicKey, handshakeHash }), false);
  const offer = {
    signingKey: machine.publicKey,
    exchangeKey: counting(32),
    space: counting(32, 1),
    name: "laptop",
    words: "anna@laptop",
    scopes: ["view", "type"] as const,
  };
  const text = await makeOffer(crypto, { offer, key: machine, handshakeHash });
  assert.deepEqual(await openOffer(crypto, { text, handshakeHash }), offer);
  assert.equal(await openOffer(crypto, { text, handshakeHash: second.initiator.handshakeHash }), undefined);
  for (const flipped of everyBitFlipped(text)) {
    const opened = await openOffer(crypto, { text: flipped, handshakeHash }).catch(() => undefined);
    assert.equal(opened, undefined);
  }
});

test("pairing: an introduction reads back, and one that is cut is refused", () => {
  const introduction = { signingKey: counting(32), loginKey: counting(32, 1), name: "Pixel 9 ✓", platform: "android" };
  const bytes = INTRODUCTION.encode(introduction);
  assert.deepEqual(INTRODUCTION.decode(bytes), introduction);
  for (let length = 0; length < bytes.length; length++)
    throwsWith("FORM_INVALID", () => INTRODUCTION.decode(bytes.subarray(0, length)));
  throwsWith("FORM_INVALID", () => INTRODUCTION.encode({ ...introduction, name: "x".repeat(256) }));
});

test("fingerprint: 8 groups of 4, read in any grouping", () => {
  const text = fingerprintText(counting(16, 240));
  assert.equal(text, "f0f1 f2f3 f4f5 f6f7 f8f9 fafb fcfd feff");
  for (const form of [text, text.toUpperCase(), text.replaceAll(" ", ""), text.replaceAll(" ", ":")])
    assert.deepEqual(parseFingerprint(form), counting(16, 240));
  for (const form of ["", text.slice(1), `${text}00`, text.replace("f0", "g0")])
    assert.equal(parseFingerprint(form), undefined);
});

test("check: six digits, with zeros in front", async () => {
  const checks = await Promise.all(Array.from({ length: 300 }, (_, index) => checkOf(crypto, counting(32, index))));
  assert.ok(checks.every((one) => /^\d{3} \d{3}$/.test(one)));
  assert.ok(checks.some((one) => one.startsWith("0")));
  assert.equal(new Set(await Promise.all([1, 2, 3].map((first) => checkOf(crypto, counting(32, first))))).size, 3);
});

test("live session: one of one hub, machine or device fits no other; the answer and the refusal are what they are", async () => {
  const context = { hub: counting(16), space: counting(32), loginKey: counting(32, 5) };
  const [device, machine] = [await crypto.newExchangeKey(), await crypto.newExchangeKey()];
  const start = (isInitiator: boolean, change: object) =>
    Handshake.start(crypto, {
      pattern: "IK",
      prologue: livePrologue({ ...context, ...change }),
      isInitiator,
      own: isInitiator ? device : machine,
      ...(isInitiator ? { theirs: machine.publicKey } : {}),
    });
  for (const change of [{ hub: counting(16, 1) }, { space: counting(32, 1) }, { loginKey: counting(32) }])
    await rejectsWith(
      "SEAL_BROKEN",
      shakeHands({ initiator: await start(true, {}), responder: await start(false, change) }),
    );
  const answer = { wallMs: 1_800_000_000_000, heads: counting(32) };
  assert.deepEqual(LIVE_ANSWER.decode(LIVE_ANSWER.encode(answer)), answer);
  assert.equal(isSessionRefused(SESSION_REFUSED), true);
  assert.equal(isSessionRefused(counting(96)), false);
});

test("live session: the longest data is one Noise message", () => {
  const data = (length: number) => encodeLive({ kind: "data", stream: 1, bytes: new Uint8Array(length) });
  assert.equal(data(STREAM_DATA_BYTES_MAX).length, NOISE_TEXT_BYTES_MAX);
  throwsWith("FORM_INVALID", () => data(STREAM_DATA_BYTES_MAX + 1));
  assert.deepEqual(bytesOf("02"), data(0).subarray(0, 1));
});
