import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { diskFull } from "./errors.ts";
import type { EventRecord, JobRecord, RunRecord } from "./records.ts";

/**
 * Reads and writes state.db; decides nothing. Every change of the domain is one `transaction`: rows, events and the answer to the request together.
 * All statements are by key or by index, so that a home with 100,000 runs is as fast as an empty one.
 */

/** The client's mark on a request that changes something: its answer is stored with the effect, for a repeat. */
export interface Receipt {
  id: string;
  type: string;
}

type Row = Record<string, unknown>;

/** Events kept for subscribers that continue by `seq`; an older position gets a snapshot and `gap`. */
const EVENTS_KEPT = 20_000;
/** Old events are dropped once in this many. */
const EVENTS_PER_PRUNE = 1_000;
/** Answers are kept for a repeat this long. */
const ANSWERS_KEPT_MS = 24 * 3_600_000;
/** Old answers are dropped once in this many. */
const ANSWERS_PER_PRUNE = 100;

export class JobStore {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #answerCount = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** All or nothing; synchronous, so that nothing else comes between. @throws DISK_FULL */
  transaction<T>(work: () => T): T {
    this.#database.exec("begin immediate");
    try {
      const result = work();
      this.#database.exec("commit");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("rollback"); // a full disk has rolled it back already
      throw isDiskFull(error) ? diskFull(error) : error;
    }
  }

  close(): void {
    this.#database.close();
  }

  job(id: string): JobRecord | undefined {
    return jobOf(this.#get("select * from jobs where id = ?", id));
  }

  jobByIdentity(workdir: string, command: string[]): JobRecord | undefined {
    return jobOf(
      this.#get(
        "select * from jobs where workdir = ? and command = ? order by name is not null limit 1",
        workdir,
        JSON.stringify(command),
      ),
    );
  }

  jobByName(project: string, name: string): JobRecord | undefined {
    return jobOf(this.#get("select * from jobs where project = ? and name = ?", project, name));
  }

  jobsNamed(name: string): JobRecord[] {
    return this.#all("select * from jobs where name = ?", name).map(toJob);
  }

  /** Those of a directory or project, else all; the newest run first, as gob lists. */
  jobs(place?: string): JobRecord[] {
    const order = `order by coalesce((select max(started_at_ms) from runs where job_id = jobs.id and number = jobs.next_run_number - 1), created_at_ms) desc, id`;
    return place === undefined
      ? this.#all(`select * from jobs ${order}`).map(toJob)
      : this.#all(`select * from jobs where workdir = ? or project = ? ${order}`, place, place).map(toJob);
  }

  jobsWanted(): JobRecord[] {
    return this.#all("select * from jobs where wanted = 'up'").map(toJob);
  }

  jobCount(): number {
    return Number(this.#get("select count(*) as n from jobs")?.n);
  }

  insertJob(job: JobRecord): void {
    this.#run(
      `insert into jobs (id, name, project, command, workdir, options, stats, next_run_number, wanted, restart_count, restart_at_ms, env, created_at_ms)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      job.id,
      ...jobValues(job),
    );
  }

  updateJob(job: JobRecord): void {
    this.#run(
      `update jobs set name = ?, project = ?, command = ?, workdir = ?, options = ?, stats = ?, next_run_number = ?, wanted = ?, restart_count = ?,
       restart_at_ms = ?, env = ?, created_at_ms = ? where id = ?`,
      ...jobValues(job),
      job.id,
    );
  }

  deleteJob(id: string): void {
    this.#run("delete from runs where job_id = ?", id);
    this.#run("delete from jobs where id = ?", id);
  }

  run(id: string): RunRecord | undefined {
    return runOf(this.#get("select * from runs where id = ?", id));
  }

  /** Newest first. */
  runsOfJob(jobId: string, limit = -1): RunRecord[] {
    return this.#all("select * from runs where job_id = ? order by number desc limit ?", jobId, limit).map(toRun);
  }

  latestRun(jobId: string): RunRecord | undefined {
    return runOf(this.#get("select * from runs where job_id = ? order by number desc limit 1", jobId));
  }

  liveRuns(): RunRecord[] {
    return this.#all("select * from runs where state <> 'ended'").map(toRun);
  }

  /** Those of them that have ended, the oldest end first. */
  endedOf(runIds: readonly string[]): string[] {
    return this.#all(
      "select id from runs where id in (select value from json_each(?)) and state = 'ended' order by stopped_at_ms",
      JSON.stringify(runIds),
    ).map(({ id }) => String(id));
  }

  runIds(): Set<string> {
    return new Set(this.#all("select id from runs").map((row) => String(row.id)));
  }

  runCount(): number {
    return Number(this.#get("select count(*) as n from runs")?.n);
  }

  insertRun(run: RunRecord): void {
    this.#run(
      `insert into runs (id, job_id, number, state, cause, attempt, tag, boot_id, job_pid, job_ticks, shim_pid, shim_ticks, ready, sent,
       stop_deadline_ms, outcome, started_at_ms, stopped_at_ms, peak_memory_bytes, cpu_ms, stdout_dropped, stderr_dropped)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      run.id,
      ...runValues(run),
    );
  }

  updateRun(run: RunRecord): void {
    this.#run(
      `update runs set job_id = ?, number = ?, state = ?, cause = ?, attempt = ?, tag = ?, boot_id = ?, job_pid = ?, job_ticks = ?, shim_pid = ?,
       shim_ticks = ?, ready = ?, sent = ?, stop_deadline_ms = ?, outcome = ?, started_at_ms = ?, stopped_at_ms = ?, peak_memory_bytes = ?, cpu_ms = ?,
       stdout_dropped = ?, stderr_dropped = ? where id = ?`,
      ...runValues(run),
      run.id,
    );
  }

