import { type ChildProcess, spawn } from "node:child_process";
import { watch } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../platform/clock.ts";
import { hasEnded, readProcess } from "../platform/process.ts";
import { environmentOf } from "./environment.ts";
import { type Launched, type LaunchRequest, launch } from "./launch.ts";
import { DARWIN_LISTEN_SHIM, DARWIN_SHIM, LINUX_LISTEN_SHIM, LINUX_SHIM, type Shim } from "./shim.ts";
import { parseStatus, type RunStatus } from "./status-file.ts";
import { stopTree } from "./stop.ts";
import type { ProcessKey, RunMarks } from "./tree.ts";

/** For tests: real runs in a temporary directory, all ended and removed at the end. */

const DEADLINE_MS = 15_000;
const POLL_MS = 5;

export interface FixtureRun extends Launched {
  marks: RunMarks;
  stdoutPath: string;
  stderrPath: string;
  statusPath: string;
  /** Resolves when the shim has written the exit status. */
  ended(): Promise<RunStatus>;
  stdout(): Promise<string>;
  stderr(): Promise<string>;
}

export interface FixtureStart {
  env?: readonly string[];
  shim?: Shim;
  statusDirectory?: string;
  deadlineMs?: number;
  listenFd?: number;
}

export class RunFixture implements AsyncDisposable {
  readonly directory: string;
  readonly #runs: FixtureRun[] = [];
  #count = 0;

  static async make(): Promise<RunFixture> {
    return new RunFixture(await mkdtemp(join(tmpdir(), "warren-runs-")));
  }

  constructor(directory: string) {
    this.directory = directory;
  }

  /** The request that the next `start` makes, for tests that launch themselves. */
  request(
    command: readonly string[],
    { env = [], statusDirectory = this.directory, listenFd }: FixtureStart = {},
  ): LaunchRequest {
    this.#count += 1;
    const runId = `t${process.pid}-${this.#count}-${process.hrtime.bigint()}`;
    return {
      runId,
      unit: "unit",
      command,
      workdir: this.directory,
      env: [`PATH=${process.env.PATH}`, ...env],
      stdoutPath: join(this.directory, `${runId}.stdout.log`),
      stderrPath: join(this.directory, `${runId}.stderr.log`),
      statusPath: join(statusDirectory, `${runId}.1.status`),
      tag: process.pid * 1000 + this.#count,
      ...(listenFd === undefined ? {} : { listenFd }),
    };
  }

  async start(command: readonly string[], options: FixtureStart = {}): Promise<FixtureRun> {
    const request = this.request(command, options);
    const { shim, deadlineMs } = options;
    const launched = await launch(request, {
      ...(shim === undefined ? {} : { shim }),
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    });
    const { runId, tag, stdoutPath, stderrPath, statusPath } = request;
    const run: FixtureRun = {
      ...launched,
      marks: { runId, tag, job: launched.job, shim: launched.shim },
      stdoutPath,
      stderrPath,
      statusPath,
      ended: async () => parseStatus(await fileSays(statusPath, (text) => parseStatus(text).exitStatus !== undefined)),
      stdout: () => readFile(stdoutPath, "utf8"),
      stderr: () => readFile(stderrPath, "utf8"),
    };
    this.#runs.push(run);
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const run of this.#runs) {
      await stopTree(run.marks, { force: true, clock: wakefulClock });
      await until(() => !isThere(run.shim), `the end of shim ${run.shim.pid}`);
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Keeps the test's process alive, which the product's clock does not. */
export const wakefulClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  timer(delayMs, task) {
    const handle = setTimeout(task, delayMs);
    return () => clearTimeout(handle);
  },
};

export const shimOf = (shell: string, prefix: readonly string[] = ["/usr/bin/setsid", "--"]): Shim => ({
  shell,
  text: process.platform === "darwin" ? DARWIN_SHIM : LINUX_SHIM,
  listenText: process.platform === "darwin" ? DARWIN_LISTEN_SHIM : LINUX_LISTEN_SHIM,
  prefix: process.platform === "darwin" ? [] : prefix,
});

/** A shim of which no launch takes care, as one whose server was killed. */
export function spawnShim(request: LaunchRequest, statusFd: number, text: string = shimOf("").text): ChildProcess {
  return spawn("/bin/sh", ["-c", text, request.statusPath, ...request.command], {
    cwd: request.workdir,
    env: { ...environmentOf(request.env), WARREN_RUN_ID: request.runId },
    // "ignore" above 2 would leave the descriptor closed.
    stdio: ["ignore", "ignore", statusFd, 2],
    detached: true,
  });
}

export function isThere(key: ProcessKey): boolean {
  const info = readProcess(key.pid);
  return info !== undefined && info.startTicks === key.startTicks && !hasEnded(info);
}

/** The file's text once it satisfies `predicate`. */
export async function fileSays(path: string, predicate: (text: string) => boolean): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const look = () =>
    void readFile(path, "latin1").then((text) => {
      if (predicate(text)) resolve(text);
    }, reject);
  const watcher = watch(path, look);
  const deadline = setTimeout(() => reject(new Error(`${path} did not say what was awaited`)), DEADLINE_MS);
  try {
    look();
    return await promise;
  } finally {
    watcher.close();
    clearTimeout(deadline);
  }
}

/** For what the system tells by no event: another process's state. */
export async function until(predicate: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (!predicate()) {
    if (performance.now() > deadlineMs) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
