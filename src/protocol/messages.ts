import * as z from "zod/mini";
import { ContentBlock, ConversationSnapshot } from "./conversation.ts";
import { Gateway, GatewayMode, ProductionArtefact, Worker, WorkerCondition } from "./gateway-units.ts";
import { mailMessages } from "./mail-messages.ts";
import { remoteMessages } from "./remote-messages.ts";
import { RemoteScope } from "./remote-units.ts";
import {
  Condition,
  Job,
  JobOptions,
  JobPorts,
  Labels,
  LogPiece,
  LogStream,
  Run,
  Session,
  SessionCondition,
} from "./units.ts";

/**
 * Every message that a client may send, with the scope that it needs. `schema-history.json` holds the hash of this table for each protocol version;
 * the test beside it fails when the table changes and the history does not. Those that change something are named in `envelope.ts` (MUTATING).
 */

export type Scope = "view" | "type" | "approve" | "admin";

const JobRef = {
  /** An id, a name, or `project/name`. */
  job_id: z.string(),
  /** Where a bare name is looked up first. */
  workdir: z.optional(z.string()),
};
/** Environment as gob sends it: "KEY=value". */
const Env = z.array(z.string());
const Nothing = z.looseObject({});
const JobData = z.looseObject({ job: Job });
const StopOptions = { force: z.optional(z.boolean()), grace_ms: z.optional(z.int()) };

function message<P extends z.ZodMiniType, D extends z.ZodMiniType>(scope: Scope, payload: P, data: D) {
  return { scope, payload, data };
}

export const NewJob = z.looseObject({
  command: z.array(z.string()),
  workdir: z.string(),
  env: Env,
  ...JobOptions,
});

export const UpJob = z.looseObject({
  ...NewJob.shape,
  name: z.string(),
  /** Started by `up` without being named; default true. */
  autostart: z.optional(z.boolean()),
  /** What the file sets of `env`: it goes over the environment of whoever starts the job later, too. */
  file_env: z.optional(Env),
});

/** A session by its name or id, on the server that has it. */
const SessionRef = { session: z.string() };
const SessionData = z.looseObject({ session: Session });

/** A project's gateway, by a directory in it. */
const GatewayRef = { workdir: z.string() };
/** A worker by its name, in the project of `workdir`, or as `project/name`. */
const WorkerRef = { worker: z.string(), workdir: z.optional(z.string()) };
const WorkerData = z.looseObject({ worker: Worker });

export const NewSession = z.looseObject({
  /** Default: a noun. */
  name: z.optional(z.string()),
  /** The program in a terminal; `agent`: one that speaks ACP over stdin and stdout. One of the two. */
  command: z.optional(z.array(z.string())),
  agent: z.optional(z.array(z.string())),
  workdir: z.string(),
  /** Empty, of a client that has none (a browser): the server's own. */
  env: Env,
  /** Default: 80 × 24. */
  cols: z.optional(z.int()),
  rows: z.optional(z.int()),
  labels: z.optional(Labels),
  /** The session's port, in the place of one that the server chooses. A `PORT` in `env` is not asked: it may be inherited from anything. */
  port: z.optional(z.int()),
});

export const PromptReceipt = z.discriminatedUnion("state", [
  z.looseObject({ state: z.literal("sent"), turn_id: z.string() }),
  z.looseObject({ state: z.literal("queued"), position: z.int() }),
]);

export const ProtocolRange = z.looseObject({ min: z.int(), max: z.int() });

export const Since = z.record(z.string(), z.int());

export const ServerStatus = z.looseObject({
  server: z.string(),
  icon: z.string(),
  version: z.string(),
  git_hash: z.string(),
  pid: z.int(),
  primary: z.boolean(),
  generation: z.int(),
  started_at: z.string(),
  uptime_ms: z.int(),
  home: z.string(),
  socket: z.string(),
  client_count: z.int(),
  subscriber_count: z.int(),
  job_count: z.int(),
  running_job_count: z.int(),
  run_count: z.int(),
  memory_bytes: z.int(),
  queued_bytes: z.int(),
  last_error: z.nullable(z.looseObject({ at: z.string(), message: z.string() })),
});

/** One finding of `doctor` that only the server can know. */
export const Finding = z.looseObject({
  level: z.enum(["ok", "warning", "error"]),
  subject: z.string(),
  text: z.string(),
  fix: z.optional(z.string()),
});

