import { spawn } from "node:child_process";
import { once } from "node:events";

/** A command as it is typed: program, arguments, place. */
export interface Command {
  file: string;
  args: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
}

/** No command of a benchmark takes longer; past it the benchmark fails. */
const COMMAND_TIMEOUT_MS = 120_000;

/**
 * Runs it to its end without a terminal, output to /dev/null: what it leaves in the background may keep its output open, and is not waited for. Answers wall milliseconds.
 * @param input its standard input; default: none
 * @throws when its exit status is not 0
 */
export async function time(command: Command, input?: string): Promise<number> {
  const startMs = performance.now();
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: command.env,
    stdio: [input === undefined ? "ignore" : "pipe", "ignore", "ignore"],
    timeout: COMMAND_TIMEOUT_MS,
  });
  child.stdin?.on("error", () => {}); // one that reads nothing; its status says more
  child.stdin?.end(input);
  const [status, signal] = await once(child, "exit");
  const elapsedMs = performance.now() - startMs;
  if (status !== 0) throw new Error(`${textOf(command)} ended with ${status ?? signal}`);
  return elapsedMs;
}

/** Runs it and answers what it printed. @throws when its exit status is not 0 */
export async function output(command: Command): Promise<string> {
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: command.env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: COMMAND_TIMEOUT_MS,
  });
  let text = "";
  let errors = "";
  child.stdout.on("data", (chunk) => (text += chunk));
  child.stderr.on("data", (chunk) => (errors += chunk));
  const [status, signal] = await once(child, "exit");
  if (status !== 0) throw new Error(`${textOf(command)} ended with ${status ?? signal}: ${errors || text}`);
  return text;
}

const textOf = ({ file, args }: Command): string => [file, ...args].join(" ").slice(0, 200);
