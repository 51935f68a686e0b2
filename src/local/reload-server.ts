import { join } from "node:path";
import type { Build } from "../platform/build.ts";
import type { Places } from "../platform/paths.ts";
import { isWarrenError, messageOf, WarrenError } from "../protocol/errors.ts";
import type { KeeperServer } from "../protocol/keeper-calls.ts";
import { quoteWord } from "../protocol/quote-word.ts";
import { keepBuild } from "../registry/builds.ts";
import { findKeeper, KEEPER_GREETING_MS, serverSpec } from "./ensure-server.ts";

/**
 * Replaces the process of the server of that name by one of this build, with nothing interrupted. When the new one does not start, the old one stays.
 * @throws NO_KEEPER, KEEPER_SILENT, SERVER_START_FAILED and other refusals of the keeper, RELOAD_FAILED
 */
export async function reloadServer(places: Places, build: Build, name: string): Promise<KeeperServer> {
  const spec = serverSpec(places, keepBuild(places.buildsDir, build), name);
  const keeper = await findKeeper(places);
  if (!keeper)
    throw new WarrenError("NO_KEEPER", "The keeper is not running, so nothing can be replaced.", {
      fix: "warren doctor",
    });
  try {
    await keeper.greet(KEEPER_GREETING_MS);
    return await keeper.call({ call: "server.replace", spec });
  } catch (error) {
    if (isWarrenError(error)) throw error;
    throw new WarrenError("RELOAD_FAILED", messageOf(error), {
      fix: `tail ${quoteWord(join(places.serverLogsDir, `${name}.log`))}`,
      cause: error,
    });
  } finally {
    keeper.close();
  }
}