/** Anything with a name that is not a session: those are the server's that has them (`session.list`). */
export const Unit = z.discriminatedUnion("kind", [Job, Worker]);

/** Absolute offsets: bytes that the run has written to each, whether or not they are still on disk. */
const LogPlace = z.looseObject({ stdout: z.int().check(z.nonnegative()), stderr: z.int().check(z.nonnegative()) });

/** A place between two records of a session's journal: the segment, bytes from its beginning, bytes of output before it. */
const JournalPlace = z.looseObject({
  segment: z.int().check(z.positive()),
  at: z.int().check(z.nonnegative()),
  offset: z.int().check(z.nonnegative()),
});

/** Which page of a log is wanted. It begins at `from`, or at what the restrictions leave. With `wait_ms` (60,000 at most) an empty one waits for more, or for the end. */
const LogPageWanted = {
  streams: z.optional(z.array(LogStream)),
  from: z.optional(LogPlace),
  since_ms: z.optional(z.number()),
  tail_lines: z.optional(z.int().check(z.nonnegative())),
  /** At most 131,072, which is the default. */
  max_bytes: z.optional(z.int().check(z.positive())),
  /** What a limit leaves: `first`, the default, to read on page by page; `last`. */
  keep: z.optional(z.enum(["first", "last"])),
  wait_ms: z.optional(z.int().check(z.nonnegative())),
  /** The unfinished last line of what still runs too; default: it comes when it is whole. */
  unterminated: z.optional(z.boolean()),
};
/** `next` is where the next page begins; `is_more`: there is more than this page. */
const LogPage = { is_running: z.boolean(), items: z.array(LogPiece), next: LogPlace, is_more: z.boolean() };

export const WhyReport = z.looseObject({
  job: Job,
  run: z.nullable(Run),
  /** The last lines of stderr, or of stdout when stderr is empty. */
  lines: z.array(z.string()),
  lines_from: z.enum(["stdout", "stderr"]),
  /** What started or restarted it, newest first, in plain sentences' facts. */
  history: z.array(z.looseObject({ run_id: z.string(), cause: z.string(), at: z.string() })),
});

