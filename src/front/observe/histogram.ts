/**
 * Durations, counted in buckets that grow with what they hold: exact below 8 µs, then eight to each power of two, so a percentile is at most an eighth too
 * high. Counting makes nothing. The powers of two are edges of buckets, which is what Prometheus is told.
 */

/** Sub-buckets to a power of two. */
const SUBS = 8;
const SUB_BITS = 3;
/** Longer than 2^27 µs, two minutes, counts as that long: the front gives up before. */
const TOP_BIT = 26;
const BUCKET_COUNT = (TOP_BIT - SUB_BITS + 2) * SUBS;
const US_MAX = 2 ** (TOP_BIT + 1) - 1;

export class Histogram {
  /** Doubles: a busy bucket passes 2^32 within a day. */
  readonly #counts = new Float64Array(BUCKET_COUNT);
  count = 0;
  sumMs = 0;

  record(durationMs: number): void {
    this.count++;
    this.sumMs += durationMs;
    this.#counts[bucketOf(Math.min(US_MAX, Math.max(0, durationMs * 1_000)))]!++;
  }

  /** The duration in ms under which this share (0–1) of all lay; 0 when there was none. */
  percentileMs(share: number): number {
    const wanted = Math.max(1, Math.ceil(this.count * share));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
      seen += this.#counts[bucket]!;
      if (seen >= wanted) return upperEdgeUs(bucket) / 1_000;
    }
    return 0;
  }

  /** Both together. */
  with(other: Histogram): Histogram {
    const both = new Histogram();
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++)
      both.#counts[bucket] = this.#counts[bucket]! + other.#counts[bucket]!;
    both.count = this.count + other.count;
    both.sumMs = this.sumMs + other.sumMs;
    return both;
  }

  /** How many were shorter than 2^bit µs; bit: 3–27. */
  countBelow(bit: number): number {
    let seen = 0;
    for (let bucket = 0; bucket < (bit - SUB_BITS + 1) * SUBS; bucket++) seen += this.#counts[bucket]!;
    return seen;
  }
}

function bucketOf(us: number): number {
  const whole = us | 0;
  if (whole < SUBS) return whole;
  const bit = 31 - Math.clz32(whole);
  return (bit - SUB_BITS + 1) * SUBS + ((whole >>> (bit - SUB_BITS)) & (SUBS - 1));
}

function upperEdgeUs(bucket: number): number {
  if (bucket < SUBS) return bucket + 1;
  const bit = Math.floor(bucket / SUBS) + SUB_BITS - 1;
  return 2 ** bit + ((bucket % SUBS) + 1) * 2 ** (bit - SUB_BITS);
}
