import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../bytes.ts";
import type { SealingCrypto } from "../crypto.ts";
import { everyBitFlipped, rejectsWith } from "./checks.ts";

const NONCE = new Uint8Array(12);

/** What the formats rely on, of whatever stands behind {@link SealingCrypto}. */
export function conformance(name: string, crypto: SealingCrypto): void {
  test(`${name}: a sealed text opens, and only with its key, nonce and additional data`, async () => {
    const key = await crypto.aeadKey(crypto.random(32));
    const text = utf8("the text");
    const context = { nonce: NONCE, aad: utf8("context") };
    const sealed = await crypto.seal(key, text, context);
    assert.equal(sealed.length, text.length + 16);
    assert.deepEqual(await crypto.open(key, sealed, context), text);
    const other = await crypto.aeadKey(crypto.random(32));
    await rejectsWith("SEAL_BROKEN", crypto.open(other, sealed, context));
    await rejectsWith("SEAL_BROKEN", crypto.open(key, sealed, { ...context, nonce: NONCE.map(() => 1) }));
    await rejectsWith("SEAL_BROKEN", crypto.open(key, sealed, { ...context, aad: utf8("contexu") }));
    for (const flipped of everyBitFlipped(sealed)) await rejectsWith("SEAL_BROKEN", crypto.open(key, flipped, context));
    for (let length = 0; length < sealed.length; length++)
      await rejectsWith("SEAL_BROKEN", crypto.open(key, sealed.subarray(0, length), context));
  });

  test(`${name}: an empty text seals and opens`, async () => {
    const key = await crypto.aeadKey(crypto.random(32));
    const context = { nonce: NONCE, aad: new Uint8Array(0) };
    assert.equal((await crypto.open(key, await crypto.seal(key, new Uint8Array(0), context), context)).length, 0);
  });

  test(`${name}: two ends exchange one secret, and a third has another`, async () => {
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => crypto.newExchangeKey()));
    const shared = await crypto.exchange(a!, b!.publicKey);
    assert.deepEqual(await crypto.exchange(b!, a!.publicKey), shared);
    assert.notDeepEqual(await crypto.exchange(c!, b!.publicKey), shared);
    await rejectsWith("KEY_REFUSED", crypto.exchange(a!, new Uint8Array(32)));
    await assert.rejects(async () => crypto.exchange(a!, new Uint8Array(31)));
  });

  test(`${name}: a signature holds for its key and bytes alone`, async () => {
    const key = await crypto.newSigningKey();
    const bytes = utf8("signed");
    const signature = await crypto.sign(key, bytes);
    assert.equal(signature.length, 64);
    assert.equal(await crypto.verify(key.publicKey, bytes, signature), true);
    assert.equal(await crypto.verify((await crypto.newSigningKey()).publicKey, bytes, signature), false);
    assert.equal(await crypto.verify(key.publicKey, utf8("signee"), signature), false);
    for (const flipped of everyBitFlipped(signature))
      assert.equal(await crypto.verify(key.publicKey, bytes, flipped), false);
    assert.equal(await crypto.verify(key.publicKey, bytes, signature.subarray(1)), false);
    assert.equal(await crypto.verify(key.publicKey.subarray(1), bytes, signature), false);
  });

  test(`${name}: a kept secret makes the same keys again`, async () => {
    const secret = crypto.random(32);
    const [first, again] = [await crypto.signingKeyOf(secret), await crypto.signingKeyOf(secret)];
    assert.deepEqual(first.publicKey, again.publicKey);
    assert.equal(await crypto.verify(again.publicKey, secret, await crypto.sign(first, secret)), true);
    const peer = await crypto.newExchangeKey();
    const exchange = await crypto.exchangeKeyOf(secret);
    assert.deepEqual(exchange.publicKey, (await crypto.exchangeKeyOf(secret)).publicKey);
    assert.deepEqual(await crypto.exchange(exchange, peer.publicKey), await crypto.exchange(peer, exchange.publicKey));
    await assert.rejects(async () => crypto.exchangeKeyOf(secret.subarray(1)));
  });

  test(`${name}: hash, HMAC and HKDF depend on every input, and HKDF takes an empty secret`, async () => {
    const [a, b] = [utf8("a"), utf8("b")];
    assert.notDeepEqual(await crypto.sha256(a), await crypto.sha256(b));
    assert.notDeepEqual(await crypto.hmac(a, b), await crypto.hmac(b, a));
    const derived = [
      { secret: a, salt: b, info: b },
      { secret: b, salt: b, info: b },
      { secret: a, salt: a, info: b },
      { secret: a, salt: b, info: a },
      { secret: new Uint8Array(0), salt: b, info: new Uint8Array(0) },
    ];
    const outputs = await Promise.all(derived.map((input) => crypto.hkdf({ ...input, length: 96 })));
    assert.deepEqual(new Set(outputs.map((one) => `${one.length} ${one.join()}`)).size, derived.length);
    assert.equal(outputs[0]!.length, 96);
  });
}
