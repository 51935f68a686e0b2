/**
 * Stops two polite agents that answer each other for ever. An exchange is a message that goes the other way than the one before it; many in a row
 * from one side are one exchange, so that long work is not mistaken for a loop. After `EXCHANGES_MAX` within `WINDOW_MS` the pair's messages are
 * held, a minute at first, and each time twice as long as the time before. A person who writes to either lets both go on.
 *
 * Kept in memory: a new leader begins to count anew.
 */
const EXCHANGES_MAX = 30;
const WINDOW_MS = 60_000;
const HOLD_MS = 60_000;
const HOLD_MS_MAX = 3_600_000;
/** Quiet for so long after a hold, a pair is as good as new. */
const FORGIVEN_MS = 600_000;
/** Pairs that are remembered; past it those that are quiet go. */
const PAIRS_MAX = 4_096;

interface Pair {
  names: readonly [string, string];
  lastFrom: string;
  /** When exchanges were, within the window. */
  turnsMs: number[];
  heldUntilMs: number;
  holdCount: number;
  seenMs: number;
}

export interface Hold {
  untilMs: number;
  /** The first message that is held: both are told. */
  isNew: boolean;
}

export class LoopGuard {
  readonly #pairs = new Map<string, Pair>();
  /** As they were when the transaction began; undefined: not there. */
  readonly #before = new Map<string, Pair | undefined>();

  /** A transaction begins, or has ended well. */
  keep(): void {
    this.#before.clear();
  }

  /** What was counted since `keep` has not been. */
  undo(): void {
    for (const [key, pair] of this.#before) {
      if (pair) this.#pairs.set(key, pair);
      else this.#pairs.delete(key);
    }
    this.#before.clear();
  }

  /** What would happen to a message now; changes nothing. */
  look(from: string, to: string, nowMs: number): Hold | undefined {
    const pair = this.#pairs.get(keyOf(from, to));
    if (!pair) return undefined;
    if (pair.heldUntilMs > nowMs) return { untilMs: pair.heldUntilMs, isNew: false };
    if (recent(pair, nowMs).length + (pair.lastFrom === from ? 0 : 1) < EXCHANGES_MAX) return undefined;
    const holdCount = nowMs - pair.heldUntilMs > FORGIVEN_MS ? 0 : pair.holdCount;
    return { untilMs: nowMs + Math.min(HOLD_MS * 2 ** holdCount, HOLD_MS_MAX), isNew: true };
  }

  /** The message was sent, and `hold` was what `look` said of it. */
  count(from: string, to: string, hold: Hold | undefined, nowMs: number): void {
    const key = keyOf(from, to);
    this.#note(key);
    const pair = this.#pairs.get(key) ?? fresh(from, to);
    if (hold?.isNew) {
      pair.holdCount = nowMs - pair.heldUntilMs > FORGIVEN_MS ? 1 : pair.holdCount + 1;
      pair.heldUntilMs = hold.untilMs;
      pair.turnsMs = [];
    } else if (!hold) {
      pair.turnsMs = recent(pair, nowMs);
      if (pair.lastFrom !== from) pair.turnsMs.push(nowMs);
    }
    pair.lastFrom = from;
    pair.seenMs = nowMs;
    this.#pairs.set(key, pair);
    if (this.#pairs.size > PAIRS_MAX) this.#forgetQuiet(nowMs);
  }

  /** A person wrote to `name`, or as it. */
  personWrote(name: string): void {
    for (const [key, { names }] of this.#pairs) {
      if (!names.includes(name)) continue;
      this.#note(key);
      this.#pairs.delete(key);
    }
  }

  #note(key: string): void {
    if (this.#before.has(key)) return;
    const pair = this.#pairs.get(key);
    this.#before.set(key, pair && { ...pair, turnsMs: [...pair.turnsMs] });
  }

  #forgetQuiet(nowMs: number): void {
    for (const [key, { seenMs, heldUntilMs }] of this.#pairs)
      if (nowMs - seenMs > WINDOW_MS && nowMs - heldUntilMs > FORGIVEN_MS) this.#pairs.delete(key);
    for (const key of this.#pairs.keys()) {
      if (this.#pairs.size <= PAIRS_MAX) return;
      this.#pairs.delete(key); // the oldest pair
    }
  }
}

const fresh = (from: string, to: string): Pair => ({
  names: [from, to],
  lastFrom: "",
  turnsMs: [],
  heldUntilMs: Number.NEGATIVE_INFINITY,
  holdCount: 0,
  seenMs: 0,
});

/** A wall clock that was set back leaves no exchange in the future. */
const recent = ({ turnsMs }: Pair, nowMs: number): number[] =>
  turnsMs.filter((atMs) => nowMs - atMs < WINDOW_MS && atMs <= nowMs);

const keyOf = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`);
