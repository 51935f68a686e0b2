import type { StreamEvent } from "../../protocol/envelope.ts";
import type { Gateway } from "../../protocol/gateway-units.ts";
import type { Job, Run, Session } from "../../protocol/units.ts";
import { initialMail, type MailAsk, type MailNews, type MailView } from "./mail.ts";
import type { WorkerView } from "./workers.ts";

/**
 * The state of the terminal face, the actions that change it and the effects that a change asks for. `update(model, action)` is pure; everything
 * that a view shows is computed from the model.
 */

export const PANELS = ["units", "ports", "runs", "stdout", "stderr"] as const;
export type PanelId = (typeof PANELS)[number];
export type LogPanelId = "stdout" | "stderr";

export const isLogPanel = (panel: PanelId): panel is LogPanelId => panel === "stdout" || panel === "stderr";

/** What "here" is: exactly this directory, or everything in the folder of the project's warren.yaml. */
export interface Scope {
  kind: "directory" | "project";
  path: string;
  /** As the title shows it, with ~. */
  label: string;
}

export interface LogLine {
  /** Absolute offset of the first byte, and of the byte after the newline. */
  startByte: number;
  endByte: number;
  /** Cleaned for display; may hold SGR sequences. */
  text: string;
}

export interface LogSource {
  runId: string;
  path: string;
}

/** A window of one log. `lines` are neighbours in the file; positions are absolute, so a window never shows the wrong bytes. */
export interface LogPane {
  source: LogSource | null;
  lines: readonly LogLine[];
  /** The window reaches to the first byte that can still be read, or to the end of what was written. */
  atStart: boolean;
  atEnd: boolean;
  /** Older bytes than these were dropped from the log. */
  droppedBytes: number;
  /** The first shown row: a line, and a row of it when lines are wrapped. Not used while following. */
  top: { line: number; row: number };
  follow: boolean;
  wrap: boolean;
  column: number;
  /** A read is under way; `queued` is what to read after it. */
  reading: boolean;
  queued: LogRange | "growth" | null;
  /** Start of the line that the search stands on. */
  matchByte: number | null;
  /** Lines dragged over, by start byte; both ends included. */
  selection: { fromByte: number; toByte: number } | null;
}

export interface ListState {
  top: number;
  column: number;
}

export interface TextInput {
  text: string;
  /** In UTF-16 units, always between graphemes. */
  cursor: number;
}

export type Overlay =
  | { kind: "help"; top: number }
  | { kind: "report"; title: string; lines: readonly string[]; top: number }
  | { kind: "new-job"; input: TextInput }
  | { kind: "rename"; id: string; name: string; input: TextInput }
  /** `fromId`: what was selected before; escape goes back to it. */
  | { kind: "search"; input: TextInput; panel: PanelId; fromId: string | null }
  /** A message to `to`, or to the name that is typed before it; `reply`: to what it answers. */
  | { kind: "write"; to: string | null; reply: { id: string; from: string; seq: number } | null; input: TextInput }
  | { kind: "palette"; input: TextInput; index: number };

export interface Message {
  id: number;
  text: string;
  level: "info" | "error";
}

/** A server of this home with its live sessions. */
export interface ServerView {
  name: string;
  icon: string;
  version: string;
  hash: string;
  /** Another one, or this screen, is of a newer build. */
  isOld: boolean;
  /** It did not answer the last time; its sessions are those of the time before. */
  isSilent: boolean;
  sessions: readonly Session[];
}

/** Where new sessions go: the server of the newest build; null: one of this very build is started. */
export type LatestServer = Pick<ServerView, "name" | "icon"> | null;

/** A row of panel 1. Those without an id cannot be selected. */
export type Row =
  | { kind: "new" | "session" | "job" | "worker"; id: string }
  | { kind: "server" | "none"; name: string }
  | { kind: "ended" | "jobs" | "workers" };

/** What `session-list.ts` keeps. */
export interface SessionList {
  servers: readonly ServerView[];
  latest: LatestServer;
  /** Live ones, and those that have ended while they are shown. */
  byId: ReadonlyMap<string, Session>;
  /** Ids by the server's name, in their order on the screen. */
  orders: ReadonlyMap<string, readonly string[]>;
  /** Of the live ones. */
  counts: { needsYou: number; working: number };
  showsEnded: boolean;
  /** Not live any more, newest first; empty while they are not shown. */
  ended: readonly Session[];
  rows: readonly Row[];
  /** Where in `rows` a selectable row stands. */
  places: ReadonlyMap<string, number>;
}

/** What a unit uses, as it is shown: `6%`, `125 MB`. */
export interface Use {
  cpu: string;
  memory: string;
}

