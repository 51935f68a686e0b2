import * as z from "zod/mini";

/**
 * The shapes of jobs, runs and ports as they cross the wire and as `--json` prints them. gob's field names are kept; ours stand beside them.
 * Unknown fields are kept, so that an older client can pass on what a newer server said.
 */

const Timestamp = z.string(); // RFC 3339 with milliseconds
const Count = z.int().check(z.nonnegative());
export const LogStream = z.enum(["stdout", "stderr"]);

export const Outcome = z.discriminatedUnion("kind", [
  z.looseObject({ kind: z.literal("exited"), status: z.int() }),
  z.looseObject({
    kind: z.literal("signalled"),
    signal: z.string(),
    status: z.int(),
    by: z.enum(["user", "timeout", "owner", "stop", "unknown"]),
  }),
  z.looseObject({ kind: z.literal("lost"), reason: z.string() }),
]);

export const Port = z.looseObject({
  port: z.int(),
  protocol: z.enum(["tcp", "tcp6", "udp", "udp6"]),
  pid: z.int(),
  address: z.string(),
});

export const RunState = z.enum(["starting", "running", "stopping", "ended"]);
export const Labels = z.record(z.string(), z.string());

/**
 * What decides that a unit is ready: for `depends_on`, `wait` and the `ready` of warren.yaml. Durations in milliseconds. `timeout_ms`, for `ready`
 * alone: a run that is not ready by then is ended, which its restart policy sees as a failure.
 */
export const Condition = z.discriminatedUnion("kind", [
  z.looseObject({ kind: z.literal("exit"), timeout_ms: z.optional(Count) }),
  /** Without a number: any port on which the tree listens. */
  z.looseObject({ kind: z.literal("port"), port: z.optional(z.int()), timeout_ms: z.optional(Count) }),
  z.looseObject({
    kind: z.literal("log"),
    pattern: z.string(),
    flags: z.optional(z.string()),
    timeout_ms: z.optional(Count),
  }),
  z.looseObject({ kind: z.literal("http"), url: z.string(), timeout_ms: z.optional(Count) }),
  z.looseObject({ kind: z.literal("idle"), idle_ms: Count, timeout_ms: z.optional(Count) }),
]);

export const RestartPolicy = z.looseObject({
  when: z.enum(["no", "on-failure", "always"]),
  /** Restarts in a row before it gives up; absent: never gives up. */
  max: z.optional(Count),
  /** First delay; doubled, jittered, capped at one minute; reset after ten seconds of running. */
  backoff_ms: z.optional(Count),
});

export const Owner = z.looseObject({
  pid: z.int(),
  /** What happens to the job when the owner dies. */
  on_death: z.enum(["kill", "keep"]),
});

/** What the user asked of a job besides its command; all optional. */
export const JobOptions = {
  name: z.optional(z.string()),
  /** Where the name is unique: the folder of the warren.yaml; default: the directory. */
  project: z.optional(z.string()),
  description: z.optional(z.string()),
  labels: z.optional(Labels),
  owner: z.optional(Owner),
  restart: z.optional(RestartPolicy),
  timeout_ms: z.optional(Count),
  grace_ms: z.optional(Count),
  stop_signal: z.optional(z.string()),
  ready: z.optional(Condition),
  depends_on: z.optional(z.array(z.string())),
  blocked: z.optional(z.boolean()),
  autostart: z.optional(z.boolean()),
  log_max_bytes: z.optional(Count),
};

export const Job = z.looseObject({
  id: z.string(),
  name: z.optional(z.string()),
  kind: z.literal("job"),
  server: z.string(),
  pid: Count,
  status: z.enum(["running", "stopped"]),
  /** The run's state machine (CONTRACT §7), or `created` before the first run, or `waiting` for a dependency or a restart's delay. */
  state: z.enum(["created", "waiting", "starting", "running", "stopping", "ended"]),
  outcome: z.nullable(Outcome),
  command: z.array(z.string()),
  workdir: z.string(),
  description: z.optional(z.string()),
  labels: Labels,
  blocked: z.optional(z.boolean()),
  owner: z.optional(Owner),
  restart: z.optional(RestartPolicy),
  /** Restarts in a row by the policy. */
  restart_count: z.optional(Count),
  timeout_ms: z.optional(Count),
  ready: z.optional(z.boolean()),
  stuck: z.optional(z.boolean()),
  depends_on: z.optional(z.array(z.string())),
  autostart: z.optional(z.boolean()),
  created_at: Timestamp,
  started_at: z.optional(Timestamp),
  stopped_at: z.optional(Timestamp),
  stdout_path: z.string(),
  stderr_path: z.string(),
  /** Absent while it runs, and for a run that a signal ended or that is lost. */
  exit_code: z.optional(z.int()),
  run_id: z.optional(z.string()),
  ports: z.optional(z.array(Port)),
  cpu_percent: z.optional(z.number()),
  memory_bytes: z.optional(Count),
  /** Processes that outlived the end of the last run (it daemonised them); `stop` ends them. */
  leftover_count: z.optional(Count),
  run_count: Count,
  success_count: Count,
  failure_count: Count,
  /** 0–100, of the ended runs. */
  success_rate: z.number(),
  avg_duration_ms: Count,
  failure_avg_duration_ms: Count,
  min_duration_ms: Count,
  max_duration_ms: Count,
  p50_duration_ms: z.optional(Count),
  p90_duration_ms: z.optional(Count),
  /** 0–100 of the expected duration, while it runs and three successes are known. */
  progress_percent: z.optional(z.number()),
});

