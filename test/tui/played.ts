import type { Participant } from "../../src/protocol/mail-units.ts";
import type { Job, Run, Session } from "../../src/protocol/units.ts";
import type { MailEntry } from "../../src/tui/model/mail.ts";
import {
  type Action,
  type Effect,
  initialModel,
  type LogLine,
  type Model,
  type ServerView,
} from "../../src/tui/model/model.ts";
import { update } from "../../src/tui/model/update.ts";

/** Models for tests, and a way to play actions on them. */

export const NOW_MS = Date.parse("2026-01-02T12:00:00.000Z");
export const at = (agoMs: number): string => new Date(NOW_MS - agoMs).toISOString();

export const job = (id: string, more: Partial<Job> = {}): Job => ({
  id,
  kind: "job",
  server: "blazing",
  pid: 100,
  status: "running",
  state: "running",
  outcome: null,
  command: ["npm", "run", id],
  workdir: "/p",
  labels: {},
  created_at: at(60_000),
  started_at: at(60_000),
  stdout_path: `/logs/${id}-1.stdout.log`,
  stderr_path: `/logs/${id}-1.stderr.log`,
  run_id: `${id}-1`,
  run_count: 1,
  success_count: 0,
  failure_count: 0,
  success_rate: 0,
  avg_duration_ms: 0,
  failure_avg_duration_ms: 0,
  min_duration_ms: 0,
  max_duration_ms: 0,
  ...more,
});

export const ended = (id: string, status = 0, more: Partial<Job> = {}): Job =>
  job(id, { status: "stopped", state: "ended", outcome: { kind: "exited", status }, stopped_at: at(30_000), ...more });

export const run = (id: string, more: Partial<Run> = {}): Run => ({
  id,
  job_id: id.split("-")[0]!,
  pid: 100,
  status: "stopped",
  state: "ended",
  outcome: { kind: "exited", status: 0 },
  stdout_path: `/logs/${id}.stdout.log`,
  stderr_path: `/logs/${id}.stderr.log`,
  started_at: at(60_000),
  duration_ms: 1_000,
  ...more,
});

export const session = (id: string, more: Partial<Session> = {}): Session => ({
  id,
  name: id,
  icon: "🦊",
  kind: "session",
  server: "blazing",
  pid: 100,
  status: "running",
  state: "idle",
  outcome: null,
  command: ["sh"],
  workdir: "/p",
  labels: {},
  created_at: at(60_000),
  started_at: at(60_000),
  active_at: at(60_000),
  cols: 80,
  rows: 24,
  client_count: 0,
  viewer_count: 0,
  output_bytes: 0,
  resume_count: 0,
  ...more,
});

export const server = (name: string, sessions: Session[], more: Partial<ServerView> = {}): ServerView => ({
  name,
  icon: "🔥",
  version: "0.1.0",
  hash: "abc1234",
  isOld: false,
  isSilent: false,
  sessions: sessions.map((one) => ({ ...one, server: name })),
  ...more,
});

export const participant = (name: string, presence: Participant["presence"] = "live", unread = 0): Participant => ({
  name,
  presence,
  owner: "nobody",
  unread,
  groups: [],
  registered_at: "2026-01-01T00:00:00.000Z",
});

/** Somebody has written to this name, and nobody has taken it. */
export const neverThere = (name: string): Participant => {
  const { registered_at: _, ...rest } = participant(name, "gone", 1);
  return rest;
};

/** From fox to owl, unless it is said otherwise. */
export const mailEntry = (seq: number, more: Partial<MailEntry["message"]> = {}): MailEntry => {
  const { to = "owl" } = more;
  const message = {
    id: `m${seq}`,
    seq,
    from: "fox",
    to,
    addressed_to: to,
    sent_at: at(60_000),
    body: `text ${seq}`,
    kind: "message" as const,
    thread: `m${seq}`,
    hops: 0,
    ...more,
  };
  const receipts = to
    .split(",")
    .map((name) => ({ id: message.id, seq, to: name, state: "queued" as const, at: at(1_000) }));
  return { message, isCut: false, receipts };
};

/** Ten bytes each, `line 000\n` to `line 999\n` with one blank. */
export const logLines = (from: number, to: number): LogLine[] =>
  Array.from({ length: to - from }, (_, index) => ({
    startByte: (from + index) * 10,
    endByte: (from + index + 1) * 10,
    text: `line ${String(from + index).padStart(4, "0")}`,
  }));

/** A model under test, with the effects of its last action. */
export class Played {
  model: Model;
  effects: readonly Effect[] = [];

  constructor(columns = 120, rows = 36, { isPicker = false } = {}) {
    this.model = initialModel({
      columns,
      rows,
      nowMs: NOW_MS,
      scope: { kind: "directory", path: "/p", label: "~/p" },
      version: "0.1.0",
      isPicker,
    });
  }

  do(action: Action): this {
    [this.model, this.effects] = update(this.model, action);
    return this;
  }

  keys(...keys: string[]): this {
    for (const key of keys) this.do({ type: "key", key });
    return this;
  }

  type(text: string): this {
    return this.keys(...[...text].map((letter) => (letter === " " ? "space" : letter)));
  }

  show(...jobs: Job[]): this {
    return this.do({ type: "snapshot", jobs, nowMs: NOW_MS });
  }

  /** The servers as they are now; the first one is the newest. */
  servers(...servers: ServerView[]): this {
    const [latest = null] = servers;
    return this.do({ type: "sessions", servers, latest, nowMs: NOW_MS });
  }

  participants(...participants: Participant[]): this {
    return this.do({ type: "mail", news: { kind: "participants", participants } });
  }

  /** Messages `from` to `to`, as the newest ones. */
  traffic(from: number, to: number, { withName = null as string | null, hasOlder = false } = {}): this {
    const entries = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => mailEntry(from + index));
    return this.do({ type: "mail", news: { kind: "traffic", withName, entries, hasOlder } });
  }

  event(event: string, changed: Job, more: Record<string, unknown> = {}): this {
    const data = { job: changed, ...more };
    return this.do({
      type: "event",
      event: { event, stream: "jobs", seq: 1, job_id: changed.id, data },
      nowMs: NOW_MS,
    });
  }

  /** Answers the pending read of stdout with lines `from` to `to` of a log that has `total` lines. */
  log(
    from: number,
    to: number,
    total: number,
    range: Extract<Action, { type: "log-read" }>["range"] = { kind: "tail" },
  ): this {
    const source = this.model.panes.stdout.source!;
    const window = { lines: logLines(from, to), startBytes: 0, endBytes: total * 10 };
    return this.do({ type: "log-read", panel: "stdout", source, range, window });
  }

  effect<K extends Effect["kind"]>(kind: K): Extract<Effect, { kind: K }> | undefined {
    return this.effects.find((effect): effect is Extract<Effect, { kind: K }> => effect.kind === kind);
  }
}
