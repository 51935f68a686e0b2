import { lookForSession } from "../local/find-session.ts";
import { isWarrenError, WarrenError } from "../protocol/errors.ts";
import type { Worker } from "../protocol/gateway-units.ts";
import type { DataOf, Unit } from "../protocol/messages.ts";
import type { Context } from "./context.ts";
import { isWorkerHere } from "./gateway/worker-folder.ts";
import type { MachineDoor } from "./on/machine-door.ts";
import { clientOfSession, type SessionHandle, savedSession, sessionThere } from "./sessions/session-client.ts";

/**
 * What a name means, for every verb (CONTRACT §1), the first that has it:
 *
 *   1. a job or a worker of this project
 *   2. a live session of the home
 *   3. a job or a worker of another project
 *   4. a session that has ended
 *
 * `site/api` says the project, and a job's id is always that job. Where a job and a worker share a name, `job:api` and `worker:api` say which;
 * `session:fox` as well. More than one answer is an error that lists them.
 */
export interface UnitActions<T> {
  /** With the name or id, without a kind before it. */
  job: (name: string) => Promise<T>;
  session: (handle: SessionHandle) => Promise<T>;
  /** Absent: the verb has no meaning for one. */
  worker?: (handle: WorkerHandle) => Promise<T>;
}

/** A worker that a verb means, and its project's directory. */
export interface WorkerHandle {
  worker: Worker;
  dir: string;
}

type Kind = "job" | "session" | "worker";

/** @throws JOB_NOT_FOUND when nothing has that name; UNIT_AMBIGUOUS; NOT_FOR_WORKERS */
export async function onUnit<T>(context: Context, reference: string, actions: UnitActions<T>): Promise<T> {
  const { kind, name } = wordOf(reference);
  const live = kind === undefined || kind === "session" ? await liveSession(context, name, kind) : undefined;
  if (live) return actions.session(live);
  if (kind === "session") return actions.session(await endedSession(context, name));
  const { units, near } = await unitsNamed(context, name);
  const ofKind = units.filter((unit) => kind === undefined || unit.kind === kind);
  const workers = ofKind.filter((unit) => unit.kind === "worker");
  const jobs = ofKind.filter((unit) => unit.kind === "job");
  if (actions.worker && workers.length > 0 && ofKind.length > 1) throw unitAmbiguous(name, ofKind);
  if (workers[0] && jobs.length === 0) {
    if (!actions.worker) throw notForWorkers(workers[0]);
    return actions.worker({ worker: workers[0], dir: workers[0].workdir ?? context.cwd });
  }
  if (kind === "worker") throw noSuchWorker(name, near);
  try {
    return await actions.job(name);
  } catch (error) {
    if (!isWarrenError(error, "JOB_NOT_FOUND")) throw error;
    const saved = kind === "job" ? undefined : await savedSession(context, name);
    if (saved) return actions.session(saved);
    if (error.detail?.suggestion !== undefined) throw error;
    if (near !== undefined) throw nearWorker(error, near);
    throw kind === undefined && !context.machine && (await isWorkerHere(context.cwd, name)) ? notUp(name) : error;
  }
}

/** For verbs that are about jobs alone. @throws as `onUnit`; NOT_FOR_WORKERS, NOT_FOR_SESSIONS */
export const onJob = <T>(context: Context, reference: string, job: UnitActions<T>["job"]): Promise<T> =>
  onUnit(context, reference, {
    job,
    session: ({ name }) =>
      Promise.reject(
        new WarrenError("NOT_FOR_SESSIONS", `${name} is a session; this is for jobs.`, { fix: `warren why ${name}` }),
      ),
  });

const KINDS: ReadonlySet<string> = new Set<Kind>(["job", "session", "worker"]);

function wordOf(reference: string): { kind: Kind | undefined; name: string } {
  const at = reference.indexOf(":");
  const kind = reference.slice(0, Math.max(0, at));
  return KINDS.has(kind) ? { kind: kind as Kind, name: reference.slice(at + 1) } : { kind: undefined, name: reference };
}

