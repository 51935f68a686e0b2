import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { messageOf } from "../protocol/errors.ts";
import type { EventRecord, JobRecord, RunRecord } from "./records.ts";
import type { JobStore } from "./store.ts";

/**
 * Commits changes with their events. An event is on disk before anybody hears of it (so a subscriber that continues by `seq` misses nothing), and is
 * told only after the commit, in order.
 */
export type RecordEvent = (type: string, job: JobRecord, run?: RunRecord, extra?: Record<string, unknown>) => void;

export interface LedgerOptions {
  store: JobStore;
  clock: Clock;
  /** gob's fields of an event's data. */
  describe: (job: JobRecord, run: RunRecord | undefined) => Record<string, unknown>;
  emit: (event: EventRecord) => void;
  log: Log;
}

export class Ledger {
  readonly #options: LedgerOptions;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  commit<T>(work: (record: RecordEvent) => T): T {
    const { store, clock, describe, emit } = this.#options;
    const events: EventRecord[] = [];
    const result = store.transaction(() =>
      work((type, job, run, extra) => {
        events.push(
          store.appendEvent({
            type,
            jobId: job.id,
            workdir: job.workdir,
            atMs: clock.wallMs(),
            data: { ...describe(job, run), ...extra },
          }),
        );
      }),
    );
    for (const event of events) emit(event);
    return result;
  }

  /** For what nobody waits for an answer to: on a disk that is full nothing is told and the caller looks again later. */
  tryCommit(work: (record: RecordEvent) => void): boolean {
    try {
      this.commit(work);
      return true;
    } catch (error) {
      this.#options.log.error("commit_failed", { error: messageOf(error) });
      return false;
    }
  }
}
