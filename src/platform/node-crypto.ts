import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { concat } from "../sealing/bytes.ts";
import { KEY_BYTES, type SealingCrypto, SIGNATURE_BYTES, TAG_BYTES } from "../sealing/crypto.ts";
import { isSoundPoint, isSoundSignature } from "../sealing/ed25519-inputs.ts";
import { formInvalid, keyRefused, sealBroken } from "../sealing/errors.ts";

/**
 * {@link SealingCrypto} on node:crypto, for hubs, machines and command lines: each operation is done at once in this thread, where WebCrypto sends each to
 * another and back, which costs several times what a frame's cipher does. Not for pages. Its keys are handles in this process's memory, which their files in the
 * home outlive: there is nothing to gain by keeping them from being read out.
 */
const CIPHER = "aes-256-gcm";
/** What DER puts before the 32 bytes (RFC 8410). */
const DER = {
  x25519: { public: "302a300506032b656e032100", secret: "302e020100300506032b656e04220420" },
  ed25519: { public: "302a300506032b6570032100", secret: "302e020100300506032b657004220420" },
};
type Curve = keyof typeof DER;

export function nodeCrypto(): SealingCrypto {
  return {
    random: (length) => new Uint8Array(randomBytes(length)),
    sha256: async (bytes) => own(createHash("sha256").update(bytes).digest()),
    hmac: async (key, bytes) => own(createHmac("sha256", key).update(bytes).digest()),
    hkdf: async ({ secret, salt, info, length }) => new Uint8Array(hkdfSync("sha256", secret, salt, info, length)),

    aeadKey: async (bytes) => ({ use: "aead", secret: createSecretKey(keyBytes(bytes)) }),
    async seal({ secret }, text, { nonce, aad }) {
      const cipher = createCipheriv(CIPHER, secret as KeyObject, nonce).setAAD(aad);
      return concat(cipher.update(text), cipher.final(), cipher.getAuthTag());
    },
    async open({ secret }, sealed, { nonce, aad }) {
      const decipher = createDecipheriv(CIPHER, secret as KeyObject, nonce).setAAD(aad);
      try {
        decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
        return concat(decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final());
      } catch {
        throw sealBroken("text");
      }
    },

    newExchangeKey: async () => ({ use: "exchange", ...newKey("x25519") }),
    exchangeKeyOf: async (bytes) => ({ use: "exchange", ...keyOf("x25519", bytes) }),
    async exchange({ secret }, theirs) {
      const publicKey = publicKeyOf("x25519", keyBytes(theirs));
      try {
        return own(diffieHellman({ privateKey: secret as KeyObject, publicKey }));
      } catch {
        throw keyRefused("it is no point that keeps a secret");
      }
    },

    newSigningKey: async () => ({ use: "signing", ...newKey("ed25519") }),
    signingKeyOf: async (bytes) => ({ use: "signing", ...keyOf("ed25519", bytes) }),
    sign: async ({ secret }, bytes) => own(sign(null, bytes, secret as KeyObject)),
    async verify(publicKey, bytes, signature) {
      if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
      if (!isSoundPoint(publicKey) || !isSoundSignature(signature)) return false;
      try {
        return verify(null, bytes, publicKeyOf("ed25519", publicKey), signature);
      } catch {
        return false; // no point of the curve
      }
    },
  };
}

function keyBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== KEY_BYTES) throw formInvalid("key", `it has ${bytes.length} bytes, not ${KEY_BYTES}`);
  return bytes;
}

const own = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);

const publicKeyOf = (curve: Curve, bytes: Uint8Array): KeyObject =>
  createPublicKey({
    key: Buffer.from(DER[curve].public + Buffer.from(bytes).toString("hex"), "hex"),
    format: "der",
    type: "spki",
  });

const bytesOf = (key: KeyObject): Uint8Array => own(key.export({ format: "der", type: "spki" }).subarray(-32));

function newKey(curve: Curve): { publicKey: Uint8Array; secret: KeyObject } {
  const pair = curve === "x25519" ? generateKeyPairSync("x25519") : generateKeyPairSync("ed25519");
  return { publicKey: bytesOf(pair.publicKey), secret: pair.privateKey };
}

function keyOf(curve: Curve, secret: Uint8Array): { publicKey: Uint8Array; secret: KeyObject } {
  const der = Buffer.from(DER[curve].secret + Buffer.from(keyBytes(secret)).toString("hex"), "hex");
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return { publicKey: bytesOf(createPublicKey(key)), secret: key };
}
