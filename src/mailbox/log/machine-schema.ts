/**
 * What the log keeps for other machines (version 2 of the schema). A build of version 1 can lead beside it: it sends and takes nothing of other machines, and
 * what is here waits for a build that does.
 *
 * Two tables are queues. `outbox`: copies that the other machine has not said to have in its log; its `n` is the copy's number. `arrivals`: copies of other
 * machines, until their sender's machine has noted that they are handled.
 */
export const MACHINE_SCHEMA = `
  create table if not exists machines (
    name text primary key,
    log_id text,                    -- of its log: another one is another machine of the same name
    is_here integer not null default 0,
    seen_ms integer,                -- when it was last heard of
    waiting integer not null default 0,         -- rows in its outbox
    names text not null default '[]'            -- JSON: [name, presence] of its participants
  ) without rowid;
  create table if not exists outbox (
    n integer primary key autoincrement,
    machine text not null,
    sender text not null,
    seq integer not null, recipient text not null,  -- the delivery
    not_before_ms integer
  );
  create index if not exists outbox_machine on outbox (machine, n);
  create index if not exists outbox_sender on outbox (machine, sender, n);
  create table if not exists inbound (
    machine text not null, log_id text not null, sender text not null,
    last integer not null,          -- the number of the newest copy that was taken
    primary key (machine, log_id, sender)
  ) without rowid;
  create table if not exists arrivals (
    machine text not null, log_id text not null, n integer not null,
    seq integer not null, recipient text not null,  -- the delivery here
    origin_seq integer not null,    -- of the message there
    told integer not null default 0,            -- how far its machine has noted that it is
    primary key (machine, log_id, n)
  ) without rowid;
  create index if not exists arrivals_seq on arrivals (seq);
`;
