import type { Worker } from "../../protocol/gateway-units.ts";
import type { Job, Session } from "../../protocol/units.ts";
import type { UnitRow } from "../../sealing/unit-row.ts";
import { type Home, sessionsOf, workersOf } from "./home.ts";
import { keyOfUnit } from "./route.ts";
import { shortCommand, shortPath } from "./text.ts";
import { stateOfJob, stateOfRecord, stateOfSession, stateOfWorker, type UnitState } from "./unit-state.ts";

/** The one list: every unit of every machine as a row. */
export type Unit =
  | { kind: "session" | "agent"; session: Session }
  | { kind: "job"; job: Job }
  | { kind: "worker"; worker: Worker }
  /** Known from a sealed record alone: its machine is away. */
  | { kind: "recorded"; record: UnitRow };
export type Kind = "session" | "agent" | "job" | "worker";

export interface Row {
  /** Machine, kind and id: what the address of its page says. */
  key: string;
  /** As the app knows the machine. */
  machine: string;
  /** Undefined: there is no other machine that it could be on. */
  machineName: string | undefined;
  /** By which hub it is met; undefined where there are less than two to tell apart, and on this machine. */
  hub: string | undefined;
  kind: Kind;
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
  /** The machine cannot be reached: it was so at this time. Undefined: it is so now. */
  asOfMs: number | undefined;
}

/** The machine that serves this app. */
export const LOCAL = "local";

/** What rows say of the machine that they are on. */
export interface RowMachine {
  id: string;
  name: string | undefined;
  hub: string | undefined;
  isLive: boolean;
}
const ALONE: RowMachine = { id: LOCAL, name: undefined, hub: undefined, isLive: true };

type HomeUnits = Pick<Home, "jobs" | "sessions" | "gateways"> & Partial<Pick<Home, "recorded" | "confirmedMs">>;

/** Those that need somebody first, then by project, then by name: an order that no output and no work changes. */
export function rowsOf(home: HomeUnits, machine: RowMachine = ALONE): Row[] {
  const rows = [
    ...sessionsOf(home).map(rowOfSession),
    ...[...home.jobs.values()].map(rowOfJob),
    ...workersOf(home).map(rowOfWorker),
  ];
  const asOfMs = machine.isLive ? undefined : (home.confirmedMs ?? 0);
  return withRecorded(rows, home.recorded)
    .map((row) => ({ ...rowOn(machine, row), asOfMs: row.asOfMs ?? asOfMs }))
    .sort(byNeed);
}

/** A row as one of that machine. */
export const rowOn = (machine: Pick<RowMachine, "id" | "name" | "hub">, row: Row): Row => ({
  ...row,
  key: machine.id === LOCAL ? row.key : keyOfUnit({ machine: machine.id, kind: row.kind, id: idOf(row.unit) }),
  machine: machine.id,
  machineName: machine.name,
  hub: machine.hub,
});

/** Lists that are in order each, as one. */
export function mergeRows(lists: readonly (readonly Row[])[]): Row[] {
  return lists.length === 1 ? [...lists[0]!] : lists.flat().sort(byNeed); // runs that are sorted are taken as such
}

const byNeed = (a: Row, b: Row): number =>
  Number(b.needsYou) - Number(a.needsYou) ||
  compare(a.project, b.project) ||
  compare(a.name, b.name) ||
  compare(a.key, b.key);

/** What came as records since the machine was last met counts more than what was known then. */
function withRecorded(rows: readonly Row[], recorded: Home["recorded"] = new Map()): Row[] {
  if (recorded.size === 0) return [...rows];
  const left = new Map(recorded);
  const known = rows.flatMap((row) => {
    const newer = left.get(idOf(row.unit));
    if (!newer) return [row];
    left.delete(newer.row.id);
    return newer.row.state === GONE ? [] : [{ ...row, ...partsOfRecord(newer.row, row), asOfMs: newer.atMs }];
  });
  const others = [...left.values()].filter(({ row }) => row.state !== GONE && isKind(row.kind));
  return [...known, ...others.map(({ row, atMs }) => ({ ...rowOfRecord(row), asOfMs: atMs }))];
}

/** In a record: there is no such unit any more. */
const GONE = "gone";
const KINDS: readonly string[] = ["session", "agent", "job", "worker"] satisfies Kind[];
const isKind = (kind: string): kind is Kind => KINDS.includes(kind);

export function idOf(unit: Unit): string {
  switch (unit.kind) {
    case "job":
      return unit.job.id;
    case "worker":
      return workerId(unit.worker);
    case "recorded":
      return unit.record.id;
    default:
      return unit.session.id;
  }
}

/** Every word of the search has to stand somewhere in the row. */
export function filterRows(rows: readonly Row[], { search, kind }: { search: string; kind: Kind | "all" }): Row[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (kind !== "all" && row.kind !== kind) return false;
    if (words.length === 0) return true;
    const text =
      `${row.name} ${row.kind} ${row.state.word} ${row.detail} ${row.project} ${row.machineName ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export function rowOfSession(session: Session): Row {
  const state = stateOfSession(session);
  const command = shortCommand(session.command);
  const isAsking = session.state === "needs_you";
  return {
    ...HERE,
    key: `${session.kind}/${session.id}`,
    kind: session.kind,
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
    ...HERE,
    key: `job/${job.id}`,
    kind: "job",
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

function rowOfWorker(worker: Worker): Row {
  return {
    ...HERE,
    key: `worker/${workerId(worker)}`,
    kind: "worker",
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

const workerId = (worker: Worker): string => worker.id ?? `${worker.project}/${worker.name}`;

const HERE = { machine: LOCAL, machineName: undefined, hub: undefined, asOfMs: undefined } as const;

export function rowOfRecord(record: UnitRow): Row {
  const kind = isKind(record.kind) ? record.kind : "session";
  return {
    ...HERE,
    key: `${kind}/${record.id}`,
    kind,
    unit: { kind: "recorded", record },
    icon: record.icon ?? (kind === "worker" ? "⬡" : "▸"),
    project: "",
    ...partsOfRecord(record, undefined),
  };
}

/** What a record says anew of a unit. */
function partsOfRecord(record: UnitRow, known: Row | undefined) {
  const needsYou = record.state === "needs_you";
  return {
    name: record.name,
    state: stateOfRecord(record.state),
    needsYou,
    detail: (needsYou ? record.asks : undefined) ?? record.title ?? known?.detail ?? "",
    sinceMs: record.since === undefined ? Number.NaN : Date.parse(record.since),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
