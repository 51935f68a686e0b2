import { constants } from "node:fs";
import { type FileHandle, open, readFile, unlink } from "node:fs/promises";
import { bootId } from "../platform/process.ts";

/**
 * The file in which a shim writes what became of its run. It is filled with blanks before the start and overwritten in place, because a disk that is
 * full afterwards would otherwise take the exit status. These lines count: `boot <id>`, `shim <stat>`, `job <stat>`, then `run` or `void`
 * (invalidated, nothing was run), and `exit <status>`; the shell's own words stand between them. A line counts when nothing but a newline follows, so half a line,
 * which blanks still follow, never does.
 */

const FILE_BYTES = 4096;

export interface RunStatus {
  /** The boot in which the file was made. */
  bootId?: string;
  shim?: { pid: number; startTicks: number };
  job?: { pid: number; startTicks: number; shimPid: number };
  /** 0–255, with 128 + n for a death by signal n, as the shell tells it. */
  exitStatus?: number;
  /** The signal of which the shell said that the job died, e.g. "SIGKILL". */
  shellWord?: string;
  /** The command is being executed, or was. */
  isRun?: true;
  /** The attempt was invalidated before its command was executed. */
  isVoid?: true;
}

/**
 * Creates the file, mode 0600, and leaves it open at its start for the shim to inherit; the caller closes it.
 * @throws EEXIST when it is there already, ENOSPC with nothing left behind.
 */
export async function prepareStatusFile(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    const tail = `\nboot ${bootId()}\n`;
    await fill(file, Buffer.from(" ".repeat(FILE_BYTES - tail.length) + tail));
    return file;
  } catch (error) {
    await file.close();
    await unlink(path);
    throw error;
  }
}

/** At positions, so that the descriptor's own offset stays 0. A disk that fills up in between makes the next write fail. */
async function fill(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at, at)).bytesWritten;
}

/** @throws ENOENT when it is gone. */
export async function readStatusFile(path: string): Promise<RunStatus> {
  return parseStatus(await readFile(path, "latin1"));
}

export function parseStatus(text: string): RunStatus {
  const status: RunStatus = {};
  const lines = text.split("\n");
  lines.pop(); // what follows the last newline is no line
  for (const line of lines) {
    if (line.endsWith(" ")) continue;
    const space = line.indexOf(" ");
    const rest = line.slice(space + 1);
    switch (space === -1 ? line : line.slice(0, space)) {
      case "boot":
        status.bootId = rest;
        break;
      case "shim":
        status.shim = processOf(rest);
        break;
      case "job":
        status.job = { ...processOf(rest), shimPid: Number(fieldsOf(rest)[1]) };
        break;
      case "exit":
        if (/^\d{1,3}$/.test(rest)) status.exitStatus = Number(rest);
        break;
      case "run":
        if (space === -1) status.isRun = true;
        break;
      case "void":
        status.isVoid = true;
        break;
      default: {
        const word = shellWordOf(line);
        if (word !== undefined) status.shellWord = word;
      }
    }
  }
  return status;
}

/** The fields of a stat line (proc_pid_stat(5)) from the third on: state, ppid, … */
const fieldsOf = (stat: string): string[] => stat.slice(stat.lastIndexOf(")") + 2).split(" ");

/** `startTicks` is 0 where the shim could not tell it (no /proc). */
function processOf(stat: string): { pid: number; startTicks: number } {
  return { pid: Number.parseInt(stat, 10), startTicks: Number(fieldsOf(stat)[22 - 3] ?? 0) };
}

/**
 * dash says "Terminated" or "Segmentation fault (core dumped)"; bash "sh: line 5:  123 Killed      ( IFS= read …" for some signals and the bare word
 * for others. Neither says anything for SIGINT and SIGPIPE.
 */
function shellWordOf(line: string): string | undefined {
  const said = /^[^\n]*?: line \d+: +\d+ (.*)$/.exec(line)?.[1] ?? line;
  const entry = SIGNAL_WORDS.find(
    ([word]) => said === word || said.startsWith(`${word} `) || said.startsWith(`${word}(`),
  );
  return entry?.[1];
}

/** strsignal(3) of glibc and musl in the C locale; a longer word stands before one that begins it. */
const SIGNAL_WORDS: ReadonlyArray<readonly [word: string, signal: string]> = [
  ["Hangup", "SIGHUP"],
  ["Interrupt", "SIGINT"],
  ["Quit", "SIGQUIT"],
  ["Illegal instruction", "SIGILL"],
  ["Trace/breakpoint trap", "SIGTRAP"],
  ["Aborted", "SIGABRT"],
  ["Bus error", "SIGBUS"],
  ["Arithmetic exception", "SIGFPE"],
  ["Floating point exception", "SIGFPE"],
  ["Killed", "SIGKILL"],
  ["User defined signal 1", "SIGUSR1"],
  ["Segmentation fault", "SIGSEGV"],
  ["User defined signal 2", "SIGUSR2"],
  ["Broken pipe", "SIGPIPE"],
  ["Alarm clock", "SIGALRM"],
  ["Terminated", "SIGTERM"],
  ["Stack fault", "SIGSTKFLT"],
  ["CPU time limit exceeded", "SIGXCPU"],
  ["File size limit exceeded", "SIGXFSZ"],
  ["Virtual timer expired", "SIGVTALRM"],
  ["Profiling timer expired", "SIGPROF"],
  ["I/O possible", "SIGIO"],
  ["Power failure", "SIGPWR"],
  ["Bad system call", "SIGSYS"],
];
