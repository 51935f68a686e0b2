import { concat, isEqual } from "./bytes.ts";
import {
  type AeadKey,
  type ExchangeKey,
  KEY_BYTES,
  type SealingCrypto,
  SIGNATURE_BYTES,
  type SigningKey,
} from "./crypto.ts";
import { isSoundPoint, isSoundSignature } from "./ed25519-inputs.ts";
import { formInvalid, keyRefused, sealBroken } from "./errors.ts";

/**
 * {@link SealingCrypto} on WebCrypto, as Node 26 and browsers have it. Keys of `new…Key` are not extractable.
 * @param web the WebCrypto to use, default that of this process or page
 */
export function webCrypto(web: Crypto = globalThis.crypto): SealingCrypto {
  const { subtle } = web;
  return {
    random: (length) => web.getRandomValues(new Uint8Array(length)),
    sha256: async (bytes) => new Uint8Array(await subtle.digest("SHA-256", source(bytes))),
    async hmac(key, bytes) {
      const imported = await subtle.importKey("raw", source(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
      return new Uint8Array(await subtle.sign("HMAC", imported, source(bytes)));
    },
    async hkdf({ secret, salt, info, length }) {
      const imported = await subtle.importKey("raw", source(secret), "HKDF", false, ["deriveBits"]);
      const how = { name: "HKDF", hash: "SHA-256", salt: source(salt), info: source(info) };
      return new Uint8Array(await subtle.deriveBits(how, imported, length * 8));
    },
    ...aead(subtle),
    ...exchanging(subtle),
    ...signing(subtle),
  };
}

type Aead = Pick<SealingCrypto, "aeadKey" | "seal" | "open">;

function aead(subtle: SubtleCrypto): Aead {
  return {
    async aeadKey(bytes) {
      const use = ["encrypt", "decrypt"] as const;
      return { use: "aead", secret: await subtle.importKey("raw", keyBytes(bytes), "AES-GCM", false, [...use]) };
    },
    async seal(key, text, { nonce, aad }) {
      const how = { name: "AES-GCM", iv: source(nonce), additionalData: source(aad) };
      return new Uint8Array(await subtle.encrypt(how, secretOf(key), source(text)));
    },
    async open(key, sealed, { nonce, aad }) {
      const how = { name: "AES-GCM", iv: source(nonce), additionalData: source(aad) };
      try {
        return new Uint8Array(await subtle.decrypt(how, secretOf(key), source(sealed)));
      } catch {
        throw sealBroken("text");
      }
    },
  };
}

/** X25519's base point, the u-coordinate 9 (RFC 7748 §4.1): a secret times it is its public key. */
const BASE_POINT = new Uint8Array(KEY_BYTES).fill(9, 0, 1);
/** What PKCS #8 puts before the 32 secret bytes (RFC 8410 §7): WebCrypto reads no bare private key. */
const PKCS8_X25519 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);
const PKCS8_ED25519 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);

type Exchanging = Pick<SealingCrypto, "newExchangeKey" | "exchangeKeyOf" | "exchange">;

function exchanging(subtle: SubtleCrypto): Exchanging {
  const exchange = async (secret: CryptoKey, theirs: Uint8Array): Promise<Uint8Array> => {
    const shared = await importAndDerive(subtle, secret, theirs).catch(() => undefined);
    // Engines refuse points of low order themselves, as the standard asks; an older one may not.
    if (shared === undefined || isEqual(shared, new Uint8Array(KEY_BYTES)))
      throw keyRefused("it is no point that keeps a secret");
    return shared;
  };
  return {
    async newExchangeKey() {
      const pair = await subtle.generateKey("X25519", false, ["deriveBits"]);
      const { publicKey, privateKey } = pair as CryptoKeyPairOf;
      return {
        use: "exchange",
        publicKey: new Uint8Array(await subtle.exportKey("raw", publicKey)),
        secret: privateKey,
      };
    },
    async exchangeKeyOf(secret) {
      const pkcs8 = source(concat(PKCS8_X25519, keyBytes(secret)));
      const imported = await subtle.importKey("pkcs8", pkcs8, "X25519", false, ["deriveBits"]);
      return { use: "exchange", publicKey: await exchange(imported, BASE_POINT), secret: imported };
    },
    exchange: async (own, theirs) => exchange(secretOf(own), keyBytes(theirs)),
  };
}

/** @types/node and the DOM name it differently. */
type CryptoKeyPairOf = { publicKey: CryptoKey; privateKey: CryptoKey };

async function importAndDerive(subtle: SubtleCrypto, secret: CryptoKey, theirs: Uint8Array): Promise<Uint8Array> {
  const imported = await subtle.importKey("raw", source(theirs), "X25519", true, []);
  return new Uint8Array(await subtle.deriveBits({ name: "X25519", public: imported }, secret, 8 * KEY_BYTES));
}

type Signing = Pick<SealingCrypto, "newSigningKey" | "signingKeyOf" | "sign" | "verify">;

function signing(subtle: SubtleCrypto): Signing {
  return {
    async newSigningKey() {
      const pair = await subtle.generateKey("Ed25519", false, ["sign", "verify"]);
      const { publicKey, privateKey } = pair as CryptoKeyPairOf;
      return {
        use: "signing",
        publicKey: new Uint8Array(await subtle.exportKey("raw", publicKey)),
        secret: privateKey,
      };
    },
    async signingKeyOf(secret) {
      const pkcs8 = source(concat(PKCS8_ED25519, keyBytes(secret)));
      // WebCrypto tells a public key of a private one only as a JWK, of a key that can be read out: kept is one that cannot.
      const readable = await subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
      const { x } = await subtle.exportKey("jwk", readable);
      const imported = await subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
      return { use: "signing", publicKey: fromBase64Url(x ?? ""), secret: imported };
    },
    sign: async (key, bytes) => new Uint8Array(await subtle.sign("Ed25519", secretOf(key), source(bytes))),
    async verify(publicKey, bytes, signature) {
      if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
      if (!isSoundPoint(publicKey) || !isSoundSignature(signature)) return false;
      try {
        const imported = await subtle.importKey("raw", source(publicKey), "Ed25519", true, ["verify"]);
        return await subtle.verify("Ed25519", imported, source(signature), source(bytes));
      } catch {
        return false;
      }
    },
  };
}

const secretOf = (key: AeadKey | ExchangeKey | SigningKey): CryptoKey => key.secret as CryptoKey;

/** WebCrypto's types want memory that is not shared between threads; ours never is. */
const source = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => bytes as Uint8Array<ArrayBuffer>;

function keyBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.length !== KEY_BYTES) throw formInvalid("key", `it has ${bytes.length} bytes, not ${KEY_BYTES}`);
  return source(bytes);
}

const fromBase64Url = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
