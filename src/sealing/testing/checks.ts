import assert from "node:assert/strict";
import { isWarrenError } from "../../protocol/errors.ts";

/** A copy for each bit of `bytes`, in which that bit is the other. */
export function* everyBitFlipped(bytes: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < bytes.length * 8; bit++) yield flipBit(bytes, bit);
}

export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

export async function rejectsWith(code: string, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => isWarrenError(error, code) || assert.fail(`${code} expected, not ${error}`));
}

export function throwsWith(code: string, work: () => unknown): void {
  assert.throws(work, (error) => isWarrenError(error, code) || assert.fail(`${code} expected, not ${error}`));
}
