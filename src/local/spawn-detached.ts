import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { makeDirectories } from "../platform/directories.ts";

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

/** The end of a pipe that it has as fd 3, for its first word. */
export function spawnDetached({ command, env, logPath }: Detached): Readable {
  makeDirectories(dirname(logPath), 0o700);
  const log = openSync(logPath, "a", 0o600);
  let child: ChildProcess;
  try {
    child = spawn("/bin/sh", ["-c", DETACH, "sh", ...command], {
      cwd: "/",
      detached: true,
      env: environmentOf(env),
      stdio: ["ignore", log, log, "pipe"],
    });
  } finally {
    closeSync(log);
  }
  child.unref();
  return child.stdio[3] as Readable;
}

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
    pipe.on("end", done).on("error", done);
  });
}

/** What it gets of the caller's environment. */
function environmentOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isKept = (name: string): boolean => KEPT_ENVIRONMENT.test(name) && !OF_THE_CALLER.includes(name);
  return Object.fromEntries(Object.entries(env).filter(([name]) => isKept(name)));
}
