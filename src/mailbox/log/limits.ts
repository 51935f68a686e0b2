import { MAIL_LIFE_MS } from "../../protocol/mail-limits.ts";

/** The mailbox's limits, each with its policy (docs/mailbox-design.md, "Limits"). Those that its clients know too are in protocol/mail-limits.ts. */

/** A message's subject, body and data together, as UTF-8; a larger one is refused with MESSAGE_TOO_LARGE. */
export const MESSAGE_BYTES_MAX = 1024 * 1024;
/** Names and groups that one message is addressed to; more are refused. */
export const ADDRESSES_MAX = 1_000;
/** Unread messages of one recipient; the next one is refused with MAILBOX_FULL, and of a broadcast this copy is left out, which its sender is told. */
export const UNREAD_MAX = 10_000;
/** How long what was offered is held for its reader, by default and at most; after that it is offered again. */
export const LEASE_MS = 30_000;
export const LEASE_MS_MAX = 3_600_000;
/** Offers of one message to one recipient; when the last one ends unacknowledged, the delivery is dead. */
export const MAX_OFFERS = 10;
/** Messages of one fetch, by default and at most. */
export const FETCH_COUNT = 100;
export const FETCH_COUNT_MAX = 1_000;
/** Subjects, bodies and data of one fetch; the first message is given whatever its size. */
export const FETCH_BYTES_MAX = 512 * 1024;
/** Answers are kept for repeats so long. */
export const ANSWERS_KEPT_MS = 24 * 3_600_000;
/** Mail to a name that was renamed goes to the new one so long. */
export const FORWARD_MS = 2 * 3_600_000;
/** `@all` reaches who has asked for anything since then. */
export const BROADCAST_SEEN_MS = MAIL_LIFE_MS;
/** Requests of one transaction; the others wait for the next one. */
export const BATCH_MAX = 256;
/** Transactions that are handed to the writer's thread ahead; with one more than it works on, it never waits for us. */
export const BATCHES_AHEAD = 2;
/** What a sweep changes in one transaction; more is swept right after. */
export const SWEEP_COUNT_MAX = 500;
/** `last_seen` is written when it is older than this, so that a reader who only asks costs no write. */
export const LAST_SEEN_GRAIN_MS = 30_000;
/** How long another process may hold the log's lock before a transaction fails with MAIL_NOT_STORED. */
export const BUSY_TIMEOUT_MS = 10_000;
/** Of the write-ahead log, more than this that is not in the file yet is copied there, beside the writer. */
export const WAL_BYTES_MAX = 4 * 1024 * 1024;
/** A write-ahead log of this length is copied by the writer itself, so that it begins anew and opening stays quick. */
export const WAL_BYTES_HARD_MAX = 16 * 1024 * 1024;
/** Kept of it when it begins anew: overwriting is synced in half the time of appending. */
export const WAL_BYTES_KEPT = 8 * 1024 * 1024;
/** With nothing written for so long, all of it is copied. */
export const WAL_IDLE_MS = 2_000;
