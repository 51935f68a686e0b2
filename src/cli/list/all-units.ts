import { projectOf } from "../../config/project-of.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { Gateway, Worker } from "../../protocol/gateway-units.ts";
import type { Job, Session } from "../../protocol/units.ts";
import type { Context } from "../context.ts";
import { stateOfUnit } from "../render/states.ts";
import { type ServerSessions, sessionsByServer } from "../sessions/all-sessions.ts";
import { refsOf } from "../unit-ref.ts";

/**
 * Every unit of a place or of the home, whichever server has it: jobs and workers by the primary, sessions and agents by the server of each. Servers
 * without sessions are not asked, and the gateways only where a session listens, so that a list of jobs costs one request.
 */
export type ListedUnit = (Job | Worker | Session) & {
  /** The word that means this one and no other, whatever else has its name (CONTRACT §1). */
  ref: string;
  server: string;
};

export type UnitKind = ListedUnit["kind"];
export const UNIT_KINDS = ["session", "agent", "job", "worker"] as const satisfies readonly UnitKind[];

export interface AllUnits {
  /** What needs you, what runs, what has ended; in each sessions and jobs, newest first, then workers by name. */
  units: ListedUnit[];
  /** Servers that did not answer in time. */
  silent: ServerSessions[];
}

/** `place`: a directory, of which a project takes in what is below; undefined: all. `kinds`: only those are asked for. */
export async function allUnits(
  context: Context,
  { place, kinds }: { place: string | undefined; kinds: ReadonlySet<UnitKind> },
): Promise<AllUnits> {
  const client = context.client();
  const { units } = await client.request("unit.list", place === undefined ? {} : { workdir: place });
  const primary = client.server?.server ?? "";
  const servers = kinds.has("session") || kinds.has("agent") ? await sessionsByServer(context, { usage: true }) : [];
  const sessions = servers.flatMap((one) => one.sessions).filter(({ workdir }) => isWithin(workdir, place));
  const gateways = sessions.some(({ is_listening: is }) => is) ? await gatewaysOf(context) : [];
  const refOf = refsOf(units);
  const all = [
    ...sessions.map((session) => ({ ...session, ...urlOf(session, gateways), ref: `session:${session.name}` })),
    ...units.map((unit) => ({ ...unit, server: String(unit.server ?? primary), ref: refOf(unit) })),
  ] as ListedUnit[];
  return {
    units: byNeed(all.filter(({ kind }) => kinds.has(kind))),
    silent: servers.filter(({ problem }) => problem !== undefined),
  };
}

function isWithin(workdir: string, place: string | undefined): boolean {
  if (place === undefined || workdir === place) return true;
  return workdir.startsWith(`${place}/`) && projectOf(place) === place;
}

/** What a session serves has the host `fox.localhost` at a gateway in development: its own project's, else any. */
function urlOf({ name, workdir, is_listening: isListening }: Session, gateways: readonly Gateway[]): { url?: string } {
  if (!isListening) return {};
  const gateway = gateways.find(({ dir }) => workdir === dir || workdir.startsWith(`${dir}/`)) ?? gateways[0];
  if (!gateway) return {};
  const url = new URL(gateway.url);
  url.hostname = `${name}.localhost`;
  return { url: url.href };
}

async function gatewaysOf(context: Context): Promise<Gateway[]> {
  try {
    const { gateways } = await context.client().request("gateway.status", {});
    return gateways.filter(({ mode }) => mode === "dev");
  } catch (error) {
    if (isWarrenError(error)) return []; // the list is right without addresses
    throw error;
  }
}

const RANK_NEEDS_YOU = 0;
const RANK_RUNS = 1;
const RANK_ENDED = 2;

function rankOf(unit: ListedUnit): number {
  if (stateOfUnit(unit).tone === "attention") return RANK_NEEDS_YOU;
  return unit.status === "running" || ("state" in unit && unit.state === "waiting") ? RANK_RUNS : RANK_ENDED;
}

/** What is compared is looked up once for each: a list is short, and its command shorter. */
function byNeed(units: readonly ListedUnit[]): ListedUnit[] {
  const keyed = units.map((unit) => ({
    unit,
    rank: rankOf(unit) * 2 + (unit.kind === "worker" ? 1 : 0),
    at: atOf(unit),
  }));
  return keyed.sort((a, b) => a.rank - b.rank || (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).map(({ unit }) => unit);
}

/** RFC 3339 in UTC, which sorts as text; of workers nothing, which keeps their order. */
const atOf = (unit: ListedUnit): string => (unit.kind === "worker" ? "" : unit.created_at);
