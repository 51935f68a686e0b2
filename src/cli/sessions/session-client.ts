import type { Client } from "../../client/client.ts";
import { type FoundSession, lookForSession } from "../../local/find-session.ts";
import { dialUnix } from "../../local/unix-wire.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/units.ts";
import type { Context } from "../context.ts";
import { type WorkerHandle, workerMeant } from "../gateway/worker-client.ts";
import { openClient } from "../open-client.ts";

/**
 * Which server a verb about a session talks to. A live one is asked of the server that has it, wherever that is by the time of the request: it may move,
 * and its server may be replaced. One that is not live is asked of the primary.
 */
export interface SessionHandle {
  /** Its id, which stays when it is renamed. */
  id: string;
  name: string;
  client: Client;
}

/** The live session of that name, when there is one and no job of this directory has the name. */
export async function sessionMeant(context: Context, reference: string): Promise<SessionHandle | undefined> {
  const found = lookForSession(context.places, reference);
  if (!found) return undefined;
  if (!reference.includes("/") && reference !== found.id && (await isJobHere(context, reference))) return undefined;
  return { id: found.id, name: found.name, client: clientOfSession(context, found) };
}

/** The newest session of that name or id that is not live; undefined when there is none. */
export async function savedSession(context: Context, reference: string): Promise<SessionHandle | undefined> {
  const client = context.client();
  try {
    const { session } = await client.request("session.get", { session: reference });
    return { id: session.id, name: session.name, client };
  } catch (error) {
    if (isWarrenError(error, "SESSION_NOT_FOUND")) return undefined;
    throw error;
  }
}

/**
 * Does what a verb means for the unit of that name: a job of this project, a live session of the home, a job elsewhere, a worker of this project, a session
 * that has ended.
 * @throws JOB_NOT_FOUND when nothing has that name
 */
export async function onUnit<T>(
  context: Context,
  reference: string,
  { job, session, worker }: UnitActions<T>,
): Promise<T> {
  const live = await sessionMeant(context, reference);
  if (live) return session(live);
  try {
    return await job();
  } catch (error) {
    if (!isWarrenError(error, "JOB_NOT_FOUND")) throw error;
    const served = worker && (await workerMeant(context, reference));
    if (served) return worker(served);
    const saved = await savedSession(context, reference);
    if (!saved) throw error;
    return session(saved);
  }
}

export interface UnitActions<T> {
  job: () => Promise<T>;
  session: (handle: SessionHandle) => Promise<T>;
  /** Absent: the verb has no meaning for one. */
  worker?: (handle: WorkerHandle) => Promise<T>;
}

/** @throws SESSION_NOT_FOUND */
export async function sessionNamed(context: Context, reference: string): Promise<SessionHandle> {
  const found = lookForSession(context.places, reference);
  if (found) return { id: found.id, name: found.name, client: clientOfSession(context, found) };
  const client = context.client();
  const { session } = await client.request("session.get", { session: reference });
  return { id: session.id, name: session.name, client };
}

/** Dials the server that has the session at that moment; the last one known when none says so. */
function clientOfSession(context: Context, found: FoundSession): Client {
  return context.ownedClient(
    openClient(context.build, {
      dial: (events) => dialUnix((lookForSession(context.places, found.id) ?? found).entry.socket, events),
      followsSession: true,
    }),
  );
}

async function isJobHere(context: Context, name: string): Promise<boolean> {
  try {
    const { job } = await context.client("find").request("get_job", { job_id: name, workdir: context.cwd });
    return job.name === name && job.workdir === context.cwd;
  } catch (error) {
    if (isWarrenError(error, "JOB_NOT_FOUND") || isWarrenError(error, "NO_SERVER")) return false;
    if (isWarrenError(error, "JOB_AMBIGUOUS")) return true;
    throw error;
  }
}

/** `🦊 fox`; the name alone where icons are not wanted or nobody looks. */
export const sessionTitle = ({ output }: Context, { icon, name }: Pick<Session, "icon" | "name">): string =>
  output.isTerminal && output.glyphs ? `${icon} ${output.style.bold(name)}` : output.style.bold(name);
