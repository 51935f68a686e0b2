import { existsSync, renameSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { WarrenError } from "../protocol/errors.ts";

/**
 * state.db: jobs, runs, their events and the answers to requests. WAL with `synchronous=NORMAL`: what is committed survives the death of any process;
 * a power cut may take the last moments, but never the file, and the runs that they told of are gone with the power (docs/decisions/003).
 *
 * Schema changes are additive, because two versions can share the file. `oldest_reader` is the oldest schema version that understands it.
 */
const SCHEMA_VERSION = 1;
const OLDEST_READER = 1;

const SCHEMA = `
  create table meta (key text primary key, value) without rowid;
  create table jobs (
    id text primary key,
    name text,
    project text not null,          -- where the name is unique: the folder of the warren.yaml, else the directory
    command text not null,          -- JSON array
    workdir text not null,
    options text not null,          -- JSON: description, labels, policies
    stats text not null,            -- JSON: RunStats
    next_run_number integer not null default 1,
    wanted text not null default 'down',        -- up: a policy or a dependency will start it again
    restart_count integer not null default 0,
    restart_at_ms integer,
    env text,                       -- JSON array; only while a policy may have to start it again
    created_at_ms integer not null
  ) without rowid;
  create unique index jobs_identity on jobs (workdir, command) where name is null;
  create unique index jobs_name on jobs (project, name) where name is not null;
  create index jobs_workdir on jobs (workdir);
  create index jobs_project on jobs (project);
  create index jobs_named on jobs (name) where name is not null;
  create index jobs_wanted on jobs (wanted) where wanted = 'up';
  create table runs (
    id text primary key,
    job_id text not null,
    number integer not null,
    state text not null,            -- starting, running, stopping, ended
    cause text not null,
    attempt integer not null default 1,
    tag integer not null,           -- the RLIMIT_FSIZE marker
    boot_id text,
    job_pid integer, job_ticks integer, shim_pid integer, shim_ticks integer,
    ready integer not null default 0,
    sent text not null default '[]',            -- JSON: signals that we sent, and for whom
    stop_deadline_ms integer,
    outcome text,                   -- JSON
    started_at_ms integer not null,
    stopped_at_ms integer,
    peak_memory_bytes integer, cpu_ms integer,
    stdout_dropped integer, stderr_dropped integer
  ) without rowid;
  create index runs_of_job on runs (job_id, number);
  create index runs_live on runs (state) where state <> 'ended';
  create index runs_ended on runs (stopped_at_ms) where state = 'ended';
  create table events (
    seq integer primary key autoincrement,
    type text not null,
    job_id text not null,
    workdir text not null,
    at_ms integer not null,
    data text not null              -- JSON
  );
  create table requests (
    id text primary key,
    type text not null,
    at_ms integer not null,
    answer text not null            -- JSON; "$run" names the run that the answer is made from
  ) without rowid;
  create index requests_at on requests (at_ms);
`;

export interface OpenedState {
  database: DatabaseSync;
  /** Where a file that could not be read was put aside. */
  setAside: string | undefined;
}

/** @throws STATE_TOO_NEW when a newer Warren wrote it and this one would not understand it. */
export function openState(path: string, nowMs: number): OpenedState {
  try {
    return { database: open(path), setAside: undefined };
  } catch (error) {
    if (!isCorruption(error)) throw error;
    const setAside = `${path}.corrupt-${nowMs}`;
    for (const suffix of ["", "-wal", "-shm"]) {
      if (existsSync(path + suffix)) renameSync(path + suffix, setAside + suffix);
    }
    return { database: open(path), setAside };
  }
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5_000 });
  try {
    database.exec("pragma journal_mode=wal; pragma synchronous=normal; pragma foreign_keys=on");
    const version = userVersion(database);
    if (version === 0) create(database);
    else if (version > SCHEMA_VERSION) refuseIfTooNew(database, path, version);
    database.prepare("select count(*) from runs where state <> 'ended'").get(); // touches what every start reads
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function create(database: DatabaseSync): void {
  database.exec("begin immediate");
  if (userVersion(database) === 0) {
    database.exec(SCHEMA);
    database.prepare("insert into meta values ('oldest_reader', ?)").run(OLDEST_READER);
    database.exec(`pragma user_version=${SCHEMA_VERSION}`);
  }
  database.exec("commit");
}

function refuseIfTooNew(database: DatabaseSync, path: string, version: number): void {
  const oldestReader = Number(
    database.prepare("select value from meta where key = 'oldest_reader'").get()?.value ?? version,
  );
  if (oldestReader > SCHEMA_VERSION) {
    throw new WarrenError(
      "STATE_TOO_NEW",
      `${path} was written by a newer Warren (format ${version}; this one reads up to ${SCHEMA_VERSION}). Nothing was changed.`,
      { fix: "npm install -g warren@latest" },
    );
  }
}

const userVersion = (database: DatabaseSync): number =>
  Number(database.prepare("pragma user_version").get()?.user_version ?? 0);

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const isCorruption = (error: unknown): boolean =>
  error instanceof Error &&
  "errcode" in error &&
  (Number(error.errcode) % 256 === 11 || Number(error.errcode) % 256 === 26);
