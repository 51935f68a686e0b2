import type { StreamEvent } from "../../protocol/envelope.ts";
import type { Gateway, Worker } from "../../protocol/gateway-units.ts";
import type { MailMessage, Participant } from "../../protocol/mail-units.ts";
import type { Job, Session } from "../../protocol/units.ts";
import type { UnitRow } from "../../sealing/unit-row.ts";

/** What is known of a machine's home: the streams of its servers, folded. Pure; the same actions give the same home. */
export interface Home {
  way: HomeWay;
  /** When something was last heard; what is shown while the way is cut is as of then. */
  confirmedMs: number | undefined;
  jobs: ReadonlyMap<string, Job>;
  /** By server; the primary's under its own name as well. */
  sessions: ReadonlyMap<string, readonly Session[]>;
  servers: readonly HomeServer[];
  gateways: readonly Gateway[];
  mail: Mail;
  /** By id: what the machine has left for this device since it was last met; over when it is met again, which knows better. */
  recorded: ReadonlyMap<string, RecordedUnit>;
}

export interface RecordedUnit {
  row: UnitRow;
  /** By the machine's clock; of two of one unit the later counts. */
  atMs: number;
  /** The hub that gave it, and the machine's stream there. */
  from?: { hub: string; stream: string };
}

export interface HomeServer {
  name: string;
  icon: string;
  version: string;
  primary: boolean;
  sessions: readonly string[];
}

export interface Mail {
  /** Nobody has used the mailbox here yet: `unused`. */
  state: "unknown" | "unused" | "live" | "away";
  participants: readonly Participant[];
  /** Newest first. */
  messages: readonly MailEntry[];
  /** Unread of the person's own. */
  unread: readonly MailMessage[];
}

export interface MailEntry {
  message: MailMessage;
  receipts: readonly { to: string; state: string }[];
}

/** `no-server`: the machine answers, and says that nothing runs. `refused`: this browser is not let in. */
export type HomeWay =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "away"; why?: string }
  | { kind: "refused" }
  | { kind: "no-server"; fix: string }
  | { kind: "failed"; text: string; fix: string | undefined };

export type HomeAction =
  | { type: "way"; way: HomeWay; nowMs: number }
  | { type: "jobs"; jobs: readonly Job[]; nowMs: number }
  | { type: "job-event"; event: StreamEvent; nowMs: number }
  | { type: "sessions"; server: string; sessions: readonly Session[]; nowMs: number }
  | { type: "session-changed"; server: string; session: Session; nowMs: number }
  | { type: "session-gone"; server: string; id: string; nowMs: number }
  | { type: "servers"; servers: readonly HomeServer[]; nowMs: number }
  | { type: "gateways"; gateways: readonly Gateway[]; nowMs: number }
  | { type: "mail"; mail: Partial<Mail>; nowMs: number }
  /** What came as sealed records. */
  | { type: "recorded"; units: readonly RecordedUnit[] }
  /** The machine's own list of what it has left at a hub: what is not in it is gone. */
  | { type: "listed"; hub: string; streams: ReadonlySet<string> }
  /** From a former time of this browser; what has been heard meanwhile is newer. */
  | { type: "remembered"; home: Pick<Home, "confirmedMs" | "jobs" | "sessions" | "servers" | "gateways"> };

export const EMPTY_HOME: Home = {
  way: { kind: "connecting" },
  confirmedMs: undefined,
  jobs: new Map(),
  sessions: new Map(),
  servers: [],
  gateways: [],
  mail: { state: "unknown", participants: [], messages: [], unread: [] },
  recorded: new Map(),
};

export function reduceHome(home: Home, action: HomeAction): Home {
  if (action.type === "way") return withWay(home, action);
  if (action.type === "remembered") return withRemembered(home, action.home);
  if (action.type === "recorded") return withRecorded(home, action.units);
  if (action.type === "listed") return withListed(home, action);
  const heard = { ...home, confirmedMs: action.nowMs };
  switch (action.type) {
    case "jobs":
      return { ...heard, jobs: new Map(action.jobs.map((job) => [job.id, job])) };
    case "job-event":
      return { ...heard, jobs: withJobEvent(home.jobs, action.event) };
    case "sessions":
      return { ...heard, sessions: new Map(home.sessions).set(action.server, action.sessions) };
    case "session-changed":
      return withSessions(heard, action.server, (sessions) => replaced(sessions, action.session));
    case "session-gone":
      return withSessions(heard, action.server, (sessions) => sessions.filter(({ id }) => id !== action.id));
    case "servers":
      return withServers(heard, action.servers);
    case "gateways":
      return { ...heard, gateways: action.gateways };
    case "mail":
      // That nobody answers confirms nothing.
      return { ...(action.mail.state === "away" ? home : heard), mail: { ...home.mail, ...action.mail } };
  }
}

