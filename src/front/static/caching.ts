import type { GatewayMode } from "../../protocol/front-messages.ts";

/** Lengths in which bundlers write a hash into a name. */
const HASH_LENGTHS = new Set([8, 10, 12, 16, 20, 32, 40, 64]);
const A_YEAR_S = 365 * 24 * 3_600;

/**
 * How long a file may be kept without asking. In development never: it is asked each time, and answered with 304. In production also, unless its name
 * holds its hash, so that other content has another name: then for a year. A hash is hexadecimal, of a usual length, between dots or dashes, with a digit
 * and a letter (so that neither `20241231` nor a word is one). Other alphabets are not guessed at: a wrong guess would show an old file for a year,
 * a missed one costs a 304.
 */
export function cacheControlOf(fileName: string, mode: GatewayMode): string {
  if (mode === "dev") return "no-cache";
  return hasHash(fileName) ? `public, max-age=${A_YEAR_S}, immutable` : "public, max-age=0, must-revalidate";
}

function hasHash(fileName: string): boolean {
  return fileName
    .split(/[.-]/)
    .slice(1)
    .some(
      (piece) => HASH_LENGTHS.has(piece.length) && /^[0-9a-f]+$/.test(piece) && /\d/.test(piece) && /[a-f]/.test(piece),
    );
}
