import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { signalNumber } from "../platform/process.ts";
import { messageOf, WarrenError } from "../protocol/errors.ts";
import type { ChannelExit, PipeOpenCall, TerminalOpenCall } from "../protocol/keeper-calls.ts";

/** A program that the keeper holds: by a terminal, or by pipes. */
export interface Program {
  pid: number;
  kind: "terminal" | "pipe";
  input: Writable;
  outputs: Readable[];
  resize(cols: number, rows: number): void;
}

export interface ProgramEvents {
  onOutput(bytes: Buffer): void;
  onErrors(bytes: Buffer): void;
  onExit(exit: Omit<ChannelExit, "at">): void;
}

/** A child of the program may hold the pipes open: its output is waited for no longer than this. */
const LAST_OUTPUT_MS = 500;

/** @throws TERMINAL_LIBRARY_MISSING, PROGRAM_NOT_STARTED */
export async function openTerminal(call: TerminalOpenCall, events: ProgramEvents): Promise<Program> {
  const library = await import("@lydell/node-pty").catch((error) => {
    throw new WarrenError(
      "TERMINAL_LIBRARY_MISSING",
      `Terminals need @lydell/node-pty: ${messageOf(error).split("\n")[0]}`,
      {
        fix: "npm install --include=optional",
      },
    );
  });
  const { command, directory, env, cols, rows } = call;
  const [file = "", ...args] = command;
  const terminal = start(file, () =>
    library.default.spawn(file, args, {
      cwd: directory,
      env,
      cols,
      rows,
      name: env.TERM ?? "xterm-256color",
      encoding: null,
    }),
  );
  terminal.onData((bytes) => events.onOutput(bytes as unknown as Buffer));
  terminal.onExit(({ exitCode, signal = 0 }) =>
    events.onExit(signal > 0 ? { code: null, signal } : { code: exitCode, signal: null }),
  );
  // The library's stream of the terminal's own side: the only way to know when it has taken what was written.
  const stream = (terminal as unknown as { _socket: Readable & Writable })._socket;
  return {
    pid: terminal.pid,
    kind: "terminal",
    input: stream,
    outputs: [stream],
    resize: (toCols, toRows) => terminal.resize(toCols, toRows),
  };
}

/** @throws PROGRAM_NOT_STARTED */
export async function openPipe({ command, directory, env }: PipeOpenCall, events: ProgramEvents): Promise<Program> {
  const [file = "", ...args] = command;
  const child = start(file, () => spawn(file, args, { cwd: directory, env, detached: true, stdio: "pipe" }));
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) => reject(notStarted(file, error)));
  });
  child.stdout.on("data", events.onOutput);
  child.stderr.on("data", events.onErrors);
  child.stdin.on("error", () => {}); // it reads no more; its end tells
  child.once("exit", (code, signal) => {
    let timer: NodeJS.Timeout | undefined;
    const tell = (): void => {
      clearTimeout(timer);
      child.off("close", tell);
      events.onExit(signal ? { code: null, signal: signalNumber(signal) } : { code, signal: null });
    };
    timer = setTimeout(tell, LAST_OUTPUT_MS);
    child.once("close", tell);
  });
  return { pid: child.pid!, kind: "pipe", input: child.stdin, outputs: [child.stdout, child.stderr], resize: () => {} };
}

function start<T>(file: string, spawnIt: () => T): T {
  try {
    return spawnIt();
  } catch (error) {
    throw notStarted(file, error);
  }
}

const notStarted = (file: string, cause: unknown): WarrenError =>
  new WarrenError("PROGRAM_NOT_STARTED", `${file} could not be started: ${messageOf(cause)}.`, { cause });