export const messages = {
  hello: message(
    "view",
    z.looseObject({
      protocol: ProtocolRange,
      client: z.string(),
      version: z.optional(z.string()),
      /** Of the server that is meant: one of another build refuses (OTHER_BUILD). Default: whichever answers. */
      git_hash: z.optional(z.string()),
      /** The connection has these from now on, of those that it has; none can be got back. Default: all that it has. */
      scopes: z.optional(z.array(RemoteScope)),
      /** Who speaks, in the place of whatever later messages say: a device's name. The first counts. */
      by: z.optional(z.string()),
    }),
    z.looseObject({
      protocol: z.int(),
      server: z.string(),
      version: z.string(),
      git_hash: z.string(),
      primary: z.boolean(),
      capabilities: z.array(z.string()),
      /** What the connection may, when it has given something up. */
      scopes: z.optional(z.array(RemoteScope)),
    }),
  ),
  ping: message("view", Nothing, z.looseObject({ message: z.literal("pong") })),
  version: message("view", Nothing, z.looseObject({ version: z.string(), running_jobs: z.int() })),
  list: message(
    "view",
    z.looseObject({ workdir: z.optional(z.string()), owner_pid: z.optional(z.int()) }),
    z.looseObject({ jobs: z.array(Job) }),
  ),
  add: message("admin", NewJob, z.looseObject({ job: Job, action: z.enum(["created", "started", "already_running"]) })),
  /** gob's older name for `add`. */
  run: message("admin", NewJob, z.looseObject({ job: Job, action: z.enum(["created", "started", "already_running"]) })),
  create: message("admin", z.looseObject({ ...NewJob.shape, env: z.optional(Env) }), JobData),
  start: message("admin", z.looseObject({ ...JobRef, env: z.optional(Env) }), JobData),
  restart: message("admin", z.looseObject({ ...JobRef, ...StopOptions, env: z.optional(Env) }), JobData),
  stop: message(
    "admin",
    z.looseObject({ ...JobRef, ...StopOptions }),
    z.looseObject({ job_id: z.string(), pid: z.int(), force: z.boolean(), stopped: z.boolean(), job: Job }),
  ),
  stop_all: message(
    "admin",
    z.looseObject({ workdir: z.optional(z.string()), ...StopOptions }),
    z.looseObject({ stopped: z.int() }),
  ),
  signal: message(
    "admin",
    /** A number (gob) or a name with or without SIG. `leader`: to the first process alone instead of the group. */
    z.looseObject({ ...JobRef, signal: z.union([z.int(), z.string()]), leader: z.optional(z.boolean()) }),
    z.looseObject({ job_id: z.string(), pid: z.int(), signal: z.int(), name: z.string() }),
  ),
  remove: message("admin", z.looseObject(JobRef), z.looseObject({ job_id: z.string(), pid: z.int() })),
  remove_run: message("admin", z.looseObject({ run_id: z.string() }), z.looseObject({ run_id: z.string() })),
  /** Removes ended jobs with their runs and logs: of `workdir`, or of the whole home when absent; and orphaned logs. */
  cleanup: message(
    "admin",
    z.looseObject({ workdir: z.optional(z.string()) }),
    z.looseObject({ removed: z.int(), runs: z.int(), orphaned_logs: z.int(), bytes: z.int() }),
  ),
  /** Stops all, removes all, ends the server. */
  nuke: message(
    "admin",
    z.looseObject({ all: z.optional(z.boolean()), grace_ms: z.optional(z.int()) }),
    z.looseObject({
      stopped: z.int(),
      removed: z.int(),
      survivors: z.array(z.int()),
      sessions: z.optional(z.int()),
      gateways: z.optional(z.int()),
    }),
  ),
  get_job: message("view", z.looseObject(JobRef), JobData),
  stats: message("view", z.looseObject(JobRef), JobData),
  runs: message(
    "view",
    z.looseObject({ ...JobRef, limit: z.optional(z.int()) }),
    z.looseObject({ runs: z.array(Run), job: Job }),
  ),
  /** A page of what a run has written: the last run, or `run_id`. */
  "job.log": message(
    "view",
    z.looseObject({ ...JobRef, run_id: z.optional(z.string()), ...LogPageWanted }),
    z.looseObject({ job: Job, run_id: z.string(), ...LogPage }),
  ),
  ports: message(
    "view",
    z.looseObject({ job_id: z.optional(z.string()), workdir: z.optional(z.string()) }),
    z.looseObject({ ports: z.union([JobPorts, z.array(JobPorts)]) }),
  ),
  why: message("view", z.looseObject({ ...JobRef, lines: z.optional(z.int()) }), WhyReport),
  /** Answers when one (`mode` any, the default) or all of the conditions hold, or with `met: []` after `timeout_ms`. */
  wait: message(
    "view",
    z.looseObject({
      ...JobRef,
      conditions: z.array(Condition),
      mode: z.optional(z.enum(["any", "all"])),
      timeout_ms: z.optional(z.int()),
    }),
    z.looseObject({
      job: Job,
      met: z.array(Condition),
      /** `met`; `timeout`; `ended`: the job ended before they could hold; `stuck`. */
      result: z.enum(["met", "timeout", "ended", "stuck"]),
    }),
  ),
  up: message(
    "admin",
    z.looseObject({ project: z.string(), jobs: z.array(UpJob), names: z.optional(z.array(z.string())) }),
    z.looseObject({
      jobs: z.array(
        z.looseObject({
          job: Job,
          action: z.enum(["created", "started", "already_running", "recreated", "waiting", "defined"]),
        }),
      ),
    }),
  ),
  down: message(
    "admin",
    z.looseObject({ project: z.string(), ...StopOptions }),
    z.looseObject({ stopped: z.array(Job) }),
  ),
  subscribe: message(
    "view",
    z.looseObject({
      /** Default: ["jobs"]. */
      streams: z.optional(z.array(z.string())),
      workdir: z.optional(z.string()),
      job_ids: z.optional(z.array(z.string())),
      types: z.optional(z.array(z.string())),
      since: z.optional(Since),
    }),
    z.looseObject({
      message: z.literal("subscribed"),
      streams: z.record(
        z.string(),
        z.looseObject({ seq: z.int(), snapshot: z.nullable(z.unknown()), gap: z.optional(z.boolean()) }),
      ),
    }),
  ),
  unsubscribe: message("view", Nothing, Nothing),
  /** Jobs, and the workers of the projects that are up: of `workdir` (of the project that it belongs to, for workers), or of the home. */
  "unit.list": message(
    "view",
    z.looseObject({ workdir: z.optional(z.string()) }),
    z.looseObject({ units: z.array(Unit) }),
  ),
  /**
   * What a word means among jobs and workers: an id; a bare name, in the project of `workdir`, and when nothing there has it, in the home; `site/api`, the
   * project folder's name before it. More than one answer: it is ambiguous. `near`: a name that was probably meant, when there is none.
   */
  "unit.find": message(
    "view",
    z.looseObject({ name: z.string(), workdir: z.optional(z.string()) }),
    z.looseObject({ units: z.array(Unit), near: z.optional(z.string()) }),
  ),
  status: message("view", Nothing, ServerStatus),
  doctor: message("view", Nothing, z.looseObject({ findings: z.array(Finding) })),
  /** Ends this server; jobs go on. With live sessions it needs `force`, which ends and saves them. */
  shutdown: message(
    "admin",
    z.looseObject({ force: z.optional(z.boolean()) }),
    z.looseObject({ message: z.literal("shutting down"), running_jobs: z.int() }),
  ),
  "session.new": message("admin", NewSession, SessionData),
  /** The sessions of this server; `saved`: those that are not live, of the whole home. `usage`: with the processor and memory of each, and whether it listens on its port, which costs a look at all processes and sockets. */
  "session.list": message(
    "view",
    z.looseObject({ saved: z.optional(z.boolean()), usage: z.optional(z.boolean()) }),
    z.looseObject({ sessions: z.array(Session) }),
  ),
  "session.get": message("view", z.looseObject(SessionRef), SessionData),
  /**
   * After the answer the connection speaks terminal frames (`terminal-frames.ts`). With `since`, output goes on from that offset when it is still there
   * and the size is the same (`continued`); otherwise a screen comes first. To write needs the scope `type`.
   */
  "session.attach": message(
    "view",
    z.looseObject({
      ...SessionRef,
      /** 16 hex digits, the same after a reconnect: by it, input that was sent twice is taken once. */
      client: z.string().check(z.regex(/^[0-9a-f]{16}$/)),
      /** Shown to others as who is in control. */
      label: z.optional(z.string()),
      cols: z.int(),
      rows: z.int(),
      /** Look only: takes no size and no input. */
      view: z.optional(z.boolean()),
      since: z.optional(z.int()),
    }),
    z.looseObject({
      session: Session,
      continued: z.boolean(),
      /** Bytes of input that this client has written already. */
      input_bytes: z.int(),
    }),
  ),
  /** Writes to its terminal as if it were typed. */
  "session.send": message(
    "type",
    z.looseObject({ ...SessionRef, data: z.string() }),
    z.looseObject({ session: Session, bytes: z.int() }),
  ),
  "session.stop": message(
    "admin",
    z.looseObject({ ...SessionRef, ...StopOptions }),
    z.looseObject({ session: Session, stopped: z.boolean() }),
  ),
  "session.signal": message(
    "admin",
    z.looseObject({ ...SessionRef, signal: z.union([z.int(), z.string()]) }),
    z.looseObject({ session: Session, signal: z.int(), name: z.string() }),
  ),
  "session.rename": message("admin", z.looseObject({ ...SessionRef, name: z.string() }), SessionData),
  /** Removes an ended or saved one with its journal. */
  "session.remove": message("admin", z.looseObject(SessionRef), z.looseObject({ session: Session })),
  "session.wait": message(
    "view",
    z.looseObject({
      ...SessionRef,
      conditions: z.array(SessionCondition),
      /** The offset of output from which patterns are looked for; default: from now on. */
      since: z.optional(z.int()),
      mode: z.optional(z.enum(["any", "all"])),
      timeout_ms: z.optional(z.int()),
    }),
    z.looseObject({
      session: Session,
      met: z.array(SessionCondition),
      result: z.enum(["met", "timeout", "ended"]),
    }),
  ),
  /** What its screen shows, as text: without attributes, or `styled`, with SGR sequences, each line for itself. The session's `output_bytes` are those that the screen has taken. */
  "session.screen": message(
    "view",
    z.looseObject({ ...SessionRef, styled: z.optional(z.boolean()) }),
    z.looseObject({ session: Session, lines: z.array(z.string()), cursor: z.looseObject({ x: z.int(), y: z.int() }) }),
  ),
  /**
   * A page of what a session's program has written, as its journal has it (`journal-records.ts`: output, sizes, the end), of an ended one as well. It begins at
   * `from`, else `last_bytes` of output before the end (before the record that holds that place), else with the oldest that is kept; `next` is where the next page begins, absent while nothing was written. With `wait_ms` (60,000 at most) an empty
   * one waits for more.
   */
  "session.journal": message(
    "view",
    z.looseObject({
      ...SessionRef,
      from: z.optional(JournalPlace),
      last_bytes: z.optional(z.int().check(z.nonnegative())),
      wait_ms: z.optional(z.int().check(z.nonnegative())),
    }),
    z.looseObject({
      session: Session,
      records: z.array(z.looseObject({ kind: z.int(), time_ms: z.number(), offset: z.int(), base64: z.string() })),
      next: z.optional(JournalPlace),
      is_more: z.boolean(),
    }),
  ),
  /** Starts a saved one again: same directory, command, environment, and for an agent the same conversation. */
  "session.resume": message(
    "admin",
    z.looseObject({ ...SessionRef, env: z.optional(Env), cols: z.optional(z.int()), rows: z.optional(z.int()) }),
    SessionData,
  ),
  /**
   * Says something to an agent: `text`, or ACP's content blocks. `sent`: it is the agent's, in the turn of that item; `queued`: it waits for the turn that
   * runs, behind `position` others. `by`: who says it, for those who look on.
   */
  "session.prompt": message(
    "type",
    z.looseObject({
      ...SessionRef,
      text: z.optional(z.string()),
      blocks: z.optional(z.array(ContentBlock)),
      by: z.optional(z.string()),
    }),
    /** `request_id`: by it the prompt's message and turn are known in the conversation. */
    z.looseObject({ session: Session, receipt: PromptReceipt, request_id: z.string() }),
  ),
  /** Answers a question of an agent: the oldest that is open, or `item_id`. `choice`: an option's id, or `allow`, `always`, `deny`. */
  "session.answer": message(
    "approve",
    z.looseObject({
      ...SessionRef,
      item_id: z.optional(z.string()),
      choice: z.string(),
      by: z.optional(z.string()),
    }),
    z.looseObject({ session: Session, item_id: z.string(), option_id: z.string(), title: z.string() }),
  ),
  /** Stops an agent's turn, and forgets the prompts that wait; `dropped`: how many those were. */
  "session.cancel": message(
    "type",
    z.looseObject(SessionRef),
    z.looseObject({ session: Session, cancelled: z.boolean(), dropped: z.int() }),
  ),
  "session.mode": message("type", z.looseObject({ ...SessionRef, mode: z.string() }), SessionData),
  /** Logs an agent in by one of its methods (default: the only one), and opens its conversation. */
  "session.login": message("admin", z.looseObject({ ...SessionRef, method: z.optional(z.string()) }), SessionData),
  /** What was said, of a saved one as well. The stream `session/<id>` goes on from its `seq`, where the session is live. */
  "session.conversation": message(
    "view",
    z.looseObject(SessionRef),
    z.looseObject({ session: Session, conversation: ConversationSnapshot }),
  ),
  /** To the server that has it: give it to another one. Its program does not notice. */
  "session.move": message("admin", z.looseObject({ ...SessionRef, to: z.string() }), SessionData),
  /** To the server that is to have it, from the one that had it. `epoch`: of its lease; when that is over, the one that had it has taken it back. */
  "session.take": message("admin", z.looseObject({ id: z.string(), epoch: z.optional(z.int()) }), SessionData),
  /** Serves the workers of a project, or goes on with it. `port`: in place of the configured one. Answers once the front listens; workers come up later. */
  "gateway.up": message(
    "admin",
    z.looseObject({ dir: z.string(), env: Env, port: z.optional(z.int()) }),
    z.looseObject({ gateway: Gateway, action: z.enum(["started", "already_running"]) }),
  ),
  /** Ends the front and the instances of the project of `workdir`. */
  "gateway.down": message(
    "admin",
    z.looseObject(GatewayRef),
    z.looseObject({ dir: z.string(), workers: z.array(z.string()) }),
  ),
  /** Of the project of `workdir`, or of all. */
  "gateway.status": message(
    "view",
    z.looseObject({ workdir: z.optional(z.string()) }),
    z.looseObject({ gateways: z.array(Gateway) }),
  ),
  "gateway.mode": message(
    "admin",
    z.looseObject({ ...GatewayRef, mode: GatewayMode }),
    z.looseObject({ gateway: Gateway }),
  ),
  /** What was deployed is taken up: files are looked at, and what has changed is built and switched to. Answers when each worker is healthy, or is not to be. */
  "gateway.refresh": message("admin", z.looseObject(GatewayRef), z.looseObject({ gateway: Gateway })),
  /** Requests wait until `unpause`. */
  "gateway.pause": message("admin", z.looseObject(WorkerRef), WorkerData),
  "gateway.unpause": message("admin", z.looseObject(WorkerRef), WorkerData),
  /** No new requests; what is in flight is finished, then its instances end. */
  "gateway.drain": message("admin", z.looseObject(WorkerRef), WorkerData),
  "gateway.stop": message("admin", z.looseObject({ ...WorkerRef, ...StopOptions }), WorkerData),
  "gateway.start": message("admin", z.looseObject(WorkerRef), WorkerData),
  /** New instances of the same version, then the old ones end. */
  "gateway.restart": message("admin", z.looseObject(WorkerRef), WorkerData),
  /** To that version, or to the one before. */
  "gateway.rollback": message("admin", z.looseObject({ ...WorkerRef, version: z.optional(z.string()) }), WorkerData),
  /** Builds anew, also what was built before. */
  "gateway.build": message("admin", z.looseObject(WorkerRef), WorkerData),
  /** Resolves when the worker is healthy, failed or stopped, or at the timeout, with how it is then. */
  "gateway.settled": message("view", z.looseObject({ ...WorkerRef, timeout_ms: z.optional(z.int()) }), WorkerData),
  /**
   * Answers when one of the conditions holds, with which; `ended` when it cannot come true by itself (nothing is being built or started, and it is not
   * healthy), `timeout` after `timeout_ms`.
   */
  "gateway.wait": message(
    "view",
    z.looseObject({ ...WorkerRef, conditions: z.array(WorkerCondition), timeout_ms: z.optional(z.int()) }),
    z.looseObject({
      worker: Worker,
      met: z.array(WorkerCondition),
      result: z.enum(["met", "timeout", "ended"]),
    }),
  ),
  /**
   * Builds the workers of a project for production, those of `names` or all that are built, and starts nothing; the project need not be up. Ends at the first
   * that fails, and when its client goes.
   */
  "gateway.artefacts": message(
    "admin",
    z.looseObject({ dir: z.string(), env: Env, names: z.optional(z.array(z.string())) }),
    z.looseObject({ artefacts: z.array(ProductionArtefact) }),
  ),
  /** A page of what an instance of a worker has said: the newest, or `instance`, also one that is no more. */
  "gateway.log": message(
    "view",
    z.looseObject({ ...WorkerRef, instance: z.optional(z.string()), ...LogPageWanted }),
    z.looseObject({ instance: z.string(), ...LogPage }),
  ),
  /** Prometheus text. */
  "gateway.metrics": message("view", z.looseObject(GatewayRef), z.looseObject({ text: z.string() })),
  ...mailMessages,
  ...remoteMessages,
  /** From a newer server of the same home: hand over the jobs. Answers once the primary's lock is free. */
  "server.yield": message("admin", z.looseObject({ to: z.string() }), z.looseObject({ yielded: z.boolean() })),
} as const;

export type MessageType = keyof typeof messages;
export type PayloadOf<T extends MessageType> = z.infer<(typeof messages)[T]["payload"]>;
export type DataOf<T extends MessageType> = z.infer<(typeof messages)[T]["data"]>;
export type NewJob = z.infer<typeof NewJob>;
export type NewSession = z.infer<typeof NewSession>;
export type UpJob = z.infer<typeof UpJob>;
export type ServerStatus = z.infer<typeof ServerStatus>;
export type Finding = z.infer<typeof Finding>;
export type Unit = z.infer<typeof Unit>;
export type WhyReport = z.infer<typeof WhyReport>;
