import assert from "node:assert/strict";
import { liveSessions, lookForSession } from "../local/find-session.ts";
import { isWarrenError, WarrenError } from "../protocol/errors.ts";
import type { Worker } from "../protocol/gateway-units.ts";
import type { DataOf, Unit } from "../protocol/messages.ts";
import { suggest } from "../protocol/suggest.ts";
import type { Context } from "./context.ts";
import { isWorkerHere } from "./gateway/worker-folder.ts";
import type { MachineDoor } from "./on/machine-door.ts";
import { placeOf } from "./place.ts";
import { handleOf, type SessionHandle, savedSession, sessionThere } from "./sessions/session-client.ts";
import { refsOf } from "./unit-ref.ts";
import { refusalOf, type UnitKind, type UnitVerb } from "./unit-verbs.ts";
import { type WordKind, wordOf } from "./unit-word.ts";

/**
 * What a name means, for every verb (CONTRACT §1), the first that has it:
 *
 *   1. a job or a worker of this project
 *   2. a live session of the home
 *   3. a job or a worker of another project
 *   4. a session that has ended
 *
 * `site/api` says the project (`/home/me/site/api` its directory), and a job's id is always that job. Where units of two kinds share a name, `job:api` and `worker:api` say which;
 * `session:fox` and `agent:owl` as well. More than one answer is an error that lists them. A kind that the verb has no action for is refused as
 * `unit-verbs.ts` says.
 */
export interface UnitActions<T> {
  verb: UnitVerb;
  /** With the name or id, without a kind before it. */
  job?: (name: string) => Promise<T>;
  session?: (handle: SessionHandle) => Promise<T>;
  worker?: (handle: WorkerHandle) => Promise<T>;
}

/** A worker that a verb means, and its project's directory. */
export interface WorkerHandle {
  worker: Worker;
  dir: string;
}

/** @throws JOB_NOT_FOUND when nothing has that name; UNIT_AMBIGUOUS; what `refusalOf` answers */
export async function onUnit<T>(context: Context, reference: string, actions: UnitActions<T>): Promise<T> {
  const { kind, name } = wordOf(reference);
  const live = kind === undefined || kind === "session" ? await liveSession(context, name, kind) : undefined;
  if (live) return onSession(live, actions);
  if (kind === "session") return onSession(await endedSession(context, name), actions);
  const { units, near } = await unitsNamed(context, name);
  const ofKind = units.filter((unit) => kind === undefined || unit.kind === kind);
  const workers = ofKind.filter((unit) => unit.kind === "worker");
  const jobs = ofKind.filter((unit) => unit.kind === "job");
  if (actions.worker && workers.length > 0 && ofKind.length > 1) throw unitAmbiguous(name, ofKind);
  if (workers[0] && jobs.length === 0) {
    if (!actions.worker) throw refused(actions.verb, "worker", workers[0].name);
    return actions.worker({ worker: workers[0], dir: workers[0].workdir ?? context.cwd });
  }
  if (kind === "worker") throw noSuchWorker(name, near);
  if (!actions.job && jobs[0]) throw refused(actions.verb, "job", jobs[0].name ?? jobs[0].id);
  try {
    return await (actions.job ?? ((id: string) => noSuchJob(context, id)))(name);
  } catch (error) {
    if (!isWarrenError(error, "JOB_NOT_FOUND")) throw error;
    const saved = kind === "job" ? undefined : await savedSession(context, name);
    if (saved) return onSession(saved, actions);
    if (error.detail?.suggestion !== undefined) throw error;
    const close = near ?? nearSession(context, name);
    if (close !== undefined) throw withNear(error, close);
    throw kind === undefined && !context.machine && (await isWorkerHere(context.cwd, name)) ? notUp(name) : error;
  }
}

async function onSession<T>(handle: SessionHandle, { verb, session }: UnitActions<T>): Promise<T> {
  if (!session) throw refused(verb, handle.kind, handle.name);
  return session(handle);
}

function refused(verb: UnitVerb, kind: UnitKind, name: string): WarrenError {
  const error = refusalOf(verb, kind, name);
  assert(error, `unit-verbs.ts says why ${verb} does not take this kind: ${kind}`);
  return error;
}

/** Its own words, with what was probably meant. @throws JOB_NOT_FOUND */
const noSuchJob = async (context: Context, name: string): Promise<never> => {
  await context.client().request("get_job", { job_id: name, workdir: context.cwd });
  throw new WarrenError("JOB_NOT_FOUND", `job not found: ${name}`, { fix: "warren list --all" });
};

async function liveSession(
  context: Context,
  name: string,
  kind: WordKind | undefined,
): Promise<SessionHandle | undefined> {
  if (context.machine) return liveSessionThere(context, context.machine, name);
  const found = lookForSession(context.places, name);
  if (!found) return undefined;
  const isSure = kind === "session" || name.includes("/") || name === found.id;
  if (!isSure && (await isTakenHere(context, name))) return undefined;
  return handleOf(context, found);
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

/** A job of this project (without one: of exactly this directory), or a worker of what is up here or above, has the name. */
async function isTakenHere(context: Context, name: string): Promise<boolean> {
  const { cwd } = context;
  const place = placeOf(cwd);
  const { units } = await unitsNamed(context, name, "find");
  return units.some(({ kind, workdir = "" }) =>
    kind === "job" ? placeOf(workdir) === place : cwd === workdir || cwd.startsWith(`${workdir}/`),
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
  const isOneProject = new Set(units.map(({ workdir }) => workdir)).size === 1;
  const refOf = refsOf(units);
  const words = units.map((unit) => {
    const word = isOneProject && unit.kind === "worker" ? `worker:${unit.name}` : refOf(unit);
    return { word, text: `${word} (${unit.kind === "job" ? "job " : ""}in ${unit.workdir})` };
  });
  return new WarrenError(
    "UNIT_AMBIGUOUS",
    `${name} is the name of ${units.length} units: ${words.map(({ text }) => text).join(", ")}.`,
    { fix: `warren why ${words.at(-1)!.word}`, detail: { candidates: words.map(({ word }) => word) } },
  );
}

const notUp = (name: string): WarrenError =>
  new WarrenError("GATEWAY_NOT_FOUND", `${name} is a worker of this project, which is not up.`, { fix: "warren up" });

const noSuchWorker = (name: string, near: string | undefined): WarrenError =>
  new WarrenError("WORKER_NOT_FOUND", `worker not found: ${name}${near ? `. Did you mean ${near}?` : ""}`, {
    fix: "warren gateway status --all",
  });

const nearSession = ({ machine, places }: Context, name: string): string | undefined =>
  machine
    ? undefined
    : suggest(
        name,
        liveSessions(places).map((session) => session.name),
      );

const withNear = ({ code, message, detail }: WarrenError, near: string): WarrenError =>
  new WarrenError(code, `${message}. Did you mean ${near}?`, {
    fix: "warren list --all",
    detail: { ...detail, suggestion: near },
  });
