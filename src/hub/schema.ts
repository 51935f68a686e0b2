import { DatabaseSync } from "node:sqlite";
import { WarrenError } from "../protocol/errors.ts";

/**
 * hub.db: who is admitted, and the sealed records that wait. Nothing in it can be read by the hub: a record is a row of clear head and the bytes as they
 * came. WAL with `synchronous=NORMAL`: a commit is in the file at once and survives the process; it survives the power after its write-ahead log was
 * synced, which `store.ts` waits for before anything is answered, off the main thread. Schema changes are additive.
 */
const SCHEMA_VERSION = 1;

/** In pages of 4 KiB: copied into the file when the log has so many. Copying syncs, and everybody waits meanwhile: seldom, then. */
const CHECKPOINT_PAGES = 4_000;

const SCHEMA = `
  create table if not exists meta (key text primary key, value) without rowid;
  create table if not exists generations (   -- each start of the hub
    base integer primary key,      -- the first place that it may give
    head integer not null          -- the last one that was given before, as far as the file knows
  );
  create table if not exists spaces (
    id integer primary key,
    machine blob not null unique,  -- the machine's login key
    fingerprint blob not null,     -- of it: what a login shows
    label text,                    -- what the invitation was for
    admitted_ms integer not null, seen_ms integer,
    head integer not null default 0, floor integer not null default 0,
    bytes integer not null default 0, records integer not null default 0
  );
  create table if not exists members (       -- devices; the machine of a space has a row too, for its cursor
    space integer not null, login_key blob not null,
    fingerprint blob not null,
    is_machine integer not null default 0,
    admitted_ms integer not null, seen_ms integer,
    head integer not null,         -- the last place that is for it: somebody else's record
    took integer not null default 0,
    primary key (space, login_key)
  ) without rowid;
  create index if not exists members_key on members (login_key);
  create index if not exists members_fingerprint on members (fingerprint);
  create table if not exists invitations (
    hash blob primary key, label text, expires_ms integer not null
  ) without rowid;
  create table if not exists records (
    place integer primary key,
    space integer not null, kind integer not null,
    stream blob not null, sender blob not null, seq integer not null,
    hash blob not null,            -- of the bytes: one that is sent again is stored once
    at_ms integer not null,        -- when it came, by the hub's clock
    bytes blob not null
  );
  create index if not exists records_space on records (space, place);
  create index if not exists records_chain on records (space, stream, sender, seq);
  create index if not exists records_age on records (at_ms);
`;

/** @throws HUB_STATE_TOO_NEW, and SQLite's own errors. */
export function openHubDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5_000 });
  try {
    database.exec(
      `pragma journal_mode=wal; pragma synchronous=normal; pragma cache_size=-2000; pragma wal_autocheckpoint=${CHECKPOINT_PAGES};`,
    );
    const { user_version: version } = database.prepare("pragma user_version").get() as { user_version: number };
    if (version > SCHEMA_VERSION) throw tooNew(path, version);
    database.exec(`begin immediate; ${SCHEMA} pragma user_version=${SCHEMA_VERSION}; commit;`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

const tooNew = (path: string, version: number): WarrenError =>
  new WarrenError("HUB_STATE_TOO_NEW", `${path} was written by a newer Warren (schema ${version}).`, {
    fix: "run the newer Warren, or move the file away",
  });
