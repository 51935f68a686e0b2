import type { AgentConfig } from "../../config/warren-yaml.ts";
import { lookForSession } from "../../local/find-session.ts";
import { WarrenError } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/units.ts";
import type { Context } from "../context.ts";
import { environmentOf } from "../new-job.ts";
import { sessionsByServer } from "./all-sessions.ts";
import { newSession } from "./new-session.ts";
import { resumeSession } from "./resume-session.ts";
import { handleOf, savedSession } from "./session-client.ts";

/**
 * The agents of a project's warren.yaml, which come up and go down with its jobs. One that runs stays as it is; one that has ended continues the very
 * conversation, unless the file has another command for it by now.
 */
export interface AgentUp {
  session: Session;
  action: "started" | "resumed" | "already_running";
}

/** Says whose it is: the project's directory. */
const LABEL = "warren/project";

/** @throws NAME_TAKEN by a session of another place, and what `session.new` answers */
export async function upAgents(context: Context, dir: string, agents: readonly AgentConfig[]): Promise<AgentUp[]> {
  const up: AgentUp[] = [];
  for (const agent of agents) up.push(await upAgent(context, dir, agent));
  return up;
}

/** Ends those that run. Resolves with them. */
export async function downAgents(
  context: Context,
  dir: string,
  options: { force: boolean; grace_ms?: number },
): Promise<Session[]> {
  const servers = await sessionsByServer(context, { usage: false });
  const own = servers.flatMap(({ sessions }) => sessions).filter(({ labels }) => labels[LABEL] === dir);
  const ended = own.map(async ({ id }) => {
    const found = lookForSession(context.places, id);
    if (!found) return []; // it has ended meanwhile
    const { session } = await handleOf(context, found).client.request("session.stop", { session: id, ...options });
    return [session];
  });
  return (await Promise.all(ended)).flat();
}

async function upAgent(context: Context, dir: string, { name, command }: AgentConfig): Promise<AgentUp> {
  const live = lookForSession(context.places, name);
  if (live) {
    const { session } = await handleOf(context, live).client.request("session.get", { session: live.id });
    if (session.kind !== "agent" || session.workdir !== dir) throw nameTaken(session);
    return { session, action: "already_running" };
  }
  const saved = await savedSession(context, name);
  if (saved) {
    const { session } = await saved.client.request("session.get", { session: saved.id });
    const isSame = session.labels[LABEL] === dir && session.command.join("\0") === command.join("\0");
    if (isSame) return { session: (await resumeSession(context, saved.id)).session, action: "resumed" };
  }
  const env = environmentOf(context.env);
  const session = await newSession(context, { name, agent: command, workdir: dir, env, labels: { [LABEL]: dir } });
  return { session, action: "started" };
}

const nameTaken = ({ name, kind, workdir }: Session): WarrenError =>
  new WarrenError(
    "NAME_TAKEN",
    `${name} is the name of ${kind === "agent" ? "an agent" : "a session"} in ${workdir}.`,
    {
      fix: `warren stop ${name}      # or another name below agents: in warren.yaml`,
    },
  );
