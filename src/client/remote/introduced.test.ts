import assert from "node:assert/strict";
import { test } from "node:test";
import type { SigningKey } from "../../sealing/crypto.ts";
import { INTRODUCER, type IntroductionFacts, OUTCOME, signOffer } from "../../sealing/introducing.ts";
import type { Offer } from "../../sealing/pairing.ts";
import type { Scope } from "../../sealing/scopes.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import { openOutcome, readIntroducer } from "./introduced.ts";
import { notThere } from "./introducing-errors.ts";
import type { PairingCard } from "./pair.ts";

/** What a device takes of what another one gives it, which may be hostile. */
const crypto = webCrypto();
const [laptop, desk, stranger] = [
  await crypto.newSigningKey(),
  await crypto.newSigningKey(),
  await crypto.newSigningKey(),
];
const [exchangeKey, loginKey] = [crypto.random(32), crypto.random(32)];
const facts: IntroductionFacts = {
  hub: crypto.random(16),
  handshakeHash: crypto.random(32),
  signingKey: crypto.random(32),
  exchangeKey,
  loginKey,
};
const introducer = {
  name: "phone",
  machines: [laptop, desk].map(({ publicKey }, index) => ({ signingKey: publicKey, name: `m${index}`, words: "" })),
};
const scopes: readonly Scope[] = ["view", "type"];
const card = { code: { scopes } } as PairingCard;

async function offered(key: SigningKey, { by = key, of = facts, given = scopes, named = key } = {}) {
  const offer: Offer = {
    signingKey: named.publicKey,
    exchangeKey: crypto.random(32),
    space: crypto.random(32),
    name: "laptop\u001b[2J",
    words: "anna",
    scopes: given,
  };
  return signOffer(crypto, { facts: of, offer, key: by });
}

const opened = (outcome: Parameters<typeof OUTCOME.encode>[0]) =>
  openOutcome(crypto, { text: OUTCOME.encode(outcome), introducer, card, facts });

test("introduced: machines that have signed for this device's own keys, here and now, are taken, and the others named", async () => {
  const left = [{ signingKey: desk.publicKey, sentence: "It is\u001b[2J away." }];
  const outcome = await opened({ isJoined: true, joined: [await offered(laptop)], left });
  assert.deepEqual(
    outcome?.offers.map(({ name, scopes: given }) => [name, given]),
    [["laptop[2J", ["view", "type"]]],
  );
  assert.deepEqual(outcome?.left, [{ name: "m1", sentence: "It is [2J away." }]);
  const both = await opened({ isJoined: true, joined: [await offered(laptop), await offered(desk)], left: [] });
  assert.equal(both?.offers.length, 2);
});

test("introduced: one machine that is not signed for, not agreed to, or gives more, and nothing is taken", async () => {
  const left = [{ signingKey: desk.publicKey, sentence: "" }];
  const bad = {
    "another machine's signature": await offered(laptop, { by: stranger }),
    "a machine that was not agreed to": await offered(stranger),
    "more than the code says": await offered(laptop, { given: ["view", "type", "admin"] }),
    "another device's signing key": await offered(laptop, { of: { ...facts, signingKey: crypto.random(32) } }),
    "another device's exchange key": await offered(laptop, { of: { ...facts, exchangeKey: crypto.random(32) } }),
    "another device's login key": await offered(laptop, { of: { ...facts, loginKey: crypto.random(32) } }),
    "another hub": await offered(laptop, { of: { ...facts, hub: crypto.random(16) } }),
    "an introduction before": await offered(laptop, { of: { ...facts, handshakeHash: crypto.random(32) } }),
  };
  for (const [what, signed] of Object.entries(bad)) {
    assert.equal(await opened({ isJoined: true, joined: [signed], left }), undefined, what);
    assert.equal(await opened({ isJoined: true, joined: [await offered(desk), signed], left: [] }), undefined, what);
  }
  assert.equal(
    await opened({ isJoined: true, joined: [await offered(laptop)], left: [] }),
    undefined,
    "one is missing",
  );
  const nobody = introducer.machines.map(({ signingKey }) => ({ signingKey, sentence: "No." }));
  await assert.rejects(opened({ isJoined: false, joined: [], left: nobody }), { code: "PAIRING_REFUSED" });
});

test("introduced: to nobody, or to one machine twice, is no introduction", () => {
  assert.throws(() => readIntroducer(INTRODUCER.encode({ name: "phone", machines: [] })), { code: "PAIRING_BROKEN" });
  const [one] = introducer.machines;
  assert.throws(() => readIntroducer(INTRODUCER.encode({ name: "phone", machines: [one!, one!] })), {
    code: "PAIRING_BROKEN",
  });
});

test("introducing: the name of a machine is a word of what is proposed, and nothing of it is carried out", () => {
  assert.equal(
    notThere("mac; reboot", "home").fix,
    "warren pair --hub ADDRESS      # on 'mac; reboot', to have it there",
  );
});