async function liveSession(context: Context, name: string, kind: Kind | undefined): Promise<SessionHandle | undefined> {
  if (context.machine) return liveSessionThere(context, context.machine, name);
  const found = lookForSession(context.places, name);
  if (!found) return undefined;
  const isSure = kind === "session" || name.includes("/") || name === found.id;
  if (!isSure && (await isTakenHere(context, name))) return undefined;
  return { id: found.id, name: found.name, client: clientOfSession(context, found) };
}

/** There is no "here" on another machine. */
async function liveSessionThere(
  context: Context,
  machine: MachineDoor,
  name: string,
): Promise<SessionHandle | undefined> {
  try {
    const there = await sessionThere(context, machine, name);
    return there.isLive ? there : undefined;
  } catch (error) {
    if (isWarrenError(error, "SESSION_NOT_FOUND")) return undefined;
    throw error;
  }
}

/** A job of exactly this directory, or a worker of this project, has the name. */
async function isTakenHere(context: Context, name: string): Promise<boolean> {
  const { cwd } = context;
  const { units } = await unitsNamed(context, name, "find");
  return units.some(({ kind, workdir = "" }) =>
    kind === "job" ? workdir === cwd : cwd === workdir || cwd.startsWith(`${workdir}/`),
  );
}

async function endedSession(context: Context, name: string): Promise<SessionHandle> {
  const saved = await savedSession(context, name);
  if (saved) return saved;
  throw new WarrenError("SESSION_NOT_FOUND", `session not found: ${name}`, { fix: "warren sessions --all" });
}

async function unitsNamed(context: Context, name: string, mode?: "find"): Promise<DataOf<"unit.find">> {
  try {
    return await context.client(mode).request("unit.find", { name, workdir: context.cwd });
  } catch (error) {
    // A server from before there were workers; in the mode `find`, none at all.
    if (isWarrenError(error, "UNKNOWN_TYPE")) return { units: [] };
    if (mode === "find" && isWarrenError(error, "NO_SERVER")) return { units: [] };
    throw error;
  }
}

function unitAmbiguous(name: string, units: readonly Unit[]): WarrenError {
  const bare = name.slice(name.lastIndexOf("/") + 1);
  const projects = new Set(units.map(({ workdir }) => workdir));
  const isOneProject = projects.size === 1;
  const words = units.map((unit) => {
    const place = isOneProject || unit.kind === "job" ? "" : `${unit.project}/`;
    const word = unit.kind === "job" ? unit.id : `worker:${place}${bare}`;
    return { word, text: `${word} (${unit.kind === "job" ? "job " : ""}in ${unit.workdir})` };
  });
  return new WarrenError(
    "UNIT_AMBIGUOUS",
    `${name} is the name of ${units.length} units: ${words.map(({ text }) => text).join(", ")}.`,
    { fix: `warren why ${words.at(-1)!.word}`, detail: { candidates: words.map(({ word }) => word) } },
  );
}

const notForWorkers = ({ name }: Worker): WarrenError =>
  new WarrenError("NOT_FOR_WORKERS", `${name} is a worker; this is for jobs and sessions.`, {
    fix: `warren why ${name}`,
  });

const notUp = (name: string): WarrenError =>
  new WarrenError("GATEWAY_NOT_FOUND", `${name} is a worker of this project, which is not up.`, { fix: "warren up" });

const noSuchWorker = (name: string, near: string | undefined): WarrenError =>
  new WarrenError("WORKER_NOT_FOUND", `worker not found: ${name}${near ? `. Did you mean ${near}?` : ""}`, {
    fix: "warren gateway status --all",
  });

const nearWorker = ({ code, message, detail }: WarrenError, near: string): WarrenError =>
  new WarrenError(code, `${message}. Did you mean ${near}?`, {
    fix: "warren list --all",
    detail: { ...detail, suggestion: near },
  });
