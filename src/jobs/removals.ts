import type { Turns } from "../platform/turns.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import { removeLogs } from "../runs/logs/remove.ts";
import type { Answers } from "./answers.ts";
import type { Desire } from "./desire.ts";
import * as errors from "./errors.ts";
import type { Ledger } from "./ledger.ts";
import { type JobRecord, labelOf } from "./records.ts";
import { sweepOrphans } from "./run-logs.ts";
import type { Runner } from "./runner.ts";
import type { JobStore, Receipt } from "./store.ts";

/** What makes jobs and runs go: with their history and their logs, and never while they run. */
export interface RemovalsOptions {
  store: JobStore;
  ledger: Ledger;
  runner: Runner;
  desire: Desire;
  answers: Answers;
  turns: Turns;
  logsDir: string;
}

export class Removals {
  readonly #options: RemovalsOptions;

  constructor(options: RemovalsOptions) {
    this.#options = options;
  }

  async job(job: JobRecord, receipt?: Receipt): Promise<DataOf<"remove">> {
    const { turns, runner, store, answers } = this.#options;
    return turns.take(job.id, async () => {
      if (runner.ofJob(job.id)) throw errors.cannotRemoveRunning(labelOf(job));
      const pid = store.latestRun(job.id)?.jobPid ?? 0;
      const answer = { job_id: job.id, pid };
      await this.#remove(job, () => answers.keep(receipt, answer));
      return answer;
    });
  }

  async run({ run_id }: PayloadOf<"remove_run">, receipt?: Receipt): Promise<DataOf<"remove_run">> {
    const { store, ledger, answers, logsDir } = this.#options;
    const run = store.run(run_id);
    if (!run) throw errors.runNotFound(run_id);
    if (run.state !== "ended") throw errors.cannotRemoveRunningRun(run_id);
    ledger.commit((tell) => {
      const job = store.job(run.jobId);
      store.deleteRun(run_id);
      if (job) tell("run_removed", job, run);
      answers.keep(receipt, { run_id });
    });
    await removeLogs(logsDir, [run_id]);
    return { run_id };
  }

  /** Those that have ended and are not to run, and the logs of no run. */
  async ended({ workdir }: PayloadOf<"cleanup">, receipt?: Receipt): Promise<DataOf<"cleanup">> {
    const { store, turns, runner, answers, logsDir } = this.#options;
    const counts = { removed: 0, runs: 0, orphaned_logs: 0, bytes: 0 };
    for (const job of store.jobs(workdir)) {
      await turns.take(job.id, async () => {
        if (runner.ofJob(job.id) || store.job(job.id)?.wanted !== "down") return;
        const removed = await this.#remove(job, () => {});
        counts.removed += 1;
        counts.runs += removed.runs;
        counts.bytes += removed.bytes;
      });
    }
    const orphans = await sweepOrphans(logsDir, store.runIds());
    counts.orphaned_logs = orphans.files;
    counts.bytes += orphans.bytes;
    return answers.keepAfter(receipt, counts);
  }

  async #remove(job: JobRecord, alsoCommit: () => void): Promise<{ runs: number; bytes: number }> {
    const { store, ledger, desire, logsDir } = this.#options;
    desire.forget(job.id);
    const runs = store.runsOfJob(job.id);
    ledger.commit((tell) => {
      store.deleteJob(job.id);
      tell("job_removed", job, runs[0]);
      alsoCommit();
    });
    // Behind the rows, so that a crash in between leaves files of no run, which `sweepOrphans` finds.
    const bytes = await removeLogs(
      logsDir,
      runs.map(({ id }) => id),
    );
    return { runs: runs.length, bytes };
  }
}
