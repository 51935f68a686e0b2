import { lookForSession } from "../local/find-session.ts";
import type { HookSession, SessionRecord } from "./hook-session.ts";
import type { HookWorld } from "./world.ts";

/**
 * The record by the name that counts now. A name with a key is what its record says: whoever renames it rewrites that. One that belongs to a session of Warren's
 * is renamed by its server, which knows of no hooks: it is looked up, and remembered.
 */
export function recordNow(
  { env, places }: Pick<HookWorld, "env" | "places">,
  session: HookSession,
): SessionRecord | undefined {
  const record = session.record();
  if (!record || record.key_file !== undefined || record.stands_down || !env.WARREN_SESSION) return record;
  const name = lookForSession(places, env.WARREN_SESSION)?.name ?? record.name;
  if (name === record.name) return record;
  const renamed = { ...record, name };
  session.remember(renamed);
  return renamed;
}
