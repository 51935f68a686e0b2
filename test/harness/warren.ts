import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";

/** The command line as a person runs it: `bin/warren` of an installation. */
export interface WarrenOptions {
  cwd?: string;
  input?: string;
  env?: Record<string, string | undefined>;
  /** Default 60 s; a command that hangs is killed and fails its test. */
  deadlineMs?: number;
  /** The command shows the end of a crashed server's log, where a stack may stand. */
  quotesLog?: boolean;
}

export interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  stdoutBytes: Buffer;
}

/** What a command that has ended well printed. */
export function well({ status, stdout, stderr }: Ended): string {
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

export interface Running {
  child: ChildProcess;
  pid: number;
  /** What has been printed so far. */
  output(): string;
  /** Resolves once standard output matches. */
  shows(pattern: RegExp): Promise<string>;
  ended: Promise<Ended>;
}

/** A line of a JavaScript stack; no command shows one to a person. */
const STACK_LINE = /^ {4}at .+[:(]\d+/m;

export interface Launch {
  cwd: string;
  env: Record<string, string | undefined>;
  deadlineMs: number;
  input?: string | undefined;
  quotesLog: boolean;
}

export function startWarren(bin: string, args: readonly string[], options: Launch): Running {
  const child = spawn(bin, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), options.deadlineMs);
  if (options.input !== undefined) child.stdin?.on("error", () => {}).end(options.input);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const watchers = new Set<() => void>();
  child.stdout!.on("data", (chunk) => {
    stdout.push(chunk);
    for (const look of watchers) look();
  });
  child.stderr!.on("data", (chunk) => stderr.push(chunk));
  const output = (): string => Buffer.concat(stdout).toString();
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => {
      clearTimeout(timer);
      const stdoutBytes = Buffer.concat(stdout);
      const result = { status, signal, stdout: output(), stderr: Buffer.concat(stderr).toString(), stdoutBytes };
      if (!options.quotesLog && (STACK_LINE.test(result.stderr) || STACK_LINE.test(result.stdout)))
        reject(new Error(`warren ${args.join(" ")} shows a stack trace:\n${result.stdout}${result.stderr}`));
      else resolve(result);
    });
  });
  ended.catch(() => {});
  const shows = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!pattern.test(output())) return;
        watchers.delete(look);
        resolve(output());
      };
      watchers.add(look);
      ended.then((end) => reject(new Error(`ended without ${pattern}: ${end.stdout}${end.stderr}`)), reject);
      look();
    });
  return { child, pid: child.pid ?? 0, output, shows, ended };
}
