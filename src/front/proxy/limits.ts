import type { FrontLimits } from "../../protocol/front-messages.ts";

/** Defaults of what a table may set (docs/gateway.md, Limits). */
export const DEFAULT_LIMITS: Readonly<FrontLimits> = {
  /** A head that does not come whole: 408. */
  headMs: 10_000,
  /** A body of which nothing comes: 408. */
  bodyIdleMs: 30_000,
  /** A connection without a request: closed. */
  idleMs: 75_000,
  /** An instance that does not begin to answer: 504. */
  answerMs: 60_000,
  /** A request's body: 413. */
  bodyBytesMax: Number.POSITIVE_INFINITY,
  /** A request's body that comes more slowly: 408. Less than any line that a person would call one. */
  bodyBytesPerS: 100,
  /** Connections of clients: idle ones are closed for new ones, then new ones are refused. */
  connectionsMax: 65_536,
};

/** Over this long a body is measured, and only while it is taken: pauses and bursts are no sign of anything. */
export const BODY_RATE_WINDOW_MS = 30_000;

/** One look at all deadlines; nothing has a timer of its own. Deadlines are late by up to this. */
export const SWEEP_MS = 250;
/** Queued for a side that does not read; past it the other side is not read until all of it has gone. */
export const QUEUED_BYTES_MARK = 256 * 1024;
/**
 * Read from a client beyond what can go on now: pipelined requests, the beginning of a body that has to wait. Past it we do not read; a stream of Node's takes
 * up to 128 KiB more before it tells the system so.
 */
export const READ_AHEAD_BYTES = 16 * 1024;
/** A client that has not taken what was queued for it all this time: cut off. That is less than 1 KiB a second. */
export const STALLED_READER_MS = 300_000;
/** Bodies and chunks up to here are copied into the text before them and sent with one write. */
export const COPIED_BYTES_MAX = 8 * 1024;
/** Gathered for one side within a turn; more is written at once. */
export const GATHERED_BYTES_MAX = 64 * 1024;

/** After an answer that ends a connection: what still comes is read and thrown away, so that the client reads the answer and not a reset. Past either: cut. */
export const LINGER_MS = 5_000;
export const LINGER_BYTES_MAX = 16 * 1024 * 1024;

/** What one read of an instance's answer takes at most. */
export const READ_BUFFER_BYTES = 64 * 1024;
/** Buffers for reading that nobody uses and that are kept for whoever needs one next: 2 MiB. */
export const READ_BUFFERS_KEPT_MAX = 32;

/** Connections to an instance that wait for the next request; one more is closed. */
export const POOL_CONNECTIONS_MAX = 128;
/** node:http closes an idle connection after 5 s; a request that meets the close is lost. */
export const POOL_IDLE_MS = 4_000;
/** Where an instance says how long it keeps one: a second less, and no more than this. */
export const POOL_IDLE_MAX_MS = 60_000;
/** A request that must not be sent twice takes only a connection that was in use this lately. */
export const POOL_FRESH_MS = 1_000;
/** How often a request without effects may be sent, and once more to who has lost it twice: one that ends its instance ends two at most. */
export const SENDS_MAX = 2;
/** 1xx answers before the real one; more: 502. */
export const INTERIM_ANSWERS_MAX = 32;

/** Requests that wait for one worker; one more: the oldest gets 503. */
export const WAITING_MAX = 1_000;
/** How long a request waits for instances that take no connection, where the table says nothing of it: 503. */
export const REFUSED_WAIT_MS = 30_000;
/** Said with 503. */
export const RETRY_AFTER_S = 1;

/** Until both sides of a tunnel have closed, after one has or was told to: cut. */
export const TUNNEL_END_MS = 5_000;
