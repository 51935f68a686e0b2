/**
 * What is said on a server's debug socket (`<name>-debug.sock`): JSON lines. A request is `{"id"?, "type", …}`; its answer has the shape of every other
 * (`success`, `data`, or `error`, `code`, `fix`). `frames`, and `log` with `follow`, go on with lines `{"event": "frame" | "log", "data"}` until the client
 * goes. For people and tests who look into a server, not for programs that are to outlive a version.
 */
export const DEBUG_TOPICS = ["state", "clients", "leases", "memory", "frames", "log", "fault"] as const;

/** Events that the server remembers; older ones are forgotten. */
export const DEBUG_LOG_LENGTH = 1_000;

/** Where a server can be made to die, in the order in which its end comes by them. */
export const KILL_POINTS = [
  /** A request was understood; nothing is done yet. */
  "request.received",
  /** It was carried out; nobody has been answered. */
  "request.done",
  /** What was in hand when it was told to end is done. */
  "ending.drained",
  /** It has told the keeper that it is over; its entry is still there. */
  "ending.leaving",
  /** Its entry is gone, its sockets are not. */
  "ending.withdrawn",
  /** Its sessions are let go, or saved; no client has been told. */
  "ending.closed",
  /** Clients are told; the process goes next. */
  "ending.told",
] as const;
export type KillPoint = (typeof KILL_POINTS)[number];

/** Type aliases of one object each; `type` is that of a request, absent: any. A fault is set once per name. */
export type Fault =
  /** Answers come so much later. */
  | { name: "delay-reply"; ms: number; type?: string | undefined }
  /** The connection of the next `count` (default 1) requests is cut, before or after (the default) their effect. */
  | {
      name: "drop-connection";
      type?: string | undefined;
      when?: "before" | "after" | undefined;
      count?: number | undefined;
    }
  /** Nothing is read from clients, on the public socket, until it is cleared. */
  | { name: "pause-reads" }
  /** SIGKILL, by the server itself. `type` for the points of a request. */
  | { name: "crash-at"; point: KillPoint; type?: string | undefined };
export type FaultName = Fault["name"];

export const FAULT_NAMES = ["delay-reply", "drop-connection", "pause-reads", "crash-at"] as const satisfies FaultName[];

export type DebugRequest =
  | { type: "state" }
  | { type: "clients" }
  | { type: "leases" }
  | { type: "memory" }
  /** Absent: of all clients, those that come later among them. */
  | { type: "frames"; client?: number | undefined }
  /** `since`: only events after that one. */
  | { type: "log"; since?: number | undefined; follow?: boolean | undefined }
  | { type: "fault"; action: "list" }
  | { type: "fault"; action: "set"; fault: Fault }
  /** Absent: all. */
  | { type: "fault"; action: "clear"; name?: FaultName | undefined };

export type DebugPhase = "loaded" | "starting" | "serving" | "yielding" | "ending" | "ended";

export interface DebugState {
  server: string;
  icon: string;
  version: string;
  git_hash: string;
  pid: number;
  generation: number;
  primary: boolean;
  started_at: string;
  uptime_ms: number;
  phase: DebugPhase;
  phase_since: string;
  /** What it is waiting for: the next step of its life, calls that the keeper has not answered. */
  waits_for: string[];
  client_count: number;
  subscriber_count: number;
  /** Requests that change something and are not answered. */
  changing_count: number;
  /** By state; null when another server has the jobs. */
  jobs: Record<string, number> | null;
  sessions: Record<string, number>;
  /** The seq of the last event, by stream. */
  streams: Record<string, number>;
  last_error: { at: string; message: string } | null;
  /** It was started with WARREN_FAULTS=1. */
  faults_allowed: boolean;
  faults: DebugFault[];
}

export interface DebugClient {
  id: number;
  since: string;
  /** As it said in its greeting. */
  client?: string;
  version?: string;
  pid?: number;
  in_hand_count: number;
  streams: string[];
  attached?: { session: string; role: "client" | "viewer"; label?: string };
  /** Bytes that it has not read. */
  queued_bytes: number;
  lines_in: number;
  lines_out: number;
  frames_out: number;
  /** Of those, whole screens. */
  screens_out: number;
  /** Output that it was not sent because a newer screen took its place. */
  skipped_bytes: number;
}

export interface DebugLease {
  channel: number;
  /** The session's id, with a suffix for a command of an agent. */
  id: string;
  /** Of the session. */
  name?: string;
  kind: "terminal" | "pipe";
  pid: number;
  epoch: number;
  /** Bytes that the program has written, as the keeper counts them. */
  output_bytes: number;
  /** Bytes of input in the journal: what an agent is told. What is typed is not written down. */
  input_bytes: number;
  /** Up to where the server has been told; absent for a channel that it does not follow. */
  told_bytes?: number;
  /** Up to where the screen shows it. Absent: it was silent for a while, or has none; null: it did not catch up in time. */
  screen_bytes?: number | null;
  segment: number;
  segment_bytes: number;
  /** Why the keeper does not read it. */
  stalled?: string;
  ended: boolean;
}

export interface DebugMemory {
  rss_bytes: number;
  heap_used_bytes: number;
  heap_total_bytes: number;
  external_bytes: number;
  array_buffer_bytes: number;
  /** Waiting for clients to read. */
  queued_bytes: number;
  /** Worker threads; the screens of all sessions are in one of them. */
  threads: { id: number; heap_used_bytes: number; heap_total_bytes: number; external_bytes: number }[];
  screens: { session: string; cols: number; rows: number; output_bytes: number }[];
}

/** One message, without what was said in it: names and sizes. */
export interface DebugFrame {
  at: string;
  client: number;
  direction: "in" | "out";
  /** A JSON line, or a frame of an attached terminal. */
  kind: "line" | "frame";
  /** Of a line: the request's type, `event NAME`, `answer`; of a frame: its name. */
  type: string;
  bytes: number;
  id?: number | string;
  success?: boolean;
  code?: string;
  stream?: string;
  seq?: number;
  /** Of a frame: where its bytes stand. */
  position?: number;
  /** What the fields of payload or data are: `{"data":"string(12)"}`. */
  shape?: Record<string, string>;
}

export interface DebugLogEntry {
  seq: number;
  at: string;
  /** Who tells: the server's log by level, a client that came or went, an event of a stream, the server's life, a fault. */
  kind: "debug" | "info" | "warn" | "error" | "client" | "event" | "phase" | "fault";
  event: string;
  fields?: Record<string, unknown>;
}

export interface DebugLog {
  entries: DebugLogEntry[];
  /** Asked for and forgotten already. */
  dropped_count: number;
  /** Of the newest event; 0 before the first. */
  seq: number;
}

export interface DebugFault {
  fault: Fault;
  /** How often it has struck. */
  hit_count: number;
}

export interface DebugAnswers {
  state: DebugState;
  clients: { clients: DebugClient[] };
  leases: { leases: DebugLease[] };
  memory: DebugMemory;
  frames: { following: number[] };
  log: DebugLog;
  fault: { faults: DebugFault[] };
}

/** How a server's debug socket is named; it stands beside the public one. */
export const debugSocketName = (server: string): string => `${server}-debug.sock`;