/** A line of a run's log, or where lines are missing (`dropped` from the disk, or past the `limit` that was given). */
export const LogPiece = z.discriminatedUnion("kind", [
  z.looseObject({
    kind: z.literal("line"),
    stream: LogStream,
    /** Of its first byte. */
    offset: Count,
    /** Without the newline. One of the two: `base64` where it is no UTF-8. */
    line: z.optional(z.string()),
    base64: z.optional(z.string()),
    /** False: no newline has ended it, yet or ever. */
    complete: z.optional(z.boolean()),
    /** It goes on in the next piece of its stream. */
    continues: z.optional(z.boolean()),
    /** When it was seen, to 100 ms. */
    time_ms: z.optional(z.number()),
  }),
  z.looseObject({
    kind: z.literal("omitted"),
    stream: z.optional(LogStream),
    reason: z.enum(["dropped", "limit"]),
    bytes: Count,
    lines: z.optional(Count),
  }),
]);
export type LogPiece = z.infer<typeof LogPiece>;

export const Run = z.looseObject({
  id: z.string(),
  job_id: z.string(),
  pid: Count,
  status: z.enum(["running", "stopped"]),
  state: RunState,
  outcome: z.nullable(Outcome),
  exit_code: z.optional(z.int()),
  stdout_path: z.string(),
  stderr_path: z.string(),
  started_at: Timestamp,
  stopped_at: z.optional(Timestamp),
  duration_ms: Count,
  /** Why it was started. */
  cause: z.optional(z.enum(["user", "restart-policy", "dependency", "boot"])),
  peak_memory_bytes: z.optional(Count),
  cpu_ms: z.optional(Count),
  /** Bytes of the oldest output that the cap or the free-space floor took, per stream. */
  stdout_dropped_bytes: z.optional(Count),
  stderr_dropped_bytes: z.optional(Count),
});

export const JobPorts = z.looseObject({
  job_id: z.string(),
  pid: Count,
  ports: z.array(Port),
  status: z.optional(z.string()),
  message: z.optional(z.string()),
});

/** CONTRACT §7: `saved` is not live and can be resumed; `needs_you`: it asks something, or rang. */
export const SessionState = z.enum(["starting", "working", "needs_you", "idle", "ended", "saved"]);

/** A terminal program (`session`) or an agent's conversation (`agent`), named by a noun. */
export const Session = z.looseObject({
  id: z.string(),
  name: z.string(),
  icon: z.string(),
  kind: z.enum(["session", "agent"]),
  /** The server that has it; of a saved one, that had it last. */
  server: z.string(),
  pid: Count,
  status: z.enum(["running", "stopped"]),
  state: SessionState,
  outcome: z.nullable(Outcome),
  command: z.array(z.string()),
  workdir: z.string(),
  /** What its program calls itself (OSC 2), or the agent's title for the conversation. */
  title: z.optional(z.string()),
  /** What it needs you for: the question, the notification, "bell". */
  attention: z.optional(z.string()),
  labels: Labels,
  created_at: Timestamp,
  started_at: Timestamp,
  stopped_at: z.optional(Timestamp),
  /** The last output or input. */
  active_at: Timestamp,
  cols: Count,
  rows: Count,
  client_count: Count,
  viewer_count: Count,
  /** Bytes of output since its first start. */
  output_bytes: Count,
  /** How often it was resumed. */
  resume_count: Count,
  /** The name that it had before, when that was taken at a resume. */
  former_name: z.optional(z.string()),
  /** Its own, which its program finds in `PORT`: what it serves there is `<name>.localhost` at a gateway of this machine. */
  port: z.optional(Count),
  /** Somebody listens on `port` now: looked up for `session.get` and a `session.list` with `usage`, and absent where it is not live. */
  is_listening: z.optional(z.boolean()),
  /** Mail that it has not read: looked up for `session.list`, and absent where there is none. */
  unread: z.optional(Count),
  /** Of its whole tree: measured for a `session.list` that asks for it. Of one processor, since the measurement before; at the first, since its start. */
  cpu_percent: z.optional(z.number()),
  memory_bytes: z.optional(Count),
  /** Of an agent: its own id of the conversation, name, version, mode. */
  agent: z.optional(
    z.looseObject({
      session_id: z.optional(z.string()),
      name: z.optional(z.string()),
      version: z.optional(z.string()),
      mode: z.optional(z.string()),
    }),
  ),
});

/** What a session can be waited for. `output`: a pattern in what it writes from now on, without control sequences. */
export const SessionCondition = z.discriminatedUnion("kind", [
  z.looseObject({ kind: z.literal("exit") }),
  z.looseObject({ kind: z.literal("idle") }),
  z.looseObject({ kind: z.literal("needs_you") }),
  z.looseObject({ kind: z.literal("output"), pattern: z.string(), flags: z.optional(z.string()) }),
]);

export type Session = z.infer<typeof Session>;
export type SessionCondition = z.infer<typeof SessionCondition>;
export type Port = z.infer<typeof Port>;
export type Condition = z.infer<typeof Condition>;
export type RestartPolicy = z.infer<typeof RestartPolicy>;
export type Owner = z.infer<typeof Owner>;
export type Job = z.infer<typeof Job>;
export type Run = z.infer<typeof Run>;
export type JobPorts = z.infer<typeof JobPorts>;
