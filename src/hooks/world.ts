import type { Log } from "../platform/log.ts";
import type { Places } from "../platform/paths.ts";
import { quoteWord } from "../protocol/quote-word.ts";
import type { ProcessRef } from "./agent-process.ts";
import type { Delivery } from "./deliver.ts";
import { Gives } from "./gives.ts";
import type { HookSession, SessionRecord } from "./hook-session.ts";
import { LeaderWire } from "./leader-wire.ts";
import type { Speaking } from "./mail-text.ts";

/** What a hook may use of the world; made once, in `main.ts`. */
export interface HookWorld {
  env: Readonly<NodeJS.ProcessEnv>;
  places: Places;
  log: Log;
  /** The agent that has called us; undefined when it is gone. */
  agent: ProcessRef | undefined;
  self: ProcessRef;
  begunMs: number;
  nowMs: () => number;
  randomId: () => string;
}

/** Undefined when nobody leads. */
export const openWire = ({ places }: HookWorld, record: SessionRecord): Promise<LeaderWire | undefined> =>
  LeaderWire.open({ places, clientId: record.client_id, agent: record.agent });

export const deliveryOf = (
  { self, begunMs, nowMs, randomId }: HookWorld,
  { wire, session, record }: { wire: LeaderWire; session: HookSession; record: SessionRecord },
): Delivery => ({
  wire,
  name: record.name,
  agent: record.agent,
  gives: new Gives(session.dir),
  begunMs,
  by: self,
  nowMs,
  randomId,
});

/** What an agent has to add to `warren mail`, in a shell that has not been told who it is. */
export function speakingOf({ name, key_file, is_in_env }: SessionRecord): Speaking {
  if (is_in_env) return { name, options: "" };
  return { name, options: ` --as ${name}${key_file === undefined ? "" : ` --key-file ${quoteWord(key_file)}`}` };
}
