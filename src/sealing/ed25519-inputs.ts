/**
 * Strictness that engines differ in (RFC 8032 §5.1.7, and "Taming the many EdDSAs", §3): a point whose encoding is not canonical, or that is of
 * low order, lets one signature fit many texts or many keys; `S` past the group's order lets one be changed and still hold.
 * These checks are on public data, so they need not take the same time for all of it.
 */

/** The field's prime 2^255 - 19. */
const PRIME = 2n ** 255n - 19n;
/** The order of the group, 2^252 + 27742317777372353535851937790883648493. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
/** The y-coordinates of the eight points of low order: 0, 1, -1, and two of order 8 (with either sign). */
const LOW_ORDER_Y: readonly bigint[] = [
  0n,
  1n,
  PRIME - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
];

/** Whether 32 bytes are the canonical form of a number below the prime that is no point of low order. */
export function isSoundPoint(encoded: Uint8Array): boolean {
  const y = littleEndian(encoded) & (2n ** 255n - 1n);
  return y < PRIME && !LOW_ORDER_Y.includes(y);
}

/** Whether both halves of 64 bytes, the point R and the number S, are sound. */
export const isSoundSignature = (signature: Uint8Array): boolean =>
  isSoundPoint(signature.subarray(0, 32)) && littleEndian(signature.subarray(32)) < ORDER;

function littleEndian(bytes: Uint8Array): bigint {
  let hex = "0x";
  for (let index = bytes.length - 1; index >= 0; index--) hex += bytes[index]!.toString(16).padStart(2, "0");
  return BigInt(hex);
}
