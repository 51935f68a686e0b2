import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { makeDirectories } from "../platform/directories.ts";
import { WarrenError } from "../protocol/errors.ts";

/**
 * Starts a process in a session of its own that has nothing of the caller's. The shell in between takes off what a run would leave on it (the
 * size-limit tag by which runs are found, and its place in the caller's process tree), so that stopping a job never reaches what the job's own
 * `warren` happened to start.
 */
const DETACH = 'ulimit -S -f unlimited 2>/dev/null; "$@" & ';
/** Where things are; nothing of the shell that happened to start it. */
const KEPT_ENVIRONMENT = /^(WARREN_|XDG_RUNTIME_DIR$|HOME$|PATH$|USER$|LANG$|LC_|TZ$|TMPDIR$|IPC_SHARED_SECRET$)/;
/** What belongs to the run or session that happened to start it. */
const OF_THE_CALLER = ["WARREN_UNIT", "WARREN_SESSION", "WARREN_RUN_ID", "WARREN_RUN_TAG"];

export interface Detached {
  command: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Its stdout and stderr, appended to. */
  logPath: string;
}

/**
 * The end of a pipe that it has as fd 3, for its first word. Of a process that could not be made (EAGAIN) it closes without one.
 * @throws SPAWN_FAILED where there are no descriptors for it; the system's error when its log cannot be opened
 */
export function spawnDetached({ command, env, logPath }: Detached, spawnProcess: typeof spawn = spawn): Readable {
  makeDirectories(dirname(logPath), 0o700);
  const log = openSync(logPath, "a", 0o600);
  let child: ChildProcess;
  try {
    child = spawnProcess("/bin/sh", ["-c", DETACH, "sh", ...command], {
      cwd: "/",
      detached: true,
      env: environmentOf(env),
      stdio: ["ignore", log, log, "pipe"],
    });
  } finally {
    closeSync(log);
  }
  const pipe = child.stdio?.[3] as Readable | undefined; // EMFILE and ENFILE are told before there is any, later, as an event too
  child.on("error", () => pipe?.destroy());
  if (!pipe) throw noDescriptors();
  child.unref();
  return pipe;
}

const noDescriptors = (): WarrenError =>
  new WarrenError("SPAWN_FAILED", "No process can be started: too many files are open.", { fix: "ulimit -n 65536" });

export interface FirstLine {
  timeoutMs: number;
  /** What is thrown when nothing came in time. */
  late: () => Error;
}

/** What it said first, without space around it; "" when it ended without a word. Closes the pipe. */
export function firstLine(pipe: Readable, { timeoutMs, late }: FirstLine): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const timer = setTimeout(() => {
      pipe.destroy();
      reject(late());
    }, timeoutMs);
    const done = (): void => {
      clearTimeout(timer);
      pipe.destroy();
      resolve((text.split("\n")[0] ?? "").trim());
    };
    pipe.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) done();
    });
    pipe.on("end", done).on("error", done).on("close", done);
  });
}

/** What it gets of the caller's environment. */
function environmentOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isKept = (name: string): boolean => KEPT_ENVIRONMENT.test(name) && !OF_THE_CALLER.includes(name);
  return Object.fromEntries(Object.entries(env).filter(([name]) => isKept(name)));
}
