import { DatabaseSync } from "node:sqlite";
import { isWarrenError } from "../../protocol/errors.ts";
import { logDamaged, logTooNew, oldSqlite } from "./errors.ts";
import { BUSY_TIMEOUT_MS, WAL_BYTES_KEPT } from "./limits.ts";
import { MACHINE_SCHEMA } from "./machine-schema.ts";

/**
 * log.db: the one truth of a mailbox. WAL with `synchronous=FULL`: what is committed survives the power. Schema changes are additive, because two
 * builds can share the file; `oldest_reader` is the oldest schema version that understands it.
 *
 * A transaction writes whole pages, so an index is dear that a message touches at a place of its own: what is only for looking back is not here but
 * in the search index, which is filled behind.
 *
 * Opening writes nothing unless the file is new or of an older version: a second process that only looks must never stand in the way of the one that writes. Nothing is
 * loaded at opening, so that a million messages open as quickly as none.
 */
const SCHEMA_VERSION = 2;
const OLDEST_READER = 1;

/** Before it, two connections that write and copy at once could damage the file (SQLite's release notes of 3.51.3). */
const SQLITE_OLDEST = [3, 51, 3] as const;

const SCHEMA = `
  create table meta (key text primary key, value) without rowid;
  create table leader (
    epoch integer primary key,      -- the newest one leads
    pid integer not null, pid_start text not null, boot_id text not null,
    git_hash text not null, version text not null, socket text not null, port integer,
    is_dedicated integer not null, since_ms integer not null
  );
  create table participants (
    name text primary key,
    owner text not null default 'nobody',       -- nobody, key, unit
    key_hash text, unit text,
    pid integer, pid_start text, boot_id text,  -- whose presence is the participant's
    holder text,                    -- the client that registered it last
    registered_at_ms integer,       -- null: nobody has had the name yet, and mail waits for whoever takes it
    last_seen_ms integer,
    unread integer not null default 0
  ) without rowid;
  create index participants_known on participants (name) where registered_at_ms is not null;
  create table grants (             -- clients that have shown a name's key
    name text not null, client text not null, at_ms integer not null,
    primary key (name, client)
  ) without rowid;
  create table members (
    "group" text not null, name text not null,
    primary key ("group", name)
  ) without rowid;
  create index members_name on members (name);
  create table forwards (
    old text primary key, new text not null, until_ms integer not null
  ) without rowid;
  create table messages (
    seq integer primary key,
    id text not null,
    sender text not null,
    kind text not null,
    sent_at_ms integer not null,
    subject text,
    body text not null,
    data text,                      -- JSON
    thread text not null,
    reply_to text,
    expires_at_ms integer,
    hops integer not null default 0
  );
  create unique index messages_identity on messages (id, sender);
  create index messages_thread on messages (thread, seq) where thread <> id;
  create table deliveries (         -- one message for one recipient
    seq integer not null,
    recipient text not null,
    sender text not null,
    addressed_to text,              -- null: the recipient
    state text not null,
    at_ms integer not null,         -- of the state
    offers integer not null default 0,
    lease_until_ms integer, lease_client text,
    not_before_ms integer,
    expires_at_ms integer not null,
    due_at_ms integer,              -- when a sweep has to look at it; null when nothing happens to it any more
    reason text,
    reply_seq integer,
    primary key (seq, recipient)
  ) without rowid;
  create index deliveries_open on deliveries (recipient, seq) where state in ('queued', 'offered');
  create index deliveries_due on deliveries (due_at_ms) where due_at_ms is not null;
  create index deliveries_leased on deliveries (lease_client) where lease_client is not null;
  create index deliveries_dead on deliveries (seq) where state in ('dead', 'expired');
  create table totals (messages integer not null, unread integer not null, dead integer not null);
  insert into totals values (0, 0, 0);
  create table answers (            -- for repeats
    client text not null, id text not null,
    type text not null, at_ms integer not null,
    answer text not null,           -- JSON; of messages only their seq
    primary key (id, client)        -- ids that begin with the time are neighbours here
  ) without rowid;
  create index answers_at on answers (at_ms);
  create table tokens (             -- of claude-ipc's clients
    hash text primary key, name text not null, expires_at_ms integer not null
  ) without rowid;
`;