  deleteRun(id: string): void {
    this.#run("delete from runs where id = ?", id);
  }

  appendEvent(event: Omit<EventRecord, "seq">): EventRecord {
    const { lastInsertRowid } = this.#run(
      "insert into events (type, job_id, workdir, at_ms, data) values (?, ?, ?, ?, ?)",
      event.type,
      event.jobId,
      event.workdir,
      event.atMs,
      JSON.stringify(event.data),
    );
    const seq = Number(lastInsertRowid);
    if (seq % EVENTS_PER_PRUNE === 0) this.#run("delete from events where seq <= ?", seq - EVENTS_KEPT);
    return { ...event, seq };
  }

  /** The seq of the newest event; 0 before the first. Kept by SQLite itself, so that it does not fall back when events are dropped. */
  lastSeq(): number {
    return Number(this.#get("select seq from sqlite_sequence where name = 'events'")?.seq ?? 0);
  }

  /** The next events after `seq`, or undefined when some of them are gone. */
  eventsAfter(seq: number, limit = -1): EventRecord[] | undefined {
    const last = this.lastSeq();
    if (seq > last) return undefined;
    const oldest = Number(this.#get("select min(seq) as seq from events")?.seq ?? last + 1);
    if (seq < oldest - 1) return undefined;
    return this.#all("select * from events where seq > ? order by seq limit ?", seq, limit).map(toEvent);
  }

  /** The stored answer of a request that was made before. */
  answerOf(requestId: string): Record<string, unknown> | undefined {
    const row = this.#get("select answer from requests where id = ?", requestId);
    return row && JSON.parse(String(row.answer));
  }

  /** Stores the answer; called in the transaction of the effect. */
  answer({ id, type }: Receipt, nowMs: number, answer: Record<string, unknown>): void {
    this.#run(
      "insert into requests (id, type, at_ms, answer) values (?, ?, ?, ?) on conflict (id) do update set answer = excluded.answer",
      id,
      type,
      nowMs,
      JSON.stringify(answer),
    );
    this.#answerCount += 1;
    if (this.#answerCount % ANSWERS_PER_PRUNE === 0) this.forgetOldRequests(nowMs);
  }

  forgetRequest(id: string): void {
    this.#run("delete from requests where id = ?", id);
  }

  /** The start that these requests asked for was taken back: a repeat does it anew. Gives the answers that they had. */
  forgetRequestsOfRun(runId: string): Record<string, unknown>[] {
    return this.#all("delete from requests where json_extract(answer, '$.$run') = ? returning answer", runId).map(
      ({ answer }) => JSON.parse(String(answer)),
    );
  }

  forgetOldRequests(nowMs: number): void {
    this.#run("delete from requests where at_ms < ?", nowMs - ANSWERS_KEPT_MS);
  }

  #get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  #run(sql: string, ...values: SQLInputValue[]) {
    return this.#prepare(sql).run(...values);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** SQLITE_FULL. */
const isDiskFull = (error: unknown): boolean => error instanceof Error && "errcode" in error && error.errcode === 13;

const json = (value: unknown): string | null => (value === null || value === undefined ? null : JSON.stringify(value));
const parse = (value: unknown) => (value === null ? null : JSON.parse(String(value)));

function jobValues(job: JobRecord): SQLInputValue[] {
  return [
    job.name,
    job.project,
    JSON.stringify(job.command),
    job.workdir,
    JSON.stringify(job.options),
    JSON.stringify(job.stats),
    job.nextRunNumber,
    job.wanted,
    job.restartCount,
    job.restartAtMs,
    json(job.env),
    job.createdAtMs,
  ];
}

function toJob(row: Row): JobRecord {
  return {
    id: String(row.id),
    name: row.name as string | null,
    project: String(row.project),
    command: parse(row.command),
    workdir: String(row.workdir),
    options: parse(row.options),
    stats: parse(row.stats),
    nextRunNumber: Number(row.next_run_number),
    wanted: row.wanted as JobRecord["wanted"],
    restartCount: Number(row.restart_count),
    restartAtMs: row.restart_at_ms as number | null,
    env: parse(row.env),
    createdAtMs: Number(row.created_at_ms),
  };
}

const jobOf = (row: Row | undefined): JobRecord | undefined => row && toJob(row);

function runValues(run: RunRecord): SQLInputValue[] {
  return [
    run.jobId,
    run.number,
    run.state,
    run.cause,
    run.attempt,
    run.tag,
    run.bootId,
    run.jobPid,
    run.jobTicks,
    run.shimPid,
    run.shimTicks,
    run.ready ? 1 : 0,
    JSON.stringify(run.sent),
    run.stopDeadlineMs,
    json(run.outcome),
    run.startedAtMs,
    run.stoppedAtMs,
    run.peakMemoryBytes,
    run.cpuMs,
    run.stdoutDropped,
    run.stderrDropped,
  ];
}

function toRun(row: Row): RunRecord {
  return {
    id: String(row.id),
    jobId: String(row.job_id),
    number: Number(row.number),
    state: row.state as RunRecord["state"],
    cause: row.cause as RunRecord["cause"],
    attempt: Number(row.attempt),
    tag: Number(row.tag),
    bootId: row.boot_id as string | null,
    jobPid: row.job_pid as number | null,
    jobTicks: row.job_ticks as number | null,
    shimPid: row.shim_pid as number | null,
    shimTicks: row.shim_ticks as number | null,
    ready: row.ready === 1,
    sent: parse(row.sent),
    stopDeadlineMs: row.stop_deadline_ms as number | null,
    outcome: parse(row.outcome),
    startedAtMs: Number(row.started_at_ms),
    stoppedAtMs: row.stopped_at_ms as number | null,
    peakMemoryBytes: row.peak_memory_bytes as number | null,
    cpuMs: row.cpu_ms as number | null,
    stdoutDropped: row.stdout_dropped as number | null,
    stderrDropped: row.stderr_dropped as number | null,
  };
}

const runOf = (row: Row | undefined): RunRecord | undefined => row && toRun(row);

function toEvent(row: Row): EventRecord {
  return {
    seq: Number(row.seq),
    type: String(row.type),
    jobId: String(row.job_id),
    workdir: String(row.workdir),
    atMs: Number(row.at_ms),
    data: parse(row.data),
  };
}
