import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import type { Build } from "../platform/build.ts";
import type { Places } from "../platform/paths.ts";
import { fromWire, messageOf, WarrenError } from "../protocol/errors.ts";

/**
 * Starts the keeper in a session of its own and waits for its word on the readiness pipe. The shell in between takes off what a run would leave on
 * it (the size-limit tag by which runs are found, and its place in the caller's process tree), so that stopping a job never reaches the keeper
 * that the job's own `warren` happened to start.
 */
const DETACH = 'ulimit -S -f unlimited 2>/dev/null; "$@" & ';
/**
 * A small young generation: what a request leaves behind is collected at once instead of growing the process. After 40,000 connections the server has
 * 88 MB resident and stays there; with V8's default it grows to 136 MB first.
 */
export const LEAN = ["--max-semi-space-size=1"];
const START_TIMEOUT_MS = 10_000;
/** Where things are; nothing of the shell that happened to start the keeper. */
const KEPT_ENVIRONMENT = /^(WARREN_|XDG_RUNTIME_DIR$|HOME$|PATH$|USER$|LANG$|LC_|TZ$|TMPDIR$)/;
/** What belongs to the run or session that happened to start it. */
const OF_THE_CALLER = ["WARREN_UNIT", "WARREN_SESSION", "WARREN_RUN_ID", "WARREN_RUN_TAG"];

export async function startKeeper(
  places: Places,
  build: Build,
  runtime: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  mkdirSync(dirname(places.keeperLog), { recursive: true, mode: 0o700 });
  const log = openSync(places.keeperLog, "a", 0o600);
  const child = spawn("/bin/sh", ["-c", DETACH, "sh", runtime, ...LEAN, join(build.dir, "keeper.js")], {
    cwd: "/",
    detached: true,
    env: environmentOf(env),
    stdio: ["ignore", log, log, "pipe"],
  });
  closeSync(log);
  child.unref();
  const word = await firstLine(child.stdio[3] as Readable, places);
  if (word === "ready" || word === "busy") return;
  throw startError(word, places);
}

/** What the keeper and its servers get. */
function environmentOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isKept = (name: string): boolean => KEPT_ENVIRONMENT.test(name) && !OF_THE_CALLER.includes(name);
  return Object.fromEntries(Object.entries(env).filter(([name]) => isKept(name)));
}

function firstLine(pipe: Readable, places: Places): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const timer = setTimeout(() => {
      pipe.destroy();
      reject(
        new WarrenError("KEEPER_FAILED", "The keeper did not start in 10 s.", { fix: `tail ${places.keeperLog}` }),
      );
    }, START_TIMEOUT_MS);
    const done = (): void => {
      clearTimeout(timer);
      pipe.destroy();
      resolve(text.split("\n")[0] ?? "");
    };
    pipe.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) done();
    });
    pipe.on("end", done).on("error", done);
  });
}

function startError(word: string, places: Places): WarrenError {
  const fallback = new WarrenError("KEEPER_FAILED", "The keeper ended before it was ready.", {
    fix: `tail ${places.keeperLog}`,
  });
  if (!word) return fallback;
  try {
    return fromWire(JSON.parse(word));
  } catch (error) {
    return new WarrenError("KEEPER_FAILED", `The keeper said ${JSON.stringify(word)}: ${messageOf(error)}.`);
  }
}
