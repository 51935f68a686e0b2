import type { Worker } from "../../protocol/gateway-units.ts";
import type { Job, Session } from "../../protocol/units.ts";
import { type Home, sessionsOf, workersOf } from "./home.ts";
import { shortCommand, shortPath } from "./text.ts";
import { stateOfJob, stateOfSession, stateOfWorker, type UnitState } from "./unit-state.ts";

/** The one list: every unit of the home as a row. */
export type Unit =
  | { kind: "session" | "agent"; session: Session }
  | { kind: "job"; job: Job }
  | { kind: "worker"; worker: Worker };
export type Kind = Unit["kind"];

export interface Row {
  /** `kind/id`: what the address of its page says. */
  key: string;
  unit: Unit;
  icon: string;
  name: string;
  state: UnitState;
  needsYou: boolean;
  /** What it does now, or asks. */
  detail: string;
  /** The directory that it belongs to, shortened. */
  project: string;
  /** Since when it is as it is; for ages. */
  sinceMs: number;
}

/** Those that need somebody first, then by project, then by name: an order that no output and no work changes. */
export function rowsOf(home: Pick<Home, "jobs" | "sessions" | "gateways">): Row[] {
  const rows = [
    ...sessionsOf(home).map(rowOfSession),
    ...[...home.jobs.values()].map(rowOfJob),
    ...workersOf(home).map(rowOfWorker),
  ];
  return rows.sort(
    (a, b) =>
      Number(b.needsYou) - Number(a.needsYou) ||
      compare(a.project, b.project) ||
      compare(a.name, b.name) ||
      compare(a.key, b.key),
  );
}

/** Every word of the search has to stand somewhere in the row. */
export function filterRows(rows: readonly Row[], { search, kind }: { search: string; kind: Kind | "all" }): Row[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (kind !== "all" && row.unit.kind !== kind) return false;
    if (words.length === 0) return true;
    const text = `${row.name} ${row.unit.kind} ${row.state.word} ${row.detail} ${row.project}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export function rowOfSession(session: Session): Row {
  const state = stateOfSession(session);
  const command = shortCommand(session.command);
  const isAsking = session.state === "needs_you";
  return {
    key: `${session.kind}/${session.id}`,
    unit: { kind: session.kind, session },
    icon: session.icon,
    name: session.name,
    state,
    needsYou: isAsking,
    detail: (isAsking ? session.attention : undefined) || session.title || command,
    project: shortPath(session.workdir),
    sinceMs: Date.parse(session.stopped_at ?? (isAsking ? session.active_at : session.started_at)),
  };
}

export function rowOfJob(job: Job): Row {
  const ports = (job.ports ?? []).map(({ port }) => `:${port}`);
  return {
    key: `job/${job.id}`,
    unit: { kind: "job", job },
    icon: "▸",
    name: job.name ?? job.id,
    state: stateOfJob(job),
    needsYou: job.stuck === true && job.state === "running",
    detail: [...new Set(ports), shortCommand(job.command)].join("  "),
    project: shortPath(job.workdir),
    sinceMs: Date.parse(job.stopped_at ?? job.started_at ?? job.created_at),
  };
}

export function rowOfWorker(worker: Worker): Row {
  const id = worker.id ?? `${worker.project}/${worker.name}`;
  return {
    key: `worker/${id}`,
    unit: { kind: "worker", worker },
    icon: "⬡",
    name: worker.name,
    state: stateOfWorker(worker),
    needsYou: false,
    detail: worker.failure && worker.state !== "healthy" ? worker.failure.message : (worker.url ?? worker.route),
    project: shortPath(worker.workdir ?? ""),
    sinceMs: worker.started_at ? Date.parse(worker.started_at) : Number.NaN,
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
