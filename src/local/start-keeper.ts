import { join } from "node:path";
import type { Build } from "../platform/build.ts";
import type { Places } from "../platform/paths.ts";
import { fromWire, messageOf, WarrenError } from "../protocol/errors.ts";
import { quoteWord } from "../protocol/quote-word.ts";
import { firstLine, spawnDetached } from "./spawn-detached.ts";

/** Starts the keeper in a session of its own and waits for its word on the readiness pipe. */

/**
 * A small young generation: what a request leaves behind is collected at once instead of growing the process. After 40,000 connections the server has
 * 88 MB resident and stays there; with V8's default it grows to 136 MB first.
 */
export const LEAN = ["--max-semi-space-size=1"];
const START_TIMEOUT_MS = 10_000;

export async function startKeeper(
  places: Places,
  build: Build,
  runtime: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const command = [runtime, ...LEAN, join(build.dir, "keeper.js")];
  const pipe = spawnDetached({ command, env, logPath: places.keeperLog });
  const word = await firstLine(pipe, {
    timeoutMs: START_TIMEOUT_MS,
    late: () =>
      new WarrenError("KEEPER_FAILED", "The keeper did not start in 10 s.", {
        fix: `tail ${quoteWord(places.keeperLog)}`,
      }),
  });
  if (word === "ready" || word === "busy") return;
  throw startError(word, places);
}

function startError(word: string, places: Places): WarrenError {
  const fallback = new WarrenError("KEEPER_FAILED", "The keeper ended before it was ready.", {
    fix: `tail ${quoteWord(places.keeperLog)}`,
  });
  if (!word) return fallback;
  try {
    return fromWire(JSON.parse(word));
  } catch (error) {
    return new WarrenError("KEEPER_FAILED", `The keeper said ${JSON.stringify(word)}: ${messageOf(error)}.`);
  }
}
