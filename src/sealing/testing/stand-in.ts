import { concat, isEqual, utf8 } from "../bytes.ts";
import { KEY_BYTES, type SealingCrypto, SIGNATURE_BYTES, TAG_BYTES } from "../crypto.ts";
import { formInvalid, keyRefused, sealBroken } from "../errors.ts";

/**
 * A {@link SealingCrypto} for simulations: deterministic from its seed, many times as fast, and NOT SAFE AT ALL. It behaves like the
 * real one to whoever goes through it: a changed byte, another key, nonce or context is refused; a shared secret needs one of the two
 * private keys; only its key signs. Whoever computes with its functions' insides can forge everything, so an attacker in a simulation must not.
 */
export function standInCrypto(seed: number): SealingCrypto {
  const next = generator(seed);
  const random = (length: number) => filled(length, next);
  const keyOf = <Use extends "exchange" | "signing">(use: Use, secret: Uint8Array) => {
    if (secret.length !== KEY_BYTES) throw formInvalid("key", `it has ${secret.length} bytes, not ${KEY_BYTES}`);
    return { use, publicKey: mix([DOMAIN[use], secret], KEY_BYTES), secret: secret.slice() };
  };
  const signature = (publicKey: Uint8Array, bytes: Uint8Array) => mix([DOMAIN.sign, publicKey, bytes], SIGNATURE_BYTES);
  return {
    random,
    sha256: async (bytes) => mix([DOMAIN.hash, bytes], 32),
    hmac: async (key, bytes) => mix([DOMAIN.hmac, key, bytes], 32),
    hkdf: async ({ secret, salt, info, length }) => mix([DOMAIN.hkdf, secret, salt, info], length),
    aeadKey: async (bytes) => {
      if (bytes.length !== KEY_BYTES) throw formInvalid("key", `it has ${bytes.length} bytes, not ${KEY_BYTES}`);
      return { use: "aead", secret: bytes.slice() };
    },
    async seal({ secret }, text, { nonce, aad }) {
      const key = secret as Uint8Array;
      const hidden = scramble(text, key, nonce);
      return concat(hidden, mix([DOMAIN.tag, key, nonce, aad, hidden], TAG_BYTES));
    },
    async open({ secret }, sealed, { nonce, aad }) {
      const key = secret as Uint8Array;
      const hidden = sealed.subarray(0, Math.max(0, sealed.length - TAG_BYTES));
      const tag = mix([DOMAIN.tag, key, nonce, aad, hidden], TAG_BYTES);
      if (!isEqual(tag, sealed.subarray(hidden.length))) throw sealBroken("text");
      return scramble(hidden, key, nonce);
    },
    newExchangeKey: async () => keyOf("exchange", random(KEY_BYTES)),
    exchangeKeyOf: async (secret) => keyOf("exchange", secret),
    async exchange(own, theirs) {
      if (theirs.length !== KEY_BYTES) throw formInvalid("key", `it has ${theirs.length} bytes, not ${KEY_BYTES}`);
      if (theirs.every((byte) => byte === 0)) throw keyRefused("it is no point that keeps a secret");
      const isFirst = compare(own.publicKey, theirs) < 0;
      return mix([DOMAIN.shared, ...(isFirst ? [own.publicKey, theirs] : [theirs, own.publicKey])], KEY_BYTES);
    },
    newSigningKey: async () => keyOf("signing", random(KEY_BYTES)),
    signingKeyOf: async (secret) => keyOf("signing", secret),
    sign: async (key, bytes) => signature(key.publicKey, bytes),
    verify: async (publicKey, bytes, given) =>
      publicKey.length === KEY_BYTES && isEqual(signature(publicKey, bytes), given),
  };
}

/** What keeps one function's results from being another's. */
const DOMAIN = {
  exchange: utf8("exchange"),
  hash: utf8("hash"),
  hkdf: utf8("hkdf"),
  hmac: utf8("hmac"),
  shared: utf8("shared"),
  sign: utf8("sign"),
  signing: utf8("signing"),
  stream: utf8("stream"),
  tag: utf8("tag"),
};

/** Bytes that depend on every byte and length of the parts. */
function mix(parts: readonly Uint8Array[], length: number): Uint8Array {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (const part of parts) {
    a = Math.imul(a ^ part.length, 0xcc9e2d51);
    for (let index = 0; index < part.length; index++) {
      a = Math.imul(a ^ part[index]!, 0x9e3779b1);
      b = Math.imul(b ^ part[index]! ^ (a >>> 15), 0x5f356495);
    }
    b ^= a >>> 13;
  }
  return filled(length, generator(a, b));
}

function filled(length: number, next: () => number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = next() >>> 24;
  return bytes;
}

function scramble(bytes: Uint8Array, key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const stream = mix([DOMAIN.stream, key, nonce], 8);
  const view = new DataView(stream.buffer);
  const next = generator(view.getUint32(0), view.getUint32(4));
  const changed = new Uint8Array(bytes.length);
  for (let index = 0; index < bytes.length; index++) changed[index] = bytes[index]! ^ (next() >>> 24);
  return changed;
}

/** 32 bits at a time, of two words of state (xoroshiro64*). */
function generator(seed: number, more = 0x2545f491): () => number {
  let a = Math.imul(seed ^ 0x6c078965, 0x9e3779b1) | 1;
  let b = Math.imul(more ^ seed, 0x85ebca6b) | 2;
  return () => {
    const result = Math.imul(a, 0x9e3779bb);
    b ^= a;
    a = ((a << 26) | (a >>> 6)) ^ b ^ (b << 9);
    b = (b << 13) | (b >>> 19);
    return result;
  };
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at === -1 ? 0 : a[at]! - b[at]!;
}
