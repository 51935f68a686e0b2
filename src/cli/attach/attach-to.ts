import { findSession } from "../../local/find-session.ts";
import { dialUnixBytes } from "../../local/unix-wire.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { sessionIcon } from "../../registry/session-names.ts";
import type { Context } from "../context.ts";
import { attachPipe } from "./attach-pipe.ts";
import { attachTerminal } from "./attach-terminal.ts";
import { type AttachEnd, type AttachRequest, newClientId } from "./attachment.ts";

import { configuredDetachKey } from "./configured-detach-key.ts";
import { dialSession, type SessionServer } from "./dial-session.ts";
import { exitStatusOfEnd, forAMoment, sayFarewell } from "./farewell.ts";

export interface AttachToOptions {
  /** Look only. */
  isViewer: boolean;
}

/**
 * Attaches this terminal, or these pipes, to the live session of that id, and resolves with the exit status when it was left or has ended.
 * @throws ATTACH_INSIDE, DETACH_KEY_INVALID, SESSION_NOT_FOUND, SESSION_NOT_LIVE, NOT_A_TERMINAL, and what the way to the server can throw
 */
export async function attachTo(context: Context, id: string, { isViewer }: AttachToOptions): Promise<number> {
  const { env, output, places, build, machine } = context;
  let found: SessionServer = { socket: "", name: id };
  const findServer = async (): Promise<SessionServer> => {
    if (machine) found = { socket: "", name: await nameThere(context, id) };
    if (machine) return found;
    const { entry, name } = await findSession(places, id);
    found = { socket: entry.socket, name };
    return found;
  };
  if (machine) await findServer();
  if (!machine && env.WARREN_SESSION === id) throw attachInside(env.WARREN_UNIT ?? id);
  const request: AttachRequest = {
    dial: machine ? machine.dialBytes(id) : dialSession({ findServer, dialSocket: dialUnixBytes }),
    session: id,
    title: () => found.name,
    isViewer,
    detach: await configuredDetachKey(places.home),
    version: build.version,
    clientId: newClientId(),
    label: labelOf(env),
  };
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) return exitStatusOfEnd(await throughPipes(context, request));
  const end = await attachTerminal(request, { stdin, stdout });
  await forAMoment(findServer()); // it may have been renamed meanwhile
  sayFarewell({ output }, { icon: sessionIcon(found.name), name: found.name }, end);
  return exitStatusOfEnd(end);
}

async function nameThere(context: Context, id: string): Promise<string> {
  const { sessionNamed } = await import("../sessions/session-client.ts");
  return (await sessionNamed(context, id, "attach")).name;
}

async function throughPipes(context: Context, request: AttachRequest): Promise<AttachEnd> {
  const { sessionNamed } = await import("../sessions/session-client.ts");
  const { client } = await sessionNamed(context, request.session, "attach");
  const { session } = await client.request("session.get", { session: request.session });
  return attachPipe(
    request,
    { cols: session.cols, rows: session.rows },
    {
      stdin: process.stdin,
      stdout: process.stdout,
      onSkipped: (bytes) =>
        context.output.errorLine(`${bytes} bytes were left out: they came faster than they were read.`),
    },
  );
}

/** Who types, as others are shown it: "ann", "ann over ssh". */
const labelOf = (env: Context["env"]): string => `${env.USER || "somebody"}${env.SSH_CONNECTION ? " over ssh" : ""}`;

/** A terminal that shows itself shows itself showing itself. */
const attachInside = (name: string): WarrenError =>
  new WarrenError("ATTACH_INSIDE", `You are inside ${name} already.`, { fix: "warren sessions" });
