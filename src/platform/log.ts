import { appendFileSync, closeSync, fstatSync, openSync, readSync, renameSync, statSync } from "node:fs";

/**
 * Our own log: JSON lines, appended synchronously (a line that was logged before a SIGKILL is there), rotated once to `<file>.1` at 10 MB. A full
 * disk drops the line; it never throws into its caller.
 */
export type LogLevel = "debug" | "info" | "warn" | "error";

export interface Log {
  debug(event: string, fields?: Record<string, unknown>): void;
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
}

const LOG_BYTES_MAX = 10 * 1024 * 1024;
/** The size is looked up once in this many lines. */
const LINES_PER_SIZE_CHECK = 256;
/** What a failed start shows of its log. */
const TAIL_BYTES = 2_000;
const TAIL_LINES = 8;
const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error"];

export const isLogLevel = (text: string | undefined): text is LogLevel => ORDER.includes(text as LogLevel);

export function openLog(path: string, level: LogLevel = "info"): Log {
  const least = ORDER.indexOf(level);
  let lineCount = 0;
  const write = (lineLevel: LogLevel, event: string, fields: Record<string, unknown> = {}): void => {
    if (ORDER.indexOf(lineLevel) < least) return;
    try {
      if (lineCount++ % LINES_PER_SIZE_CHECK === 0) rotate(path);
      appendFileSync(
        path,
        `${JSON.stringify({ at: new Date().toISOString(), level: lineLevel, event, ...fields })}\n`,
        {
          mode: 0o600,
        },
      );
    } catch {
      // A full or vanished disk must not stop what is being logged.
    }
  };
  return {
    debug: (event, fields) => write("debug", event, fields),
    info: (event, fields) => write("info", event, fields),
    warn: (event, fields) => write("warn", event, fields),
    error: (event, fields) => write("error", event, fields),
  };
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

function rotate(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_BYTES_MAX) renameSync(path, `${path}.1`);
}

/** The last lines of a log, for the error of what failed; none when it cannot be read. */
export function logTail(path: string, lineCount = TAIL_LINES): string[] {
  try {
    const fd = openSync(path, "r");
    try {
      const { size } = fstatSync(fd);
      const bytes = Buffer.alloc(Math.min(TAIL_BYTES, size));
      readSync(fd, bytes, 0, bytes.length, size - bytes.length);
      return bytes.toString("utf8").split("\n").filter(Boolean).slice(-lineCount);
    } finally {
      closeSync(fd);
    }
  } catch {
    return [];
  }
}