/**
 * The connection that writes; makes the file when there is none.
 * @throws STATE_TOO_NEW, MAIL_SQLITE_TOO_OLD, MAIL_LOG_DAMAGED, or SQLite's own error when the file cannot be opened.
 */
export function openLog(path: string): DatabaseSync {
  return opened(path, () => {
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    return [database, () => prepareToWrite(database, path)];
  });
}

/** A connection that reads; the file has to be there. */
export function openLogToRead(path: string): DatabaseSync {
  return opened(path, () => {
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, readOnly: true });
    return [database, () => refuseIfTooNew(database, path, userVersion(database))];
  });
}

function opened(path: string, open: () => [DatabaseSync, () => void]): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    const [fresh, prepare] = open();
    database = fresh;
    refuseIfOld(database);
    prepare();
    return database;
  } catch (error) {
    database?.close();
    if (!isWarrenError(error) && isDamage(error)) throw logDamaged(path, error);
    throw error;
  }
}

function prepareToWrite(database: DatabaseSync, path: string): void {
  const { journal_mode } = database.prepare("pragma journal_mode").get() as { journal_mode: string };
  if (journal_mode !== "wal") database.exec("pragma journal_mode=wal");
  database.exec(
    `pragma synchronous=full; pragma wal_autocheckpoint=0; pragma cache_size=-8192; pragma temp_store=memory; pragma journal_size_limit=${WAL_BYTES_KEPT}`,
  );
  const { synchronous } = database.prepare("pragma synchronous").get() as { synchronous: number };
  if (synchronous !== 2) throw new Error(`SQLite writes with synchronous=${synchronous}, not with 2 (full)`);
  const version = userVersion(database);
  if (version < SCHEMA_VERSION) bringUpToDate(database);
  else refuseIfTooNew(database, path, version);
}

/** Makes what a new file or one of an older version lacks; another process may have done so meanwhile. */
function bringUpToDate(database: DatabaseSync): void {
  database.exec("begin immediate");
  try {
    const version = userVersion(database);
    if (version === 0) create(database);
    if (version < 2) database.exec(MACHINE_SCHEMA);
    if (version < SCHEMA_VERSION) database.exec(`pragma user_version=${SCHEMA_VERSION}`);
    database.exec("commit");
  } catch (error) {
    if (database.isTransaction) database.exec("rollback");
    throw error;
  }
}

function create(database: DatabaseSync): void {
  database.exec(SCHEMA);
  const insert = database.prepare("insert into meta values (?, ?)");
  insert.run("oldest_reader", OLDEST_READER);
  insert.run("log_id", crypto.randomUUID());
}

function refuseIfTooNew(database: DatabaseSync, path: string, version: number): void {
  if (version <= SCHEMA_VERSION) return;
  const oldest = database.prepare("select value from meta where key = 'oldest_reader'").get()?.value;
  if (Number(oldest ?? version) > SCHEMA_VERSION) throw logTooNew(path, version, SCHEMA_VERSION);
}

function refuseIfOld(database: DatabaseSync): void {
  const version = String(database.prepare("select sqlite_version() as version").get()?.version);
  const parts = version.split(".").map(Number);
  for (const [at, least] of SQLITE_OLDEST.entries()) {
    const part = parts[at] ?? 0;
    if (part > least) return;
    if (part < least) throw oldSqlite(version);
  }
}

const userVersion = (database: DatabaseSync): number =>
  Number(database.prepare("pragma user_version").get()?.user_version ?? 0);

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const isDamage = (error: unknown): boolean => [11, 26].includes(sqliteCode(error) ?? 0);

/** SQLite's primary result code, or undefined when it is no error of SQLite's. */
export const sqliteCode = (error: unknown): number | undefined =>
  error instanceof Error && "errcode" in error ? Number(error.errcode) % 256 : undefined;
