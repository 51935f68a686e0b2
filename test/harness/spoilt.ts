import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "./random.ts";

/** Inputs that nobody wrote for a parser: made up, or the bytes of every sealed format, spoilt. */
const VECTORS = join(import.meta.dirname, "..", "..", "src", "sealing", "golden", "vectors.json");
const LENGTH_MAX = 2_000;

/** Bytes of each format, as the golden vectors have them. */
export function samples(): Uint8Array[] {
  const found = readFileSync(VECTORS, "utf8").matchAll(/\b(?:[0-9a-f]{2}){4,}\b/g);
  return [...new Set([...found].map(([hex]) => hex))].map((hex) => new Uint8Array(Buffer.from(hex, "hex")));
}

export class Spoilt {
  readonly #random: Random;
  readonly #samples: readonly Uint8Array[];

  constructor(random: Random, from: readonly Uint8Array[] = samples()) {
    this.#random = random;
    this.#samples = from;
  }

  next(): Uint8Array {
    const random = this.#random;
    if (random.oneIn(5)) return this.#madeUp(random.between(0, random.oneIn(10) ? LENGTH_MAX : 200));
    return this.of(random.pick(this.#samples));
  }

  /** One thing that is wrong with it, or several. */
  of(sample: Uint8Array): Uint8Array {
    const random = this.#random;
    let bytes: Uint8Array = sample.slice();
    do bytes = this.#once(bytes);
    while (random.oneIn(3));
    return bytes;
  }

  #once(bytes: Uint8Array): Uint8Array {
    const random = this.#random;
    const at = random.between(0, Math.max(0, bytes.length - 1));
    switch (random.between(0, 5)) {
      case 0: // a bit
        return bytes.map((byte, index) => (index === at ? byte ^ (1 << random.between(0, 7)) : byte));
      case 1: // cut
        return bytes.subarray(0, at);
      case 2: // longer
        return Uint8Array.of(...bytes, ...this.#madeUp(random.between(1, 40)));
      case 3: // a length or a number that is as large as can be
        return bytes.map((byte, index) => (index >= at && index < at + random.between(1, 8) ? 0xff : byte));
      case 4: // a piece of another one
        return Uint8Array.of(...bytes.subarray(0, at), ...random.pick(this.#samples).subarray(random.between(0, 20)));
      default: // zeros
        return bytes.map((byte, index) => (index >= at && index < at + 32 ? 0 : byte));
    }
  }

  #madeUp(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#random.between(0, 255));
  }
}
