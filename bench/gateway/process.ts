import { type ChildProcess, spawn } from "node:child_process";
import net from "node:net";
import type { Stage } from "../stage.ts";
import { output, time } from "../timed.ts";

/** Programs that run while something is measured, and the core on which they do. */

/** The proxies, one after the other. */
export const PROXY_CORE = 0;
/** Whoever asks, and whoever answers behind the proxies. */
export const LOAD_CORE = 1;

const START_TIMEOUT_MS = 20_000;
const LOOK_MS = 10;
const END_TIMEOUT_MS = 5_000;

export interface Started {
  readonly pid: number;
  end(): Promise<void>;
}

/** Resolves when it listens on `port`, which nobody else does. `core`: undefined is any. @throws when it ends before, with what it said */
export async function startListening(
  stage: Stage,
  argv: readonly string[],
  { port, core, cwd = stage.dir }: { port: number; core?: number; cwd?: string },
): Promise<Started> {
  const [file = "", ...args] = core === undefined ? argv : ["taskset", "-c", String(core), ...argv];
  const child = spawn(file, args, { cwd, env: stage.env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr!.on("data", (chunk) => {
    said = `${said}${chunk}`.slice(-4_000);
  });
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (status, signal) => reject(new Error(`${argv[0]} ended with ${status ?? signal}: ${said}`)));
    void listens(port).then(resolve, reject);
  });
  return { pid: child.pid!, end: () => ended(child) };
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function listens(port: number): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  while (!(await accepts(port))) {
    if (performance.now() > deadlineMs) throw new Error(`nobody listens on port ${port}`);
    await new Promise((wake) => setTimeout(wake, LOOK_MS));
  }
}

/** All threads of a process that runs already. */
export const pin = (stage: Stage, pid: number, core: number): Promise<number> =>
  time({ file: "taskset", args: ["-a", "-c", "-p", String(core), String(pid)], cwd: stage.dir, env: stage.env });

/** Undefined: it is not installed. Some say their version on stderr. */
export async function versionOf(
  stage: Stage,
  file: string,
  args: string[],
  pattern: RegExp,
): Promise<string | undefined> {
  const command = { file: "sh", args: ["-c", '"$0" "$@" 2>&1; true', file, ...args], cwd: stage.dir, env: stage.env };
  return pattern.exec(await output(command))?.[1];
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), END_TIMEOUT_MS);
  await exit;
  clearTimeout(timer);
}
