import { type Clock, systemClock } from "../../platform/clock.ts";
import { RESERVED_PREFIX } from "../live/client-script.ts";
import type { ExchangeRecord } from "../proxy/responder.ts";
import { Histogram } from "./histogram.ts";
import { FRONT, isTimed } from "./metrics.ts";

/**
 * What happened lately, for somebody who looks at it now: the last exchanges, the last that failed, and by worker how many there are in a second and how long
 * they take. Bounded by the table's workers; what a worker needs is made at its first request.
 */
export interface SeenExchange {
  /** Wall time of its end. */
  atMs: number;
  exchange: Readonly<ExchangeRecord>;
}

export interface RecentCounts {
  /** Over the last ten whole seconds. */
  perSecond: number;
  /** Of the last one to two minutes; 0 when there was none. */
  p50Ms: number;
  p99Ms: number;
}

const EXCHANGES_KEPT = 50;
const FAILURES_KEPT = 20;
const RATE_SECONDS = 10;
const DURATIONS_MS = 60_000;
const NO_COUNTS: RecentCounts = { perSecond: 0, p50Ms: 0, p99Ms: 0 };

export class Recent {
  readonly #clock: Clock;
  readonly #exchanges = new LastOnes<SeenExchange>(EXCHANGES_KEPT);
  readonly #failures = new LastOnes<SeenExchange>(FAILURES_KEPT);
  #names = new Set<string>([FRONT]);
  #workers = new Map<string, WorkerRecent>();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Of others nothing is kept. */
  keep(workers: readonly { name: string }[]): void {
    if (workers.length === this.#names.size - 1 && workers.every(({ name }) => this.#names.has(name))) return;
    this.#names = new Set([FRONT, ...workers.map(({ name }) => name)]);
    for (const name of this.#workers.keys()) if (!this.#names.has(name)) this.#workers.delete(name);
  }

  record(exchange: Readonly<ExchangeRecord>): void {
    // Pages that look at us are no news.
    if (exchange.target.startsWith(RESERVED_PREFIX)) return;
    const nowMs = this.#clock.monotonicMs();
    const seen = { atMs: nowMs, exchange };
    this.#exchanges.add(seen);
    if (exchange.status >= 500) this.#failures.add(seen);
    this.#recentOf(exchange.worker ?? FRONT).record(nowMs, isTimed(exchange) ? exchange.durationMs : undefined);
  }

  of(worker: string): RecentCounts {
    return this.#workers.get(worker)?.counts(this.#clock.monotonicMs()) ?? NO_COUNTS;
  }

  /** The last first. */
  exchanges(): SeenExchange[] {
    return this.#onTheWall(this.#exchanges);
  }

  /** Answered with 5xx, the last first. */
  failures(): SeenExchange[] {
    return this.#onTheWall(this.#failures);
  }

  /** One clock is read for each exchange, and not two. */
  #onTheWall(seen: LastOnes<SeenExchange>): SeenExchange[] {
    const offsetMs = this.#clock.wallMs() - this.#clock.monotonicMs();
    return seen.newestFirst().map(({ atMs, exchange }) => ({ atMs: atMs + offsetMs, exchange }));
  }

  #recentOf(worker: string): WorkerRecent {
    const name = this.#names.has(worker) ? worker : FRONT;
    let recent = this.#workers.get(name);
    if (recent === undefined) {
      recent = new WorkerRecent();
      this.#workers.set(name, recent);
    }
    return recent;
  }
}

class WorkerRecent {
  /** By second, one more than is counted: the present one is not over. */
  readonly #counts = new Float64Array(RATE_SECONDS + 1);
  #second = 0;
  #before = new Histogram();
  #now = new Histogram();
  #periodStartMs = 0;

  record(nowMs: number, durationMs: number | undefined): void {
    this.#advance(nowMs);
    this.#counts[this.#second % this.#counts.length]!++;
    if (durationMs !== undefined) this.#now.record(durationMs);
  }

  counts(nowMs: number): RecentCounts {
    this.#advance(nowMs);
    const all = this.#counts.reduce((sum, count) => sum + count, 0);
    const present = this.#counts[this.#second % this.#counts.length]!;
    const both = this.#now.with(this.#before);
    return {
      perSecond: (all - present) / RATE_SECONDS,
      p50Ms: both.percentileMs(0.5),
      p99Ms: both.percentileMs(0.99),
    };
  }

  #advance(nowMs: number): void {
    const second = Math.floor(nowMs / 1_000);
    for (let at = Math.max(this.#second + 1, second - RATE_SECONDS); at <= second; at++)
      this.#counts[at % this.#counts.length] = 0;
    this.#second = second;
    if (nowMs - this.#periodStartMs < DURATIONS_MS) return;
    const isNext = nowMs - this.#periodStartMs < 2 * DURATIONS_MS;
    this.#before = isNext ? this.#now : new Histogram();
    this.#now = new Histogram();
    this.#periodStartMs = nowMs;
  }
}

/** The oldest gives way. */
class LastOnes<T> {
  readonly #max: number;
  readonly #kept: T[] = [];
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(one: T): void {
    this.#kept[this.#next] = one;
    this.#next = (this.#next + 1) % this.#max;
  }

  newestFirst(): T[] {
    return [...this.#kept.slice(this.#next), ...this.#kept.slice(0, this.#next)].reverse();
  }
}
