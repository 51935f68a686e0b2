import type { WireError } from "./errors.ts";

/** The keeper's calls: JSON in a call frame, `{"call": name, …}`; answers are `{"ok":true,"data":…}` or `{"ok":false,"code","error","fix"}`. */

export const KEEPER_CONTRACT = 1;

/** How to start one process of a server. The keeper starts it as it is told and looks at nothing inside. */
export interface ServerSpec {
  name: string;
  /** The build's hash: one server per hash. */
  hash: string;
  /** argv of a generation. It finds the listening socket on fd 3 and the keeper's control line on fd 4. */
  command: string[];
  logPath: string;
  /**
   * How long a generation may go on after `drain`: milliseconds, default 5,000. With it, the next one is told `go` at the same moment: both have the
   * listener, and the old one takes nothing new from it.
   */
  overlapMs?: number;
}

export interface ServerStartCall {
  call: "server.start";
  spec: ServerSpec;
  /** The public socket's path. */
  socketPath: string;
  /** A TCP listener in its place; port 0 is a free one. A keeper that does not know this answers without `address`. */
  listen?: ListenAddress;
  /** Started instead when three starts of `spec` have failed: the last good build. */
  fallback?: ServerSpec;
}

export interface ListenAddress {
  /** An IP address. */
  host: string;
  port: number;
}

export interface ServerReplaceCall {
  call: "server.replace";
  spec: ServerSpec;
}

export interface KeeperServer {
  name: string;
  hash: string;
  pid: number;
  generation: number;
  socketPath: string;
  /** Of one that listens on TCP: where. */
  address?: ListenAddress;
  state: "starting" | "ready" | "replacing" | "failed" | "ending";
  /** Why the build that was asked for is not the one that runs. */
  fellBack?: string;
}

/**
 * A **channel** is one program that the keeper holds: by a terminal or by pipes. It outlives every server; the server that has its lease steers it.
 * A session has one channel, under the session's id; an agent's terminals are further channels.
 */
export interface ChannelSpec {
  /** Chosen by the caller, new for each program: the session's id, or that with a suffix. */
  id: string;
  /** Unique among the channels whose program runs; refused with NAME_TAKEN. Absent: it has none. */
  name?: string;
  /** The server that gets the lease. */
  server: string;
  /** argv; the program by its absolute path. */
  command: string[];
  directory: string;
  /** The whole environment, nothing is added. */
  env: Record<string, string>;
  /** An existing directory for the segments. */
  journalDir: string;
  /** The oldest segments go when the journal is longer; 0: never. */
  journalBytesMax: number;
  /** Where a journal goes on that is there already: the offsets of output and input so far, and the first segment to write. Default: 0, 0, 1. */
  startOutput?: number;
  startInput?: number;
  startSegment?: number;
}

export interface TerminalOpenCall extends ChannelSpec {
  call: "terminal.open";
  cols: number;
  rows: number;
}

export interface PipeOpenCall extends ChannelSpec {
  call: "pipe.open";
}

/** How the program of a channel ended, as the kernel told its parent. */
export interface ChannelExit {
  /** Null when a signal ended it. */
  code: number | null;
  /** The signal's number. */
  signal: number | null;
  /** RFC 3339 with milliseconds. */
  at: string;
}

export interface KeeperChannel {
  /** Its number in frames. */
  channel: number;
  id: string;
  name?: string;
  kind: "terminal" | "pipe";
  pid: number;
  startTicks: number;
  /** Who has the lease. */
  server: string;
  /** The term of the lease: grows with every `lease.take`. */
  epoch: number;
  /** Bytes of output so far. */
  output: number;
  /** Bytes of input so far, of all sources. */
  input: number;
  /** Where the journal ends: segment, and bytes in it. */
  segment: number;
  segmentBytes: number;
  cols: number;
  rows: number;
  /** Why its output is not read: what the disk says of its journal. Its program waits meanwhile. Absent: it is read. */
  stalled?: string;
  /** Null while it runs. */
  exit: ChannelExit | null;
}

/** Steering takes the lease's epoch; an older one is refused with STALE_EPOCH. */
interface Leased {
  id: string;
  epoch: number;
}

export type KeeperCall =
  | { call: "hello" }
  | { call: "list" }
  | ServerStartCall
  | ServerReplaceCall
  | { call: "server.stop"; name: string; force?: boolean }
  /** All channels, those whose program has ended and that nobody has closed among them. */
  | { call: "channels" }
  | TerminalOpenCall
  | PipeOpenCall
  /**
   * Makes `server` the holder of the channels `ids`, or of all whose holder it is already; their epochs grow, and this connection gets their doorbells
   * and ends. What ended before is told by `exit` in the answer. `from`: only while that lease holds, else STALE_EPOCH and nothing is taken (a keeper that
   * does not know it takes them all the same).
   */
  | { call: "lease.take"; server: string; ids?: string[]; from?: Leased }
  | ({ call: "resize"; cols: number; rows: number } & Leased)
  /** To the program alone, or to the terminal's foreground group. */
  | ({ call: "signal"; signal: number; foreground?: boolean } & Leased)
  | ({ call: "rename"; name: string } & Leased)
  /** How many bytes this source (16 hex digits) has written; 0 for one that is not known. */
  | { call: "input.seen"; id: string; source: string }
  /** Closes the stdin of a pipe: its agent reads the end. */
  | ({ call: "input.end" } & Leased)
  /** Forgets a channel whose program has ended; the journal stays. */
  | ({ call: "close" } & Leased);

export interface KeeperAnswers {
  hello: { contract: number; pid: number; home: string };
  list: { servers: KeeperServer[] };
  "server.start": KeeperServer;
  "server.replace": KeeperServer;
  "server.stop": { stopped: boolean };
  channels: { channels: KeeperChannel[] };
  "terminal.open": KeeperChannel;
  "pipe.open": KeeperChannel;
  "lease.take": { channels: KeeperChannel[] };
  /** With where the journal ends: the new size is in it. */
  resize: KeeperChannel;
  signal: { done: true };
  rename: { done: true };
  "input.seen": { bytes: number };
  "input.end": { done: true };
  close: { done: true };
}

export type KeeperAnswer = { ok: true; data: unknown } | ({ ok: false } & WireError);

/** Words on the control line between the keeper and a generation, one a line. */
export const CONTROL = {
  /** Generation: loaded; nothing taken over yet. */
  warm: "warm",
  /** Keeper: the way is free, take over. */
  go: "go",
  /** Generation: serving. */
  ready: "ready",
  /** Generation: the server is over; however the process ends now, it has no successor. A keeper that does not know the word restarts one that is killed. */
  leaving: "leaving",
  /** Generation, after `drain`: what it held is free; a successor may go before this process has exited. A keeper that does not know the word waits for the exit. */
  free: "free",
  /** Keeper: finish what is in hand, hand over, exit 0. */
  drain: "drain",
} as const;