/** What the screen of the selected session shows. */
export interface Preview {
  id: string;
  lines: readonly string[];
  cursorRow: number;
}

export type Connection = "connecting" | "live" | "reconnecting" | "gone";

export interface Model {
  columns: number;
  rows: number;
  nowMs: number;
  scope: Scope;
  version: string;
  allDirectories: boolean;
  connection: Connection;
  jobs: ReadonlyMap<string, Job>;
  /** Ids of the units that are shown, in their order on the screen. */
  order: readonly string[];
  workers: ReadonlyMap<string, WorkerView>;
  /** As `order`. */
  workerOrder: readonly string[];
  sessions: SessionList;
  /** Of the jobs and sessions that run, by id; workers say it themselves. */
  usage: ReadonlyMap<string, Use>;
  preview: Preview | null;
  /** While it is open it takes the place of all panels. */
  mail: MailView;
  /** A selected session that is nowhere for the moment, as while it moves; the cursor goes back to it from `toId`. */
  strayed: { id: string; toId: string | null } | null;
  /** Of a job, a session or a worker, or NEW_ID. */
  selectedId: string | null;
  focus: PanelId;
  /** Which of panels 2 and 3 is shown where there is room for one. */
  lastDetail: "ports" | "runs";
  lists: Record<"units" | "ports" | "runs", ListState>;
  portIndex: number;
  /** Runs of the selected unit, newest first; empty until they are loaded. */
  runs: readonly Run[];
  /** Of a worker: an instance. Null: the newest, also when there comes a newer one. */
  selectedRunId: string | null;
  panes: Record<LogPanelId, LogPane>;
  overlay: Overlay | null;
  search: { panel: PanelId; query: string } | null;
  /** The key that does what it said when it is pressed again, and to what. */
  armed: { key: string; id: string } | null;
  drag: { panel: LogPanelId; fromByte: number; moved: boolean } | null;
  message: Message | null;
  nextMessageId: number;
}

/** `latest`: what was written from `byte` on, or the tail when that is more than one read holds. */
export type LogRange = { kind: "tail" | "head" } | { kind: "before" | "after" | "latest" | "around"; byte: number };

export interface LogWindow {
  lines: readonly LogLine[];
  /** Of the file when it was read. */
  startBytes: number;
  endBytes: number;
}

/** x and y count from 0. `lines`: positive is down. */
export type MouseInput =
  | { kind: "press" | "drag" | "release"; x: number; y: number }
  | { kind: "wheel"; x: number; y: number; lines: number };

export type Action =
  /** `k`, `G`, `up`, `pgdn`, `ctrl-u`, `shift-tab`, `space`, … */
  | { type: "key"; key: string }
  | { type: "paste"; text: string }
  | { type: "mouse"; mouse: MouseInput }
  | { type: "resize"; columns: number; rows: number }
  | { type: "tick"; nowMs: number }
  | { type: "connection"; state: Connection; message?: string }
  | { type: "snapshot"; jobs: readonly Job[]; nowMs: number }
  | { type: "event"; event: StreamEvent; nowMs: number }
  | { type: "gateways"; gateways: readonly Gateway[]; nowMs: number }
  | { type: "runs-loaded"; jobId: string; runs: readonly Run[] }
  | { type: "log-read"; panel: LogPanelId; source: LogSource; range: LogRange; window: LogWindow }
  | { type: "log-grew"; panel: LogPanelId; source: LogSource }
  | { type: "log-found"; panel: LogPanelId; source: LogSource; matchByte: number | null }
  | { type: "sessions"; servers: readonly ServerView[]; latest: LatestServer; nowMs: number }
  | { type: "ended-loaded"; sessions: readonly Session[] }
  | { type: "session-changed"; session: Session }
  | { type: "usage"; usage: ReadonlyMap<string, Use> }
  | { type: "mail"; news: MailNews }
  | { type: "previewed"; id: string; lines: readonly string[]; cursorRow: number }
  | { type: "done"; text: string; selectId?: string }
  | { type: "failed"; text: string }
  | { type: "report"; title: string; lines: readonly string[] }
  | { type: "message-expired"; id: number };

/** A request to the server that changes something, with what to say when it is done. */
export type Verb =
  | { verb: "add"; commandLine: string }
  | { verb: "start" | "restart" | "stop" | "kill" | "remove"; jobId: string }
  | { verb: "remove-run"; runId: string }
  | { verb: "signal"; jobId: string; signal: string }
  | { verb: "stop-all" | "cleanup"; workdir: string | null }
  | { verb: "session-stop" | "session-resume"; id: string }
  | { verb: "session-rename"; id: string; name: string }
  | { verb: "session-move"; id: string; to: string }
  /** Of a server, and so of all that it has. */
  | { verb: "session-reload"; server: string }
  | { verb: "worker"; ask: WorkerAsk; name: string; dir: string };

