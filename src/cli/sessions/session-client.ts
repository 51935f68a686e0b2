import type { Client } from "../../client/client.ts";
import { type FoundSession, lookForSession } from "../../local/find-session.ts";
import { dialUnix } from "../../local/unix-wire.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/units.ts";
import type { Context } from "../context.ts";
import type { MachineDoor } from "../on/machine-door.ts";
import { openClient } from "../open-client.ts";
import { refusalOf, type UnitVerb } from "../unit-verbs.ts";
import { wordOf } from "../unit-word.ts";

/**
 * Which server a verb about a session talks to. A live one is asked of the server that has it, wherever that is by the time of the request: it may move,
 * and its server may be replaced. One that is not live is asked of the primary.
 */
export interface SessionHandle {
  /** Its id, which stays when it is renamed. */
  id: string;
  name: string;
  kind: "session" | "agent";
  client: Client;
}

export const handleOf = (context: Context, found: FoundSession): SessionHandle => ({
  id: found.id,
  name: found.name,
  kind: found.kind ?? "session",
  client: clientOfSession(context, found),
});

/** The newest session of that name or id that is not live; undefined when there is none. */
export async function savedSession(context: Context, reference: string): Promise<SessionHandle | undefined> {
  const client = context.client();
  try {
    const { session } = await client.request("session.get", { session: reference });
    return { id: session.id, name: session.name, kind: session.kind, client };
  } catch (error) {
    if (isWarrenError(error, "SESSION_NOT_FOUND")) return undefined;
    throw error;
  }
}

/** For a verb about sessions, of the kind that it takes. @throws SESSION_NOT_FOUND, what `refusalOf` answers */
export async function sessionNamed(context: Context, reference: string, verb: UnitVerb): Promise<SessionHandle> {
  const { name } = wordOf(reference);
  const handle = await anySession(context, name).catch((error) => notASession(context, { name, verb, error }));
  const refusal = refusalOf(verb, handle.kind, handle.name);
  if (refusal) throw refusal;
  return handle;
}

/** What has that name and is no session; else the error. @throws */
export async function notASession(
  context: Context,
  { name, verb, error }: { name: string; verb: UnitVerb; error: unknown },
): Promise<never> {
  if (!isWarrenError(error, "SESSION_NOT_FOUND")) throw error;
  const found = await context
    .client()
    .request("unit.find", { name, workdir: context.cwd })
    .catch(() => undefined);
  const unit = found?.units[0];
  throw (unit && refusalOf(verb, unit.kind, unit.name ?? String(unit.id))) ?? error;
}

async function anySession(context: Context, name: string): Promise<SessionHandle> {
  if (context.machine) return sessionThere(context, context.machine, name);
  const found = lookForSession(context.places, name);
  if (found) return handleOf(context, found);
  const client = context.client();
  const { session } = await client.request("session.get", { session: name });
  return { id: session.id, name: session.name, kind: session.kind, client };
}

/** On another machine, which finds the server that has it; one that is not live is its primary's. @throws SESSION_NOT_FOUND */
export async function sessionThere(
  context: Context,
  machine: MachineDoor,
  reference: string,
): Promise<SessionHandle & { isLive: boolean }> {
  const dial = machine.dialLines(reference);
  const client = context.ownedClient(openClient(context.build, { dial, followsSession: true }));
  const { session } = await client.request("session.get", { session: reference });
  return { id: session.id, name: session.name, kind: session.kind, client, isLive: session.status === "running" };
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

/** `🦊 fox`; the name alone where icons are not wanted or nobody looks. */
export const sessionTitle = ({ output }: Context, { icon, name }: Pick<Session, "icon" | "name">): string =>
  output.isTerminal && output.glyphs ? `${icon} ${output.style.bold(name)}` : output.style.bold(name);
