import { startMailLeaderOnce } from "../local/mail-start.ts";
import { thisBuild } from "../platform/build.ts";
import type { HookWorld } from "./world.ts";

/** What a hook loads only when it has to: the whole client, keys, and what starts processes. A bundle of its own. */
export { introduce } from "./introduce.ts";

export const startLeader = ({ places, env }: HookWorld): Promise<void> =>
  startMailLeaderOnce({ places, build: thisBuild(), env });
