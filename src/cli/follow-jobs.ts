import type { StreamEvent } from "../protocol/envelope.ts";
import type { Job } from "../protocol/units.ts";
import type { Start } from "../runs/logs/start.ts";
import type { Context } from "./context.ts";
import type { LogSelection } from "./log-flags.ts";
import { LogPrinter } from "./log-printer.ts";
import { commandText, exitCodeText } from "./render/job-text.ts";
import { outputOf, outputRunOf } from "./run-output.ts";

/**
 * Follows the logs of many jobs at once, those that are started later too, with a line of ours when one starts or ends. It learns of them by one
 * subscription: runs that are found running in the snapshot are followed from `start`, later ones from their beginning.
 */
export interface FollowJobsOptions {
  workdir?: string;
  /** Only these; default: all of `workdir`. */
  jobIds?: readonly string[];
  wanted: Pick<LogSelection, "streams" | "grep" | "json">;
  /** Where the runs that run already begin; default: at their beginning. */
  start?: Start;
  interrupted: AbortSignal;
}

export async function followJobs(context: Context, options: FollowJobsOptions): Promise<void> {
  await new JobsFollower(context, options).follow();
}

class JobsFollower {
  readonly #context: Context;
  readonly #options: FollowJobsOptions;
  readonly #printer: LogPrinter;
  /** By run id: called when the run has ended, or, without a job, when nobody will say so any more. */
  readonly #ends = new Map<string, (job?: Job) => void>();
  /** None rejects: what one fails with ends them all. */
  readonly #followers = new Set<Promise<void>>();
  readonly #failed = new AbortController();
  readonly #until: AbortSignal;

  constructor(context: Context, options: FollowJobsOptions) {
    this.#context = context;
    this.#options = options;
    this.#printer = new LogPrinter(context.output, options.wanted.json ? "json" : "tagged");
    this.#until = AbortSignal.any([options.interrupted, this.#failed.signal]);
  }

  async follow(): Promise<void> {
    const { workdir, jobIds } = this.#options;
    const filter = { ...(workdir ? { workdir } : {}), ...(jobIds ? { job_ids: [...jobIds] } : {}) };
    for await (const item of this.#context.ownClient().subscribe(filter, this.#until)) {
      if (item.kind === "snapshot") await this.#onSnapshot((item.snapshot as { jobs: Job[] } | null)?.jobs ?? []);
      else await this.#onEvent(item.event);
    }
    for (const end of this.#ends.values()) end();
    await Promise.all(this.#followers);
    this.#failed.signal.throwIfAborted();
    await this.#printer.flush();
  }

  async #onSnapshot(jobs: readonly Job[]): Promise<void> {
    for (const job of jobs) {
      const isFollowed = job.run_id !== undefined && this.#ends.has(job.run_id);
      if (job.status === "running" && !isFollowed) this.#begin(job, this.#options.start);
      // After a gap: what ended meanwhile.
      if (job.status === "stopped" && isFollowed) this.#ends.get(job.run_id!)?.(job);
    }
    if (this.#ends.size === 0) await this.#printer.note("waiting for jobs...");
    await this.#printer.flush();
  }

  async #onEvent({ event, data }: StreamEvent): Promise<void> {
    const job = data.job as Job | undefined;
    const run = data.run as { id: string } | undefined;
    if (!job || !run) return;
    if (event === "run_started" && !this.#ends.has(run.id)) {
      await this.#printer.note(`process started: ${commandText(job)} (pid:${job.pid} id:${job.id})`);
      this.#begin(job, undefined);
    } else if (event === "run_stopped") this.#ends.get(run.id)?.(job);
  }

  #begin(job: Job, start: Start | undefined): void {
    const runId = job.run_id ?? job.id;
    const { promise: ended, resolve } = Promise.withResolvers<Job | undefined>();
    this.#ends.set(runId, resolve);
    const follower = this.#followOne(job, runId, ended, start)
      .catch((error: unknown) => this.#failed.abort(error))
      .finally(() => this.#followers.delete(follower));
    this.#followers.add(follower);
  }

  async #followOne(job: Job, runId: string, ended: Promise<Job | undefined>, start: Start | undefined): Promise<void> {
    const { wanted } = this.#options;
    const run = outputRunOf(job.id, { ...job, id: runId });
    const source = await outputOf(this.#context);
    const from = start === undefined ? {} : { start };
    for await (const item of source.follow(run, { ended, streams: wanted.streams, signal: this.#until, ...from })) {
      if (item.kind === "omitted" || !wanted.grep || wanted.grep(item.bytes))
        await this.#printer.item(item, job.name ?? job.id);
      await this.#printer.flush();
    }
    const end = await ended;
    if (!end || this.#until.aborted) return;
    await this.#printer.note(
      `process stopped: ${commandText(job)} (pid:${job.pid} id:${job.id}) exit: ${exitCodeText(end.outcome)}`,
    );
    this.#ends.delete(runId);
    if (this.#ends.size === 0) await this.#printer.note("all processes stopped");
    await this.#printer.flush();
  }
}
