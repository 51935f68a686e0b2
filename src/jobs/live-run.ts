import type { ProcessIdentity } from "../platform/process.ts";
import type { Outcome } from "../protocol/outcome.ts";
import type { RunMarks } from "../runs/tree.ts";
import type { RunRecord } from "./records.ts";

/** A run that has not ended, in memory: its row, who it is, and who waits for it. One per run, owned by the Runner. */
export class LiveRun {
  record: RunRecord;
  /** Settles when the row says `ended`. */
  readonly ended: Promise<Outcome>;
  readonly #ended = Promise.withResolvers<Outcome>();
  /** Aborted when the run ends: timers, watches and probes hang on it. */
  readonly #over = new AbortController();
  /** Set while somebody stops it. */
  stopping: { escalate: () => void; done: Promise<number[]> } | undefined;
  /** The shim is gone without a word: the job's own process is watched instead, and its status will not be known. */
  shimLost = false;
  /** We started it: the system tells us of its shim's end. Others are looked after. */
  isOurChild = false;
  job: ProcessIdentity | undefined;
  shim: ProcessIdentity | undefined;
  /** Resolves true when its process exists and the row says so; false when the start was taken back. */
  readonly started: Promise<boolean>;
  readonly #started = Promise.withResolvers<boolean>();

  constructor(record: RunRecord) {
    this.record = record;
    this.ended = this.#ended.promise;
    this.started = this.#started.promise;
  }

  get id(): string {
    return this.record.id;
  }

  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** What the tree is found by. */
  get marks(): RunMarks | undefined {
    if (!this.job || !this.shim) return undefined;
    return { runId: this.id, tag: this.record.tag, job: this.job, shim: this.shim };
  }

  identify(job: ProcessIdentity, shim: ProcessIdentity): void {
    this.job = job;
    this.shim = shim;
    this.record = {
      ...this.record,
      bootId: job.bootId,
      jobPid: job.pid,
      jobTicks: job.startTicks,
      shimPid: shim.pid,
      shimTicks: shim.startTicks,
    };
  }

  settleStart(isRunning: boolean): void {
    this.#started.resolve(isRunning);
  }

  settle(outcome: Outcome): void {
    this.#started.resolve(false);
    this.#ended.resolve(outcome);
    this.#over.abort();
  }
}
