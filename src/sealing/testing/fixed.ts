import { fromHex, toHex } from "../bytes.ts";
import type { SealingCrypto } from "../crypto.ts";

/** Fixed bytes and keys for tests; runs in a browser as well. */

/** `crypto` whose next new exchange keys are made of these secrets: for vectors. */
export function withEphemerals(crypto: SealingCrypto, ...secrets: Uint8Array[]): SealingCrypto {
  const left = [...secrets];
  return {
    ...crypto,
    newExchangeKey: () => {
      const secret = left.shift();
      if (secret === undefined) throw new Error("an ephemeral that was not foreseen");
      return crypto.exchangeKeyOf(secret);
    },
  };
}

export const hexOf = toHex;
export function bytesOf(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  if (bytes === undefined) throw new Error(`${hex} is no hex`);
  return bytes;
}

/** `length` bytes that count up from `first`. */
export const counting = (length: number, first = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (first + index) & 0xff);
