import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { signalNumber } from "../platform/process.ts";
import { openTerminal } from "../platform/terminal.ts";
import { isWarrenError, messageOf, systemCode, WarrenError } from "../protocol/errors.ts";
import { RECORD } from "../protocol/journal-records.ts";
import type { ChannelExit, PipeOpenCall, TerminalOpenCall } from "../protocol/keeper-calls.ts";

/** A program that the keeper holds: by a terminal, or by pipes. */
export interface Program {
  kind: "terminal" | "pipe";
  pid: number;
  input: Writable;
  /** What it writes, and as which kind of record. */
  outputs: { kind: number; stream: Readable }[];
  exited: Promise<Omit<ChannelExit, "at">>;
  /** Pipes have no size. */
  resize?(cols: number, rows: number): void;
}

/** @throws WORKDIR_MISSING, PROGRAM_NOT_FOUND, PROGRAM_NOT_EXECUTABLE, PROGRAM_NOT_STARTED, TERMINAL_LIBRARY_MISSING */
export function startProgram(call: TerminalOpenCall | PipeOpenCall): Program {
  const { directory, command } = call;
  const [file = ""] = command;
  // A terminal's fork does not tell why an exec failed: what can be known is asked before.
  check(`${directory}/.`, (code) => new WarrenError("WORKDIR_MISSING", `${directory} cannot be entered (${code}).`));
  check(file, (code) => {
    if (code === "ENOENT") return new WarrenError("PROGRAM_NOT_FOUND", `There is no program ${file}.`);
    return new WarrenError("PROGRAM_NOT_EXECUTABLE", `${file} cannot be executed (${code}).`);
  });
  if (statSync(file).isDirectory()) throw new WarrenError("PROGRAM_NOT_EXECUTABLE", `${file} is a directory.`);
  try {
    return call.call === "terminal.open" ? onTerminal(call) : onPipes(call);
  } catch (error) {
    if (isWarrenError(error)) throw error;
    const want = "its interpreter is missing, or no process, terminal or descriptor is left";
    throw new WarrenError("PROGRAM_NOT_STARTED", `${file} could not be started, as ${want}: ${messageOf(error)}`);
  }
}

function check(path: string, because: (code: string | undefined) => WarrenError): void {
  try {
    accessSync(path, constants.X_OK);
  } catch (error) {
    throw because(systemCode(error));
  }
}

function onTerminal(call: TerminalOpenCall): Program {
  const terminal = openTerminal(call);
  return { kind: "terminal", ...terminal, outputs: [{ kind: RECORD.output, stream: terminal.output }] };
}

function onPipes({ command: [file = "", ...args], directory, env }: PipeOpenCall): Program {
  const child = spawn(file, args, { cwd: directory, env, detached: true, stdio: "pipe" });
  child.on("error", () => {}); // comes later than the missing pid
  if (child.pid === undefined) throw new Error("spawn failed");
  child.stdin.on("error", () => {}); // each write is told by its callback
  return {
    kind: "pipe",
    pid: child.pid,
    input: child.stdin,
    outputs: [
      { kind: RECORD.output, stream: child.stdout },
      { kind: RECORD.errors, stream: child.stderr },
    ],
    exited: new Promise((resolve) =>
      child.on("exit", (code, signal) => resolve({ code, signal: signal && signalNumber(signal) })),
    ),
  };
}
