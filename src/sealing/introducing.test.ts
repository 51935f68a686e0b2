import assert from "node:assert/strict";
import { test } from "node:test";
import {
  INTRODUCED_MACHINES_MAX,
  INTRODUCER,
  INTRODUCTION_OFFER,
  type IntroductionFacts,
  isIntroductionProof,
  isOfferSigned,
  makeIntroductionProof,
  OUTCOME,
  signOffer,
} from "./introducing.ts";
import type { Offer } from "./pairing.ts";
import { isProof, makeProof } from "./pairing.ts";
import { throwsWith } from "./testing/checks.ts";
import { counting } from "./testing/fixed.ts";
import { webCrypto } from "./webcrypto.ts";

const crypto = webCrypto();
const [device, machine] = [await crypto.newSigningKey(), await crypto.newSigningKey()];
const facts: IntroductionFacts = {
  hub: counting(16),
  handshakeHash: counting(32, 1),
  signingKey: device.publicKey,
  exchangeKey: counting(32, 2),
  loginKey: counting(32, 3),
};
const scopes = ["view", "type"] as const;
const offer: Offer = {
  signingKey: machine.publicKey,
  exchangeKey: counting(32, 4),
  space: counting(32, 5),
  name: "laptop",
  words: "anna@laptop",
  scopes,
};

/** Each with one of the facts changed. */
const others = Object.entries(facts).map(([name, bytes]) => ({
  ...facts,
  [name]: bytes.map((byte: number, index: number) => (index === 7 ? byte ^ 1 : byte)),
}));

test("introduction: the new device's signature holds for its keys, this hub, this handshake and these scopes alone", async () => {
  const text = await makeIntroductionProof(crypto, { facts, scopes, key: device });
  assert.equal(await isIntroductionProof(crypto, { facts, scopes, text }), true);
  for (const { signingKey: _, ...other } of others.slice(0, 2).concat(others.slice(3)))
    assert.equal(await isIntroductionProof(crypto, { facts: { ...facts, ...other }, scopes, text }), false);
  assert.equal(await isIntroductionProof(crypto, { facts, scopes: ["view", "admin"], text }), false);
  const { handshakeHash, signingKey } = facts;
  assert.equal(await isProof(crypto, { text, signingKey, handshakeHash }), false, "no proof to a machine");
  const toMachine = await makeProof(crypto, device, handshakeHash);
  assert.equal(await isIntroductionProof(crypto, { facts, scopes, text: toMachine }), false, "nor the other way round");
});

test("introduction: a machine's offer holds for the one device that it was signed for", async () => {
  const signed = await signOffer(crypto, { facts, offer, key: machine });
  const { signed: read } = INTRODUCTION_OFFER.decode(INTRODUCTION_OFFER.encode({ signed }));
  assert.deepEqual(read, signed);
  assert.equal(await isOfferSigned(crypto, { facts, signed: read }), true);
  for (const other of others) assert.equal(await isOfferSigned(crypto, { facts: other, signed }), false);
  for (const changed of [
    { scopes: ["view"] as const },
    { space: counting(32) },
    { exchangeKey: counting(32) },
    { name: "desk" },
  ])
    assert.equal(await isOfferSigned(crypto, { facts, signed: { ...signed, offer: { ...offer, ...changed } } }), false);
  const byDevice = await signOffer(crypto, { facts, offer, key: device });
  assert.equal(await isOfferSigned(crypto, { facts, signed: byDevice }), false, "by another key than the one in it");
});

test("introduction: what is said has one form, is whole, and names 16 machines at most", async () => {
  const one = { signingKey: machine.publicKey, name: "laptop", words: "anna@laptop" };
  const introducer = { name: "phone", machines: Array.from({ length: INTRODUCED_MACHINES_MAX }, () => one) };
  const bytes = INTRODUCER.encode(introducer);
  assert.deepEqual(INTRODUCER.decode(bytes), introducer);
  for (let length = 0; length < bytes.length; length += 7)
    throwsWith("FORM_INVALID", () => INTRODUCER.decode(bytes.subarray(0, length)));
  throwsWith("FORM_INVALID", () => INTRODUCER.encode({ name: "phone", machines: [...introducer.machines, one] }));
  const signed = await signOffer(crypto, { facts, offer, key: machine });
  const outcome = {
    isJoined: true,
    joined: [signed],
    left: [{ signingKey: device.publicKey, sentence: "It is away." }],
  };
  const text = OUTCOME.encode(outcome);
  assert.deepEqual(OUTCOME.decode(text), outcome);
  throwsWith("FORM_INVALID", () => OUTCOME.decode(text.subarray(1)));
  const many = Uint8Array.from([1, 255, ...text.subarray(2)]);
  throwsWith("FORM_INVALID", () => OUTCOME.decode(many));
});
