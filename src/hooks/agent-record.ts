import { readdirSync } from "node:fs";
import type { Places } from "../platform/paths.ts";
import { isSame, type ProcessRef } from "./agent-process.ts";
import { HookSession, type SessionRecord, sessionsDirOf } from "./hook-session.ts";

/** What hooks know of the agents of this home, for whoever else speaks for one of them: its MCP server, and its next session. */
export interface KnownAgent {
  session: HookSession;
  record: SessionRecord;
}

export function knownSessions(places: Places): HookSession[] {
  try {
    return readdirSync(sessionsDirOf(places)).map((id) => new HookSession(places, id));
  } catch {
    return [];
  }
}

/** The session of this very process; undefined when its hooks have not run. */
export function knownAgent(places: Places, agent: ProcessRef | undefined): KnownAgent | undefined {
  if (agent === undefined) return undefined;
  for (const session of knownSessions(places)) {
    const record = session.record();
    if (record && isSame(record.agent, agent)) return { session, record };
  }
  return undefined;
}

/** The hooks of every agent that has this name speak for the new one from now on; its key is the same. */
export function renameAgents(places: Places, old: string, name: string): void {
  for (const session of knownSessions(places)) {
    const record = session.record();
    if (record?.name === old) renameAgent({ session, record }, name, record.key_file);
  }
}

/** From now on its hooks speak for this name. They prove it when they are refused. */
export function renameAgent({ session, record }: KnownAgent, name: string, keyFile: string | undefined): void {
  const { key_file: _, is_in_env: __, ...rest } = record;
  session.remember({ ...rest, name, ...(keyFile === undefined ? {} : { key_file: keyFile }) });
}
