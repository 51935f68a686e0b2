import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../platform/clock.ts";
import { silentLog } from "../platform/log.ts";
import type { NewJob, UpJob } from "../protocol/messages.ts";
import { wakefulClock } from "../runs/run-fixture.ts";
import { Jobs } from "./jobs.ts";
import type { EventRecord, JobRecord } from "./records.ts";
import { openState } from "./schema.ts";

/** For tests: the jobs domain on a real database with real processes in a temporary directory; all ended and removed at the end. */

const EVENT_DEADLINE_MS = 10_000;
const GRACE_MS = 3_000;

export interface FixtureOptions {
  clock?: Clock;
  /** Of the jitter; default 0, so that delays are whole. */
  random?: () => number;
}

export class JobsFixture implements AsyncDisposable {
  readonly directory: string;
  readonly clock: Clock;
  readonly events: EventRecord[] = [];
  jobs!: Jobs;
  database!: DatabaseSync;
  #hasTakenUp = false;
  readonly #random: () => number;
  readonly #listeners = new Set<(event: EventRecord) => void>();
  /** The product's own watches and timers do not keep a process alive. */
  readonly #keepAlive = setInterval(() => {}, 60_000);

  static async make(options: FixtureOptions = {}): Promise<JobsFixture> {
    const directory = await realpath(await mkdtemp(join(tmpdir(), "warren-jobs-")));
    for (const name of ["status", "logs"]) await mkdir(join(directory, name));
    const fixture = new JobsFixture(directory, options);
    await fixture.open();
    return fixture;
  }

  /** In a directory that another one has made and will remove. */
  static async at(directory: string): Promise<JobsFixture> {
    const fixture = new JobsFixture(directory, {});
    await fixture.open();
    return fixture;
  }

  private constructor(directory: string, { clock = wakefulClock, random = () => 0 }: FixtureOptions) {
    this.directory = directory;
    this.clock = clock;
    this.#random = random;
  }

  /** What a server does at its start. */
  async open(): Promise<Jobs> {
    this.prepare();
    await this.takeUp();
    return this.jobs;
  }

  /** The second half of `open`: takes up what runs. */
  async takeUp(): Promise<void> {
    this.#hasTakenUp = true;
    await this.jobs.start();
  }

  /** As `open`, but nothing is taken up yet. */
  prepare(): void {
    this.#hasTakenUp = false;
    this.database = openState(join(this.directory, "state.db"), Date.now()).database;
    this.jobs = new Jobs({
      database: this.database,
      ...placesIn(this.directory),
      nodePath: process.execPath,
      server: "blazing",
      clock: this.clock,
      log: silentLog,
      random: this.#random,
      graceMs: GRACE_MS,
      logMaxBytes: 1024 * 1024,
      freeSpaceFloorBytes: 0,
      emit: (event) => {
        this.events.push(event);
        for (const listener of [...this.#listeners]) listener(event);
      },
    });
  }

  /** A generation lets go, the next one takes up. */
  async reopen(): Promise<Jobs> {
    this.jobs.close();
    return this.open();
  }

  spec(script: string, extra: Partial<NewJob> = {}): NewJob {
    return { command: ["sh", "-c", script], workdir: this.directory, env: ENV, ...extra };
  }

  upSpec(name: string, script: string, extra: Partial<UpJob> = {}): UpJob {
    return { ...this.spec(script), ...extra, name };
  }

  /** The next event for which it holds; of those to come. */
  next(matches: (event: EventRecord) => boolean, what = "an event"): Promise<EventRecord> {
    const { promise, resolve, reject } = Promise.withResolvers<EventRecord>();
    const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), EVENT_DEADLINE_MS);
    const listener = (event: EventRecord): void => {
      if (matches(event)) resolve(event);
    };
    this.#listeners.add(listener);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#listeners.delete(listener);
    });
  }

  nextOf(type: string, jobId?: string): Promise<EventRecord> {
    return this.next((event) => event.type === type && (jobId === undefined || event.jobId === jobId), type);
  }

  /** The end of the job's run and what was decided upon it. */
  async nextDecision(jobId?: string): Promise<JobRecord> {
    const stopped = await this.nextOf("job_stopped", jobId);
    await Promise.resolve(); // the decision is made in the same step, after the event
    return this.record(stopped.jobId);
  }

  record(jobId: string): JobRecord {
    const job = this.jobs.store.job(jobId);
    if (!job) throw new Error(`no job ${jobId}`);
    return job;
  }

  runCountOf(jobId: string): number {
    return this.jobs.store.runsOfJob(jobId).length;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (!this.#hasTakenUp) await this.takeUp(); // a test that failed before
      const { survivors } = await this.jobs.nuke({ grace_ms: 0 });
      if (survivors.length > 0) throw new Error(`survivors: ${survivors}`);
    } finally {
      this.jobs.close();
      clearInterval(this.#keepAlive);
      await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

export const ENV = [`PATH=${process.env.PATH}`];

export const placesIn = (directory: string) => ({
  statusDir: join(directory, "status"),
  logsDir: join(directory, "logs"),
});
