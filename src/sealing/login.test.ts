import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFrame, encodeFrame } from "./frames.ts";
import {
  fingerprintOf,
  isInvited,
  isLoginSigned,
  isWelcomeSigned,
  type Login,
  type LoginFacts,
  makeLogin,
  makeWelcome,
  type Role,
} from "./login.ts";
import { flipBit, rejectsWith } from "./testing/checks.ts";
import { counting } from "./testing/fixed.ts";
import { webCrypto } from "./webcrypto.ts";

const crypto = webCrypto();
const hubKey = await crypto.newSigningKey();
const key = await crypto.newSigningKey();
const hubNonce = counting(16, 50);
const wanted = { hubKey: hubKey.publicKey, hubNonce, key, role: "device" as const, cursor: 7 };

test("login: it holds for its hub, nonces, key and role, and for no other", async () => {
  const { login, facts } = await makeLogin(crypto, wanted);
  assert.equal(await isLoginSigned(crypto, login, facts), true);
  const other = (await crypto.newSigningKey()).publicKey;
  const wrong: LoginFacts[] = [
    { ...facts, hubKey: other },
    { ...facts, hubNonce: counting(16, 51) },
    { ...facts, nonce: counting(16, 52) },
    { ...facts, loginKey: other },
  ];
  for (const facts of wrong) assert.equal(await isLoginSigned(crypto, login, facts), false);
  for (const role of ["machine", "guest"] satisfies Role[])
    assert.equal(await isLoginSigned(crypto, { ...login, role }, facts), false);
  for (let bit = 0; bit < 512; bit++)
    assert.equal(await isLoginSigned(crypto, { ...login, signature: flipBit(login.signature, bit) }, facts), false);
});

test("login: every flipped bit of the frame but the cursor's is refused", async () => {
  const { login, facts } = await makeLogin(crypto, { ...wanted, isNew: true });
  const bytes = encodeFrame({ kind: "login", ...login });
  const cursorAt = bytes.length - 8;
  for (let bit = 0; bit < cursorAt * 8; bit++)
    assert.equal(await isTaken(flipBit(bytes, bit), facts), false, `bit ${bit}`);
});

async function isTaken(bytes: Uint8Array, facts: LoginFacts): Promise<boolean> {
  try {
    const frame = decodeFrame(bytes);
    if (frame.kind !== "login" || frame.key.length !== 32) return false;
    return await isLoginSigned(crypto, frame, { ...facts, loginKey: frame.key, nonce: frame.nonce });
  } catch {
    return false;
  }
}

test("login: a known key goes as its fingerprint, a new one, a guest's and an invited one whole", async () => {
  const lengthOf = async (more: object) => (await makeLogin(crypto, { ...wanted, ...more })).login.key.length;
  assert.deepEqual((await makeLogin(crypto, wanted)).login.key, await fingerprintOf(crypto, key.publicKey));
  assert.deepEqual(
    [
      await lengthOf({}),
      await lengthOf({ isNew: true }),
      await lengthOf({ role: "guest" }),
      await lengthOf({ invitation: counting(16) }),
    ],
    [16, 32, 32, 32],
  );
});

test("welcome: it holds for this login and cursor, and says what was missed", async () => {
  const { facts } = await makeLogin(crypto, wanted);
  const short = await makeWelcome(crypto, { hubKey, facts, cursor: 7, head: 7, floor: 3 });
  assert.equal(short.missed, undefined);
  assert.equal(await isWelcomeSigned(crypto, { welcome: short, facts, cursor: 7 }), true);
  assert.equal(await isWelcomeSigned(crypto, { welcome: short, facts, cursor: 6 }), false);
  const long = await makeWelcome(crypto, { hubKey, facts, cursor: 7, head: 9, floor: 3 });
  assert.deepEqual(long.missed, { head: 9, floor: 3 });
  assert.equal(await isWelcomeSigned(crypto, { welcome: long, facts, cursor: 7 }), true);
  const { signature } = long;
  for (const welcome of [
    { signature, missed: { head: 8, floor: 3 } },
    { signature, missed: { head: 9, floor: 4 } },
    { signature },
  ])
    assert.equal(await isWelcomeSigned(crypto, { welcome, facts, cursor: 7 }), false);
  const again = { ...facts, hubNonce: counting(16) };
  assert.equal(await isWelcomeSigned(crypto, { welcome: long, facts: again, cursor: 7 }), false);
});

test("welcome: a login's signature is none of a welcome, nor the other way", async () => {
  const { login, facts } = await makeLogin(crypto, { ...wanted, key: hubKey });
  assert.equal(await isWelcomeSigned(crypto, { welcome: { signature: login.signature }, facts, cursor: 7 }), false);
  const { signature } = await makeWelcome(crypto, { hubKey, facts, cursor: 7, head: 7, floor: 0 });
  assert.equal(await isLoginSigned(crypto, { ...login, signature }, facts), false);
});

test("invitation: it is proven and not shown, and the proof fits this login alone", async () => {
  const invitation = counting(16, 200);
  const invitationHash = await crypto.sha256(invitation);
  const { login, facts } = await makeLogin(crypto, { ...wanted, role: "machine", invitation });
  assert.notDeepEqual(login.invitation, invitation);
  assert.equal(await isInvited(crypto, { login, facts, invitationHash }), true);
  assert.equal(await isInvited(crypto, { login, facts: { ...facts, hubNonce: counting(16) }, invitationHash }), false);
  assert.equal(await isInvited(crypto, { login, facts, invitationHash: await crypto.sha256(counting(16)) }), false);
  const { invitation: _, ...without } = login;
  assert.equal(await isInvited(crypto, { login: without as Login, facts, invitationHash }), false);
});

test("login: facts of a wrong length are refused, so that no two make the same bytes", async () => {
  const { login, facts } = await makeLogin(crypto, wanted);
  for (const wrong of [{ hubKey: counting(31) }, { hubNonce: counting(17) }, { nonce: counting(15) }])
    await rejectsWith("FORM_INVALID", (async () => isLoginSigned(crypto, login, { ...facts, ...wrong }))());
});
