import { lookForSession } from "../../local/find-session.ts";
import type { Places } from "../../platform/paths.ts";

/** Who has said no other name: the person at this screen. */
const NOBODY_IN_PARTICULAR = "you";

/** For whom this screen speaks, as the commands do: the session that it runs in, `$WARREN_MAIL_NAME`, or `you`. */
export function mailNameOf(env: Readonly<NodeJS.ProcessEnv>, places: Places): string {
  const unit = env.WARREN_SESSION || undefined;
  const unitName = unit && (lookForSession(places, unit)?.name ?? env.WARREN_UNIT);
  return unitName || env.WARREN_MAIL_NAME || NOBODY_IN_PARTICULAR;
}
