/**
 * What the byte formats need of cryptography (docs/remote-design.md, "Suite"), as a parameter: WebCrypto in the product, a stand-in in the
 * simulator. Private keys are handles: whoever holds one can use it, and cannot read it, so that a browser's need never leave WebCrypto.
 *
 * Everything that takes bytes leaves them as they are; everything that returns bytes returns new ones.
 */

/** Bytes of a key, a hash, and of the shared secret of two keys. */
export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
/** What authentication adds to a sealed text (AES-GCM's tag). */
export const TAG_BYTES = 16;

/** X25519 (RFC 7748). `secret` is the implementation's own: with WebCrypto a CryptoKey, which IndexedDB can keep. */
export interface ExchangeKey {
  readonly use: "exchange";
  readonly publicKey: Uint8Array;
  readonly secret: unknown;
}

/** Ed25519 (RFC 8032). */
export interface SigningKey {
  readonly use: "signing";
  readonly publicKey: Uint8Array;
  readonly secret: unknown;
}

/** A key of AES-256-GCM, imported once and used often. */
export interface AeadKey {
  readonly use: "aead";
  readonly secret: unknown;
}

export interface AeadText {
  /** 12 bytes; never twice under one key. */
  nonce: Uint8Array;
  /** Authenticated besides the text, and not part of it. */
  aad: Uint8Array;
}

export interface HkdfInput {
  secret: Uint8Array;
  salt: Uint8Array;
  info: Uint8Array;
  /** How many bytes to derive. */
  length: number;
}

export interface SealingCrypto {
  /** `length` bytes that nobody can guess. */
  random(length: number): Uint8Array;
  sha256(bytes: Uint8Array): Promise<Uint8Array>;
  /** HMAC-SHA256 (RFC 2104). `key` is not empty. */
  hmac(key: Uint8Array, bytes: Uint8Array): Promise<Uint8Array>;
  /** HKDF-SHA256 (RFC 5869). */
  hkdf(input: HkdfInput): Promise<Uint8Array>;

  /** Takes 32 bytes. */
  aeadKey(bytes: Uint8Array): Promise<AeadKey>;
  /** The text, and the tag behind it. */
  seal(key: AeadKey, text: Uint8Array, context: AeadText): Promise<Uint8Array>;
  /** @throws SEAL_BROKEN: another key, nonce or additional data, or a changed byte. Never a part of the text. */
  open(key: AeadKey, sealed: Uint8Array, context: AeadText): Promise<Uint8Array>;

  /** A new key that cannot be read out. */
  newExchangeKey(): Promise<ExchangeKey>;
  /** The key that 32 secret bytes make: for whoever keeps them in a file. */
  exchangeKeyOf(secret: Uint8Array): Promise<ExchangeKey>;
  /** @throws KEY_REFUSED: a public key of low order, for which the secret would be known to all (RFC 7748 §6.1). */
  exchange(own: ExchangeKey, theirs: Uint8Array): Promise<Uint8Array>;

  /** A new key that cannot be read out. */
  newSigningKey(): Promise<SigningKey>;
  signingKeyOf(secret: Uint8Array): Promise<SigningKey>;
  sign(key: SigningKey, bytes: Uint8Array): Promise<Uint8Array>;
  /** False for whatever is not a signature of these bytes, also for keys and signatures of a wrong form or of low order. */
  verify(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): Promise<boolean>;
}
