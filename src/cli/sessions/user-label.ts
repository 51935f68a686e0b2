import { userInfo } from "node:os";
import { lookForSession } from "../../local/find-session.ts";
import type { Context } from "../context.ts";

/** Who says something, as others are shown it: "ann", "ann over ssh"; an agent that says it by a command is "owl". */
export function userLabel({ env, places }: Pick<Context, "env" | "places">): string {
  const inside = env.WARREN_SESSION ? lookForSession(places, env.WARREN_SESSION) : undefined;
  if (inside?.kind === "agent") return inside.name;
  return `${env.USER || userName()}${env.SSH_CONNECTION ? " over ssh" : ""}`;
}

/** Of a uid that nobody has given a name to there is none. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "somebody";
  }
}
