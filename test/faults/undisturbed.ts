import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test as nodeTest, type TestOptions } from "node:test";
import type { Job } from "../../src/protocol/units.ts";
import { type HomeOptions, type TemporaryHome, temporaryHome } from "../harness/home.ts";
import { withRole } from "../harness/processes.ts";

/**
 * A home in which the server must not notice what a test does: when it is disposed, the process that served at the start still serves, and neither its
 * log nor the keeper's nor a command's has a stack trace.
 */
export interface UndisturbedOptions extends HomeOptions {
  /** The test ends servers itself; the logs are looked at all the same. */
  killsServer?: boolean;
}

export async function undisturbed({
  killsServer = false,
  ...options
}: UndisturbedOptions = {}): Promise<TemporaryHome> {
  await using started = new AsyncDisposableStack();
  const house = started.use(temporaryHome(options));
  const { status, stdout, stderr } = await house.warren(["ping"]);
  assert.equal(status, 0, `no server: ${stdout}${stderr}${house.logs()}`);
  const { pid } = await house.server();
  started.move(); // from here on whoever asked for it disposes it
  return {
    ...house,
    async [Symbol.asyncDispose]() {
      await using _ended = house;
      const serving = withRole(house.home, "server").map((server) => server.pid);
      if (!killsServer) assert.deepEqual(serving, [pid], `the server is another one: ${house.logs()}`);
      assertNoStack(house);
    },
  };
}

/** A stack in a log is a bug that somebody met, also where the answer was polite. Logs are JSON lines, so the line ends are escaped there. */
export function assertNoStack({ places }: TemporaryHome): void {
  const servers = existsSync(places.serverLogsDir) ? readdirSync(places.serverLogsDir) : [];
  const paths = [
    places.keeperLog,
    join(places.logsDir, "cli.log"),
    ...servers.map((f) => join(places.serverLogsDir, f)),
  ];
  for (const path of paths.filter((one) => existsSync(one))) {
    const found = readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line.includes("    at "));
    assert.deepEqual(found, [], `a stack trace in ${path}`);
  }
}

/** What a client that is no shell sends; WARREN_HOME marks the job as one of this home. */
export const envOf = (house: TemporaryHome): string[] => [`PATH=${house.env.PATH}`, `WARREN_HOME=${house.home}`];

export const jobsOf = async (house: TemporaryHome): Promise<Job[]> =>
  JSON.parse((await house.warren(["list", "--all", "--json"])).stdout) as Job[];

/** Adds `sh -c script` and resolves when it has said "ready". */
export async function addReady(house: TemporaryHome, script: string, flags: readonly string[] = []): Promise<Job> {
  const args = [
    "add",
    "--json",
    "--wait-for",
    "log=ready",
    "--timeout-wait",
    "20s",
    ...flags,
    "--",
    "sh",
    "-c",
    script,
  ];
  const { status, stdout, stderr } = await house.warren(args);
  assert.equal(status, 0, `${stdout}${stderr}`);
  return (JSON.parse(stdout) as { job: Job }).job;
}

/** As `test` of node:test, whose report shows of a SuppressedError neither what failed nor what then could not be cleaned up. */
export function test(name: string, options: TestOptions, body: () => Promise<void>): void {
  void nodeTest(name, options, async () => {
    try {
      await body();
    } catch (error) {
      if (!(error instanceof SuppressedError)) throw error;
      throw new Error(`${textOf(error.suppressed)}\n\nand at the end: ${textOf(error.error)}`, { cause: error });
    }
  });
}

const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/** Resident bytes of a process: now, or at their highest (proc(5): VmRSS, VmHWM). */
export const residentBytes = (pid: number, field: "VmRSS" | "VmHWM" = "VmRSS"): number =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;

export const MEBIBYTE = 1024 * 1024;
