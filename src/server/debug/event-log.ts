import { timestamp } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { cutText } from "../../protocol/cut-text.ts";
import { DEBUG_LOG_LENGTH, type DebugLog, type DebugLogEntry } from "../../protocol/debug.ts";

/**
 * The last events of this generation, by number. Older ones are overwritten: it takes as much room after a year as after an hour. It is written to when
 * something happens to the server, a client or a job, never for a message or a byte.
 */
const TEXT_LENGTH_MAX = 500;

export interface EventLogOptions {
  /** Default 1,000. */
  length?: number;
  nowMs?: () => number;
}

export class EventLog {
  readonly #length: number;
  readonly #nowMs: () => number;
  readonly #entries: DebugLogEntry[] = [];
  readonly #followers = new Set<(entry: DebugLogEntry) => void>();
  #seq = 0;

  constructor({ length = DEBUG_LOG_LENGTH, nowMs = Date.now }: EventLogOptions = {}) {
    this.#length = length;
    this.#nowMs = nowMs;
  }

  push(kind: DebugLogEntry["kind"], event: string, fields?: Record<string, unknown>): void {
    this.#seq += 1;
    const entry: DebugLogEntry = { seq: this.#seq, at: timestamp(this.#nowMs()), kind, event };
    if (fields !== undefined) entry.fields = clipped(fields);
    this.#entries[this.#seq % this.#length] = entry;
    for (const tell of this.#followers) tell(entry);
  }

  /** What came after `seq`, oldest first. */
  after(seq = 0): DebugLog {
    const oldest = Math.max(1, this.#seq - this.#length + 1);
    const from = Math.max(seq + 1, oldest);
    const entries: DebugLogEntry[] = [];
    for (let at = from; at <= this.#seq; at++) entries.push(this.#entries[at % this.#length]!);
    return { entries, dropped_count: Math.max(0, Math.min(from, this.#seq + 1) - seq - 1), seq: this.#seq };
  }

  /** Tells what comes from now on; the answer ends that. */
  follow(tell: (entry: DebugLogEntry) => void): () => void {
    this.#followers.add(tell);
    return () => void this.#followers.delete(tell);
  }

  /** A log whose lines are remembered here as well. */
  tee(log: Log): Log {
    const level =
      (kind: "debug" | "info" | "warn" | "error"): Log["info"] =>
      (event, fields) => {
        log[kind](event, fields);
        this.push(kind, event, fields);
      };
    return { debug: level("debug"), info: level("info"), warn: level("warn"), error: level("error") };
  }
}

/** A stack or a long message is not kept whole a thousand times. */
const clipped = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === "string" && value.length > TEXT_LENGTH_MAX ? `${cutText(value, TEXT_LENGTH_MAX)}…` : value,
    ]),
  );
