import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeCrypto } from "../platform/node-crypto.ts";
import { isSoundPoint, isSoundSignature } from "./ed25519-inputs.ts";
import { rejectsWith } from "./testing/checks.ts";
import { conformance } from "./testing/conformance.ts";
import { bytesOf, hexOf } from "./testing/fixed.ts";
import { standInCrypto } from "./testing/stand-in.ts";
import { webCrypto } from "./webcrypto.ts";

conformance("webcrypto", webCrypto());
conformance("node", nodeCrypto());
conformance("stand-in", standInCrypto(1));

for (const [name, crypto] of [
  ["webcrypto", webCrypto()],
  ["node", nodeCrypto()],
] as const) {
  test(`${name}: X25519 as in RFC 7748 §5.2 and §6.1`, async () => {
    const scalar = await crypto.exchangeKeyOf(
      bytesOf("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
    );
    const point = bytesOf("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
    const product = "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552";
    assert.equal(hexOf(await crypto.exchange(scalar, point)), product);
    const bob = await crypto.exchangeKeyOf(bytesOf("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
    assert.equal(hexOf(bob.publicKey), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  });

  test(`${name}: points of low order are refused, in every encoding`, async () => {
    const own = await crypto.newExchangeKey();
    const low = [
      "00".repeat(32),
      `01${"00".repeat(31)}`,
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      `ec${"ff".repeat(30)}7f`,
      `ed${"ff".repeat(30)}7f`,
      `ee${"ff".repeat(30)}7f`,
    ];
    for (const point of low) await rejectsWith("KEY_REFUSED", crypto.exchange(own, bytesOf(point)));
  });

  test(`${name}: Ed25519 as in RFC 8032 §7.1, test 2`, async () => {
    const key = await crypto.signingKeyOf(bytesOf("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
    assert.equal(hexOf(key.publicKey), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    assert.equal(
      hexOf(await crypto.sign(key, Uint8Array.of(0x72))),
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    );
  });

  test(`${name}: signatures that fit many texts are refused: keys of low order, S past the order, y past the prime`, async () => {
    const low = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
    assert.equal(isSoundPoint(bytesOf(low)), false);
    assert.equal(
      isSoundPoint(bytesOf("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85")),
      false,
      "the sign does not matter",
    );
    // The identity as key and R, 0 as S: fits every text where nobody looks.
    const identity = bytesOf(`01${"00".repeat(31)}`);
    assert.equal(await crypto.verify(identity, bytesOf("aa"), bytesOf(`01${"00".repeat(63)}`)), false);
    const key = await crypto.newSigningKey();
    const signature = await crypto.sign(key, bytesOf("aa"));
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${hexOf(signature.slice(32).reverse())}`) + order;
    const later = new Uint8Array([...signature.slice(0, 32), ...bytesOf(s.toString(16).padStart(64, "0")).reverse()]);
    assert.equal(isSoundSignature(later), false);
    assert.equal(await crypto.verify(key.publicKey, bytesOf("aa"), later), false);
    assert.equal(isSoundPoint(bytesOf(`ee${"ff".repeat(30)}7f`)), false, "1 + the prime");
  });

  test(`${name}: HKDF as in RFC 5869 A.1, SHA-256 and HMAC as in RFC 4231 §4.3`, async () => {
    const derived = await crypto.hkdf({
      secret: bytesOf("0b".repeat(22)),
      salt: bytesOf("000102030405060708090a0b0c"),
      info: bytesOf("f0f1f2f3f4f5f6f7f8f9"),
      length: 42,
    });
    assert.equal(
      hexOf(derived),
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    );
    const mac = await crypto.hmac(Buffer.from("Jefe"), Buffer.from("what do ya want for nothing?"));
    assert.equal(hexOf(mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  });

  test(`${name}: AES-256-GCM as in the GCM specification, test case 16`, async () => {
    const key = await crypto.aeadKey(bytesOf("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
    const text = bytesOf(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    );
    const context = {
      nonce: bytesOf("cafebabefacedbaddecaf888"),
      aad: bytesOf("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    };
    assert.equal(hexOf(await crypto.seal(key, text, context)).slice(-32), "76fc6ece0f4e1768cddf8853bb2d551b");
  });

  test(`${name}: keys of a wrong length are refused, and a public key that is no point fits no signature`, async () => {
    for (const make of [crypto.aeadKey, crypto.exchangeKeyOf, crypto.signingKeyOf])
      await rejectsWith("FORM_INVALID", make(new Uint8Array(31)));
    await rejectsWith("FORM_INVALID", crypto.exchange(await crypto.newExchangeKey(), new Uint8Array(33)));
    const key = await crypto.newSigningKey();
    const signature = await crypto.sign(key, bytesOf("aa"));
    const offCurve = bytesOf(`02${"00".repeat(31)}`);
    assert.equal(await crypto.verify(offCurve, bytesOf("aa"), signature), false);
    assert.equal(await crypto.verify(key.publicKey.subarray(1), bytesOf("aa"), signature), false);
    assert.equal(await crypto.verify(key.publicKey, bytesOf("aa"), signature.subarray(1)), false);
    assert.equal(await crypto.verify(key.publicKey, bytesOf("aa"), signature), true);
  });
}

test("webcrypto and node: each opens, exchanges and checks what the other made of the same keys", async () => {
  const [web, node] = [webCrypto(), nodeCrypto()];
  const secret = bytesOf("77076d0a7318a57d3c16c17251b26645c6db43d5aeb1f30b0f1b6a1d1f6b2c01");
  const context = { nonce: new Uint8Array(12).fill(3), aad: bytesOf("0102") };
  const text = bytesOf("00".repeat(1_000));
  const [one, other] = [await web.aeadKey(secret), await node.aeadKey(secret)];
  assert.deepEqual(await node.open(other, await web.seal(one, text, context), context), text);
  assert.deepEqual(await web.open(one, await node.seal(other, text, context), context), text);
  const [a, b] = [await web.exchangeKeyOf(secret), await node.exchangeKeyOf(web.random(32))];
  assert.deepEqual(await web.exchange(a, b.publicKey), await node.exchange(b, a.publicKey));
  const [sa, sb] = [await web.signingKeyOf(secret), await node.signingKeyOf(secret)];
  assert.deepEqual(sa.publicKey, sb.publicKey);
  assert.deepEqual(await web.sign(sa, text), await node.sign(sb, text));
  assert.equal(await node.verify(sa.publicKey, text, await web.sign(sa, text)), true);
});

test("webcrypto: new keys cannot be read out", async () => {
  const crypto = webCrypto();
  const [exchange, signing] = [await crypto.newExchangeKey(), await crypto.newSigningKey()];
  for (const key of [exchange, signing, await crypto.signingKeyOf(crypto.random(32))])
    await assert.rejects(globalThis.crypto.subtle.exportKey("pkcs8", key.secret as CryptoKey));
});

test("stand-in: the same seed does the same", async () => {
  const [a, b, c] = [standInCrypto(7), standInCrypto(7), standInCrypto(8)];
  assert.deepEqual(a.random(64), b.random(64));
  assert.deepEqual((await a.newSigningKey()).publicKey, (await b.newSigningKey()).publicKey);
  assert.notDeepEqual(b.random(64), c.random(64));
});