/** Of every server; one that moves is for a moment at two, and is shown once. */
export function sessionsOf({ sessions }: Pick<Home, "sessions">): Session[] {
  const byId = new Map<string, Session>();
  for (const some of sessions.values()) for (const session of some) byId.set(session.id, session);
  return [...byId.values()];
}

export const workersOf = ({ gateways }: Pick<Home, "gateways">): Worker[] =>
  gateways.flatMap(({ workers, project, dir }) =>
    workers.map((worker) => ({ ...worker, project: worker.project ?? project, workdir: worker.workdir ?? dir })),
  );

function withWay(home: Home, { way, nowMs }: Extract<HomeAction, { type: "way" }>): Home {
  if (JSON.stringify(way) === JSON.stringify(home.way)) return home;
  return { ...home, way, ...(way.kind === "live" ? { confirmedMs: nowMs, recorded: EMPTY_HOME.recorded } : {}) };
}

/** Another tab of this browser may have heard more since. */
function withRemembered(home: Home, known: Extract<HomeAction, { type: "remembered" }>["home"]): Home {
  const isNewer = home.way.kind === "away" && (known.confirmedMs ?? 0) > (home.confirmedMs ?? 0);
  return home.confirmedMs === undefined || isNewer ? { ...home, ...known } : home;
}

function withRecorded(home: Home, units: readonly RecordedUnit[]): Home {
  if (home.way.kind === "live" || units.length === 0) return home;
  const recorded = new Map(home.recorded);
  for (const unit of units) if (unit.atMs >= (recorded.get(unit.row.id)?.atMs ?? 0)) recorded.set(unit.row.id, unit);
  return { ...home, recorded };
}

function withListed(home: Home, { hub, streams }: Extract<HomeAction, { type: "listed" }>): Home {
  const isGone = ({ from }: RecordedUnit): boolean => from?.hub === hub && !streams.has(from.stream);
  const left = [...home.recorded].filter(([, unit]) => !isGone(unit));
  return left.length === home.recorded.size ? home : { ...home, recorded: new Map(left) };
}

function withJobEvent(jobs: Home["jobs"], { event, job_id, data }: StreamEvent): Home["jobs"] {
  const job = data.job as Job | undefined;
  const id = job?.id ?? job_id;
  if (id === undefined) return jobs;
  const next = new Map(jobs);
  const known = jobs.get(id);
  if (event === "job_removed") next.delete(id);
  else if (job) next.set(id, job);
  else if (known && event === "ports_updated" && Array.isArray(data.ports))
    next.set(id, { ...known, ports: data.ports as NonNullable<Job["ports"]> });
  else return jobs;
  return next;
}

function withSessions(home: Home, server: string, change: (sessions: readonly Session[]) => readonly Session[]): Home {
  return { ...home, sessions: new Map(home.sessions).set(server, change(home.sessions.get(server) ?? [])) };
}

function replaced(sessions: readonly Session[], session: Session): readonly Session[] {
  const at = sessions.findIndex(({ id }) => id === session.id);
  return at === -1 ? [...sessions, session] : sessions.with(at, session);
}

/**
 * What a server had that is no more is no more either: its sessions are elsewhere, or over. So is a session that the registry has named and does not name any more: its server may
 * have had nobody to tell.
 */
function withServers(home: Home, servers: readonly HomeServer[]): Home {
  const sessions = new Map<string, readonly Session[]>();
  for (const { name, sessions: named } of servers) {
    const known = home.sessions.get(name);
    if (!known) continue;
    const before = new Set(home.servers.find((server) => server.name === name)?.sessions);
    sessions.set(
      name,
      known.filter(({ id }) => named.includes(id) || !before.has(id)),
    );
  }
  return { ...home, servers, sessions };
}
