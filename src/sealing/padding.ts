import { formInvalid } from "./errors.ts";

/**
 * Texts are sealed at one of a few lengths: 64 bytes, then each a quarter longer than the one before (80, 100, 125, 156, …), so that a length
 * tells an observer the size within a quarter. The text's own length stands first (32 bits), zeros fill up.
 */

export const PADDED_BYTES_MIN = 64;
export const TEXT_LENGTH_BYTES = 4;

/** @param maxBytes the last step, whatever a quarter would come to */
export function pad(text: Uint8Array, maxBytes: number): Uint8Array {
  const padded = new Uint8Array(paddedLength(text.length + TEXT_LENGTH_BYTES, maxBytes));
  new DataView(padded.buffer).setUint32(0, text.length);
  padded.set(text, TEXT_LENGTH_BYTES);
  return padded;
}

/** @throws FORM_INVALID: no padding that {@link pad} makes */
export function unpad(padded: Uint8Array, maxBytes: number): Uint8Array {
  if (padded.length < PADDED_BYTES_MIN) throw formInvalid("text", "it is shorter than any");
  const length = new DataView(padded.buffer, padded.byteOffset).getUint32(0);
  const end = TEXT_LENGTH_BYTES + length;
  if (
    end > padded.length ||
    padded.length !== paddedLength(end, maxBytes) ||
    padded.subarray(end).some((byte) => byte !== 0)
  )
    throw formInvalid("text", "its padding is wrong");
  return padded.slice(TEXT_LENGTH_BYTES, end);
}

function paddedLength(length: number, maxBytes: number): number {
  let step = PADDED_BYTES_MIN;
  while (step < length && step < maxBytes) step += Math.floor(step / 4);
  return Math.min(step, maxBytes);
}
