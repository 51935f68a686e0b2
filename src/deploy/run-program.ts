import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** What a program that has ended leaves: its status (128 + a signal's number stands for none here: `null`) and the end of what it said. */
export interface ProgramEnd {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface ProgramOptions {
  command: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** For its standard input. */
  input?: string;
  /** What it says goes to our standard error. */
  isShown?: boolean;
}

/** Characters of each stream, from its end. */
const TAIL_CHARACTERS = 16 * 1024;

/** Runs it to its end; an abort sends SIGTERM. @throws as spawn(2): ENOENT, EACCES */
export async function runProgram(options: ProgramOptions): Promise<ProgramEnd> {
  const { command, cwd, env, signal, input, isShown = false } = options;
  const [program = "", ...args] = command;
  const shown = isShown ? 2 : "pipe";
  const child = spawn(program, args, { cwd, env, stdio: [input === undefined ? "ignore" : "pipe", shown, shown] });
  const stdout = tailOf(child, "stdout");
  const stderr = tailOf(child, "stderr");
  const stop = (): void => void child.kill("SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  child.stdin?.on("error", () => {}); // it has ended without reading all
  child.stdin?.end(input);
  try {
    const [status] = (await once(child, "close")) as [number | null];
    return { status, stdout: stdout(), stderr: stderr() };
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

export function tailOf(child: ChildProcess, name: "stdout" | "stderr"): () => string {
  let text = "";
  child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
    text = (text + chunk).slice(-TAIL_CHARACTERS);
  });
  return () => text;
}

/** The last thing that was said, for a sentence. */
export const lastLine = (text: string): string =>
  (text.trim().split(/\r?\n/).filter(Boolean).at(-1) ?? "").replace(/\.$/, "");