/** What a worker can be asked to do; each is the message `gateway.<that>`. */
export type WorkerAsk = "start" | "stop" | "restart" | "pause" | "unpause" | "rollback" | "build" | "drain";

export type Effect =
  | { kind: "perform"; verb: Verb; label: string }
  | { kind: "why"; jobId: string; label: string }
  | { kind: "why-worker"; dir: string; name: string }
  | { kind: "load-runs"; jobId: string }
  /** Watches for growth; null ends the watch. */
  | { kind: "watch-log"; panel: LogPanelId; source: LogSource | null }
  | { kind: "read-log"; panel: LogPanelId; source: LogSource; range: LogRange }
  | { kind: "find-in-log"; panel: LogPanelId; source: LogSource; query: string; fromByte: number; direction: 1 | -1 }
  /** Gives the terminal to a session until it is left or has ended. */
  | { kind: "attach"; id: string; isViewer: boolean }
  | { kind: "new-session" }
  | { kind: "load-ended" }
  /** Shows its screen and keeps it fresh; null ends that. */
  | { kind: "watch-screen"; id: string | null }
  /** Looks at it again and again while it is selected; null ends that. */
  | { kind: "watch-worker"; id: string | null }
  | { kind: "mail"; ask: MailAsk }
  | { kind: "copy"; text: string }
  | { kind: "expire-message"; id: number }
  /** Writes the whole screen again. */
  | { kind: "redraw" }
  | { kind: "quit" };

export type Step = readonly [Model, readonly Effect[]];

export const emptyPane = (): LogPane => ({
  source: null,
  lines: [],
  atStart: true,
  atEnd: true,
  droppedBytes: 0,
  top: { line: 0, row: 0 },
  follow: true,
  wrap: false,
  column: 0,
  reading: false,
  queued: null,
  matchByte: null,
  selection: null,
});

export interface Start {
  columns: number;
  rows: number;
  nowMs: number;
  scope: Scope;
  version: string;
  /** Opened to pick a session: the cursor stands on "+ New session". */
  isPicker?: boolean;
  /** For whom it speaks in the mail; default `you`. */
  mailName?: string;
}

/** "+ New session", as something that can be selected. */
export const NEW_ID = "+";
const NEW_ROW: Row = { kind: "new", id: NEW_ID };

const noSessions = (): SessionList => ({
  servers: [],
  latest: null,
  byId: new Map(),
  orders: new Map(),
  counts: { needsYou: 0, working: 0 },
  showsEnded: false,
  ended: [],
  rows: [NEW_ROW],
  places: new Map([[NEW_ID, 0]]),
});

export const initialModel = ({ isPicker = false, mailName = "you", ...start }: Start): Model => ({
  ...start,
  mail: initialMail(mailName),
  allDirectories: false,
  connection: "connecting",
  jobs: new Map(),
  order: [],
  workers: new Map(),
  workerOrder: [],
  sessions: noSessions(),
  usage: new Map(),
  preview: null,
  strayed: null,
  selectedId: isPicker ? NEW_ID : null,
  focus: "units",
  lastDetail: "runs",
  lists: { units: { top: 0, column: 0 }, ports: { top: 0, column: 0 }, runs: { top: 0, column: 0 } },
  portIndex: 0,
  runs: [],
  selectedRunId: null,
  panes: { stdout: emptyPane(), stderr: emptyPane() },
  overlay: null,
  search: null,
  armed: null,
  drag: null,
  message: null,
  nextMessageId: 1,
});

/** Runs steps one after the other and keeps all their effects. */
export function chain(model: Model, ...steps: ((model: Model) => Step)[]): Step {
  const effects: Effect[] = [];
  let current = model;
  for (const step of steps) {
    const [next, more] = step(current);
    current = next;
    effects.push(...more);
  }
  return [current, effects];
}

export const selectedJob = (model: Model): Job | undefined =>
  model.selectedId === null ? undefined : model.jobs.get(model.selectedId);

export const selectedSession = (model: Model): Session | undefined =>
  model.selectedId === null ? undefined : model.sessions.byId.get(model.selectedId);

/** Not ended: its program runs. */
export const isLive = ({ state }: Session): boolean => state !== "ended" && state !== "saved";

/** The name when it has one, else the id. */
export const labelOf = (job: Job): string => job.name ?? job.id;
