import { randomInt } from "node:crypto";
import { assert } from "../protocol/errors.ts";

/**
 * Ids of jobs: a digit, then two of [0-9A-Za-z], so that no id is a name. There are 38,440 of them; when chance does not find a free one in
 * TRIES_PER_LENGTH tries (nineteen in twenty are then taken), the id grows by a character.
 */

const DIGITS = "0123456789";
const ALPHABET = `${DIGITS}ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz`;
const LENGTH_MIN = 3;
const LENGTH_MAX = 8;
const TRIES_PER_LENGTH = 64;

/** @param below an integer in [0, limit), every one equally likely */
export function newJobId(
  isTaken: (id: string) => boolean,
  below: (limit: number) => number = (limit) => randomInt(limit),
): string {
  for (let length = LENGTH_MIN; length <= LENGTH_MAX; length++) {
    for (let tries = 0; tries < TRIES_PER_LENGTH; tries++) {
      const id = randomId(length, below);
      if (!isTaken(id)) return id;
    }
  }
  assert(false, `a free job id of at most ${LENGTH_MAX} characters`);
}

function randomId(length: number, below: (limit: number) => number): string {
  let id = DIGITS[below(DIGITS.length)]!;
  while (id.length < length) id += ALPHABET[below(ALPHABET.length)];
  return id;
}
