import { concat, utf8 } from "./bytes.ts";
import { type ExchangeKey, KEY_BYTES, type SealingCrypto, TAG_BYTES } from "./crypto.ts";
import { formInvalid, sealBroken } from "./errors.ts";

/**
 * HPKE (RFC 9180), base mode, one text: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Seals something to one who is away; who it
 * is from has to be signed besides.
 */

const NOTHING = new Uint8Array(0);
/** §7: KEM 0x0020; and KEM 0x0020, KDF 0x0001, AEAD 0x0002. */
const KEM_SUITE = concat(utf8("KEM"), Uint8Array.of(0x00, 0x20));
const SUITE = concat(utf8("HPKE"), Uint8Array.of(0x00, 0x20, 0x00, 0x01, 0x00, 0x02));
const VERSION = utf8("HPKE-v1");
const MODE_BASE = Uint8Array.of(0);

/** What a sealed text is longer than its text: the ephemeral key and the tag. */
export const HPKE_OVERHEAD_BYTES = KEY_BYTES + TAG_BYTES;

export interface HpkeText {
  text: Uint8Array;
  /** What it is for; part of the key. */
  info: Uint8Array;
}

/** The ephemeral public key (32 bytes), then the sealed text. @param to the receiver's public key. @throws KEY_REFUSED */
export async function sealTo(crypto: SealingCrypto, to: Uint8Array, { text, info }: HpkeText): Promise<Uint8Array> {
  const ephemeral = await crypto.newExchangeKey();
  const shared = await crypto.exchange(ephemeral, to);
  const { key, nonce } = await schedule(crypto, { shared, context: concat(ephemeral.publicKey, to), info });
  return concat(ephemeral.publicKey, await crypto.seal(await crypto.aeadKey(key), text, { nonce, aad: NOTHING }));
}

/** @throws FORM_INVALID, KEY_REFUSED, SEAL_BROKEN */
export async function openFrom(
  crypto: SealingCrypto,
  own: ExchangeKey,
  { sealed, info }: { sealed: Uint8Array; info: Uint8Array },
): Promise<Uint8Array> {
  if (sealed.length < HPKE_OVERHEAD_BYTES) throw formInvalid("sealed key", "it is cut");
  const ephemeral = sealed.subarray(0, KEY_BYTES);
  const shared = await crypto.exchange(own, ephemeral);
  const { key, nonce } = await schedule(crypto, { shared, context: concat(ephemeral, own.publicKey), info });
  const aead = await crypto.aeadKey(key);
  return crypto.open(aead, sealed.subarray(KEY_BYTES), { nonce, aad: NOTHING }).catch(() => {
    throw sealBroken("sealed key");
  });
}

/** ExtractAndExpand (§4.1), then KeySchedule (§5.1) with neither psk nor its id. */
async function schedule(
  crypto: SealingCrypto,
  { shared, context, info }: { shared: Uint8Array; context: Uint8Array; info: Uint8Array },
): Promise<{ key: Uint8Array; nonce: Uint8Array }> {
  const prk = await extract(crypto, { suite: KEM_SUITE, salt: NOTHING, label: "eae_prk", secret: shared });
  const kemSecret = await expand(crypto, { suite: KEM_SUITE, prk, label: "shared_secret", info: context, length: 32 });
  const pskId = await extract(crypto, { suite: SUITE, salt: NOTHING, label: "psk_id_hash", secret: NOTHING });
  const infoHash = await extract(crypto, { suite: SUITE, salt: NOTHING, label: "info_hash", secret: info });
  const keyContext = concat(MODE_BASE, pskId, infoHash);
  const secret = await extract(crypto, { suite: SUITE, salt: kemSecret, label: "secret", secret: NOTHING });
  return {
    key: await expand(crypto, { suite: SUITE, prk: secret, label: "key", info: keyContext, length: 32 }),
    nonce: await expand(crypto, { suite: SUITE, prk: secret, label: "base_nonce", info: keyContext, length: 12 }),
  };
}

/** LabeledExtract (§4). HMAC fills a key up with zeros, so that 32 of them are the empty salt. */
function extract(
  crypto: SealingCrypto,
  { suite, salt, label, secret }: { suite: Uint8Array; salt: Uint8Array; label: string; secret: Uint8Array },
): Promise<Uint8Array> {
  return crypto.hmac(salt.length === 0 ? new Uint8Array(32) : salt, concat(VERSION, suite, utf8(label), secret));
}

/** LabeledExpand (§4), of at most one block. */
async function expand(
  crypto: SealingCrypto,
  parts: { suite: Uint8Array; prk: Uint8Array; label: string; info: Uint8Array; length: number },
): Promise<Uint8Array> {
  const { suite, prk, label, info, length } = parts;
  const labelled = concat(Uint8Array.of(0, length), VERSION, suite, utf8(label), info);
  return (await crypto.hmac(prk, concat(labelled, Uint8Array.of(1)))).slice(0, length);
}
