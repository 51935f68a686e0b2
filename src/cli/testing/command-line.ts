import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The command line as a person runs it, with a home of its own; for tests. Disposing it ends everything that it started. */
export interface CommandLine extends AsyncDisposable {
  home: string;
  dir: string;
  warren(...args: string[]): Promise<Ended>;
  start(...args: string[]): Running;
}
export interface Ended {
  status: number | null;
  stdout: Buffer;
  out: string;
  err: string;
}
export interface Running {
  pid: number;
  /** Resolves once standard output matches. */
  shows(pattern: RegExp): Promise<void>;
  signal(name: NodeJS.Signals): void;
  ended: Promise<Ended>;
}

/** A command that hangs fails its test instead of hanging it. */
const DEADLINE_MS = 30_000;
const ROOT = join(import.meta.dirname, "..", "..", "..");

/** The server runs from the bundle. */
export const isBuilt = existsSync(join(ROOT, "dist", "server.js"));

export function openCommandLine(): CommandLine {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "warren-cli-")));
  const home = join(base, "home");
  const { NO_COLOR: _, WARREN_UNIT: _unit, ...env } = process.env;
  const start = (...args: string[]): Running => {
    const child = spawn(process.execPath, [join(ROOT, "src/cli/main.ts"), ...args], {
      cwd: base,
      env: { ...env, WARREN_HOME: home },
      stdio: ["ignore", "pipe", "pipe"],
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
    child.stderr.on("data", (chunk) => chunks.stderr.push(chunk));
    const watchers = new Set<() => void>();
    child.stdout.on("data", (chunk) => {
      chunks.stdout.push(chunk);
      for (const look of watchers) look();
    });
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status) => {
        const stdout = Buffer.concat(chunks.stdout);
        resolve({ status, stdout, out: stdout.toString(), err: Buffer.concat(chunks.stderr).toString() });
      });
    });
    const shows = (pattern: RegExp): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!pattern.test(Buffer.concat(chunks.stdout).toString())) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        ended.then(({ out, err }) => reject(new Error(`ended without ${pattern}: ${out}${err}`)), reject);
        look();
      });
    return { pid: child.pid!, shows, signal: (name) => void child.kill(name), ended };
  };
  const warren = (...args: string[]): Promise<Ended> => start(...args).ended;
  return {
    home,
    dir: base,
    start,
    warren,
    async [Symbol.asyncDispose]() {
      await warren("nuke", "--grace", "100ms");
      rmSync(base, { recursive: true, force: true });
    },
  };
}
