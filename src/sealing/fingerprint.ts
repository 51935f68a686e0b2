import { concat, fromHex, toHex, utf8 } from "./bytes.ts";
import type { SealingCrypto } from "./crypto.ts";
import { FINGERPRINT_BYTES } from "./login.ts";

/** What people compare: a key's fingerprint, and the check of a pairing. */

/** 8 groups of 4 hex digits: `3f2a 91c0 …`. @param fingerprint 16 bytes */
export const fingerprintText = (fingerprint: Uint8Array): string =>
  (toHex(fingerprint).match(/.{1,4}/g) ?? []).join(" ");

/** The fingerprint that somebody typed or pasted, in any grouping and case; undefined for what is none. */
export function parseFingerprint(text: string): Uint8Array | undefined {
  const bytes = fromHex(text.replace(/[\s:-]/g, ""));
  return bytes?.length === FINGERPRINT_BYTES ? bytes : undefined;
}

/** 6 digits, `402 118`: the same at both ends of a pairing, and different for whoever sits between. @param handshakeHash of its Noise session */
export async function checkOf(crypto: SealingCrypto, handshakeHash: Uint8Array): Promise<string> {
  const hash = await crypto.sha256(concat(utf8("warren check 1"), handshakeHash));
  // 48 bits leave the six digits even to one in 2^28.
  const number = hash.subarray(0, 6).reduce((sum, byte) => sum * 256 + byte, 0) % 1_000_000;
  const digits = String(number).padStart(6, "0");
  return `${digits.slice(0, 3)} ${digits.slice(3)}`;
}
