import { join } from "node:path";
import type { Build } from "../platform/build.ts";
import { makeDirectories } from "../platform/directories.ts";
import { ensureHome, ensureSocketDir, type Places } from "../platform/paths.ts";
import { fromWire, messageOf, WarrenError } from "../protocol/errors.ts";
import { quoteWord } from "../protocol/quote-word.ts";
import { keepBuild, keptRuntime } from "../registry/builds.ts";
import { passOrWait } from "./gate.ts";
import { firstLine, spawnDetached } from "./spawn-detached.ts";

/**
 * Starts a process that leads the mailbox, if nobody does: a herd of callers starts several, and one gets the lock. It belongs to nobody and outlives
 * its caller.
 */
const START_TIMEOUT_MS = 10_000;

export interface MailStart {
  places: Places;
  build: Build;
  env: NodeJS.ProcessEnv;
  /** It was started to lead (`warren mail serve`), and does not end when it has nothing to do. */
  isDedicated?: boolean;
  /** Aborted when nobody waits for it any more: what is being started does not lead then. */
  unwanted?: AbortSignal | undefined;
}

/**
 * `leading`: the process that was started serves. `busy`: another one does, or is about to.
 * @throws MAIL_START_FAILED, and what the leader itself refuses (MAIL_NETWORK_FILE_SYSTEM, STATE_TOO_NEW, …)
 */
export async function startMailLeader(start: MailStart): Promise<"leading" | "busy"> {
  const { places, env } = start;
  ensureHome(places);
  ensureSocketDir(places, env);
  const pipe = spawnDetached({ command: mailLeaderCommand(start), env, logPath: places.mailLeaderLog });
  const giveUp = (): void => void pipe.destroy(failed("is not wanted any more", places));
  if (start.unwanted?.aborted) giveUp();
  start.unwanted?.addEventListener("abort", giveUp);
  const word = await firstLine(pipe, {
    timeoutMs: START_TIMEOUT_MS,
    late: () => failed("did not start in 10 s", places),
  }).finally(() => start.unwanted?.removeEventListener("abort", giveUp));
  if (word === "leading" || word === "busy") return word;
  throw word === "" ? failed("ended before it was ready", places) : startError(word, places);
}

/** The same, but of many callers at once one starts it and the others wait for that one. */
export async function startMailLeaderOnce(start: MailStart): Promise<void> {
  makeDirectories(start.places.mailDir, 0o700);
  const gate = await passOrWait(start.places.mailDir, START_TIMEOUT_MS);
  if (!gate) return;
  try {
    await startMailLeader(start);
  } finally {
    gate.open();
  }
}

/** Megabytes for what is young: with the least, a leader under load spends a sixth of its time on collecting what its messages leave. */
const ROOM = ["--max-semi-space-size=4"];

/** From the kept copy of the build, so that an upgrade may replace the installation at any time. */
export function mailLeaderCommand({ places, build, isDedicated }: MailStart): string[] {
  const kept = keepBuild(places.buildsDir, build);
  const command = [keptRuntime(places.buildsDir), ...ROOM, join(kept.dir, "mail-leader.js")];
  return isDedicated ? [...command, "--dedicated"] : command;
}

function startError(word: string, places: Places): WarrenError {
  try {
    return fromWire(JSON.parse(word));
  } catch (error) {
    return failed(`said ${JSON.stringify(word)} (${messageOf(error)})`, places);
  }
}

const failed = (what: string, places: Places): WarrenError =>
  new WarrenError("MAIL_START_FAILED", `The mailbox's leader ${what}.`, {
    fix: `tail ${quoteWord(places.mailLeaderLog)}`,
  });
