import { chmodSync, closeSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeDirectories } from "../../platform/directories.ts";
import { messageOf, systemCode, WarrenError } from "../../protocol/errors.ts";
import { quoteWord } from "../../protocol/quote-word.ts";

/**
 * `<home>/remote/device/device.db` (0600): what this home has asked of other machines, and what it has read of them at their hubs. WAL with
 * `synchronous=FULL`: what was committed survives the process and the power. Schema changes are additive.
 */
const FILE = "device.db";
const SCHEMA_VERSION = 1;
const OTHERS = 0o077;
/** Other commands write for milliseconds. */
const BUSY_TIMEOUT_MS = 5_000;

const SCHEMA = `
  create table if not exists items (           -- what was asked, in its order
    position integer primary key autoincrement,
    id text not null unique,
    machine text not null,
    is_over integer not null,
    value text not null,                       -- JSON, but for the record
    record blob                                -- as it is at a hub, or on its way there
  );
  create index if not exists items_open on items (is_over, machine);
  create table if not exists links (id text primary key, seq integer not null, hash blob not null) without rowid;
  create table if not exists places (hub text primary key, place integer not null) without rowid;
  create table if not exists chains (
    hub text not null, id text not null, seq integer not null, hash blob not null, primary key (hub, id)
  ) without rowid;
  create table if not exists periods (hub text not null, id text not null, key blob not null, primary key (hub, id)) without rowid;
  create table if not exists rows (            -- the newest state of each unit
    hub text not null, machine text not null, stream text not null,
    seq integer not null, at_ms integer not null, text blob not null, primary key (hub, machine, stream)
  ) without rowid;
  -- "stream": the machine's, or empty
  create table if not exists gaps (hub text not null, stream text not null, value text not null, primary key (hub, stream)) without rowid;
`;

/** @param dir `<home>/remote/device` */
export const hasDeviceDatabase = (dir: string): boolean =>
  statSync(join(dir, FILE), { throwIfNoEntry: false }) !== undefined;

/** @throws DEVICE_FILE_OPEN, DEVICE_STATE_TOO_NEW, DEVICE_STATE_BAD */
export function openDeviceDatabase(dir: string): DatabaseSync {
  const path = join(dir, FILE);
  makePrivate(dir, path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    database.exec("pragma journal_mode=wal; pragma synchronous=full;");
    const { user_version: version } = database.prepare("pragma user_version").get() as { user_version: number };
    if (version > SCHEMA_VERSION) throw tooNew(path, version);
    if (version < SCHEMA_VERSION)
      database.exec(`begin immediate; ${SCHEMA} pragma user_version=${SCHEMA_VERSION}; commit;`);
    return database;
  } catch (error) {
    database?.close();
    throw error instanceof WarrenError ? error : stateBad(path, messageOf(error));
  }
}

/** All of it or nothing, and on disk when it returns. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("begin immediate");
  try {
    const result = work();
    database.exec("commit");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("rollback");
    throw error;
  }
}

/** SQLite gives its log the mode of the file. */
function makePrivate(dir: string, path: string): void {
  makeDirectories(dir, 0o700);
  try {
    closeSync(openSync(path, "ax", 0o600));
    chmodSync(path, 0o600); // whatever the umask has taken
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    const mode = statSync(path).mode & 0o777;
    if (mode & OTHERS) throw stateOpen(path, mode);
  }
}

const stateOpen = (path: string, mode: number): WarrenError =>
  new WarrenError("DEVICE_FILE_OPEN", `This device's state ${path} may be read by others (mode ${mode.toString(8)}).`, {
    fix: `chmod 600 ${quoteWord(path)}`,
  });

const tooNew = (path: string, version: number): WarrenError =>
  new WarrenError("DEVICE_STATE_TOO_NEW", `${path} was written by a newer Warren (schema ${version}).`, {
    fix: "run the newer Warren, or move the file away: what waits in it is lost then",
  });

const stateBad = (path: string, why: string): WarrenError =>
  new WarrenError("DEVICE_STATE_BAD", `This device's state ${path} cannot be used: ${why.replace(/\.$/, "")}.`, {
    fix: `mv ${quoteWord(path)} ${quoteWord(`${path}.bad`)}      # what waits in it is lost; the machines are read anew`,
  });
