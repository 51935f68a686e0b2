import { execFile } from "node:child_process";
import { open, stat, truncate } from "node:fs/promises";
import { promisify } from "node:util";
import { systemCode } from "../../protocol/errors.ts";
import { type DropState, dropStateOf, writeDropState } from "./dropped.ts";

/**
 * Keeps a log that is being written below a size, by giving its oldest blocks back to the file system. The writer (O_APPEND) notices
 * nothing, offsets stay absolute, and no byte of what remains is touched.
 *
 * Order: the sidecar says what is dropped before it is dropped, so a reader never takes a hole for output. What cannot be punched (macOS, a file system
 * without holes, no `fallocate`) is truncated to nothing and counted instead: bytes that are written between the look at the size and the
 * truncation are then lost without being counted.
 * One caller at a time per log.
 */

const BLOCK_BYTES = 4096;
/** A punch goes this much below the cap, so that the next one is due after as much new output. */
const HYSTERESIS = 1 / 8;
/** How far behind the punched blocks the next line's start is looked for; a longer line is kept from its middle. */
const LINE_SEARCH_BYTES_MAX = 64 * 1024;
const NEWLINE = 0x0a;
const SYSTEM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin";

/** `unsupported`: never here, so the log is truncated instead. `failed`: not now (out of processes, of memory); nothing is changed. */
export type PunchResult = "done" | "unsupported" | "failed";
/** Makes a hole of `lengthBytes` at the file's start. */
export type Punch = (path: string, lengthBytes: number) => Promise<PunchResult>;

export interface CapResult {
  /** Absolute: everything before this offset is gone, by this call or an earlier one. */
  droppedBytes: number;
  /** By this call. */
  newlyDroppedBytes: number;
}

/** @throws what the file system says of a log that cannot be read or written; a log that is absent is not an error */
export async function capRunLog(
  logPath: string,
  maxBytes: number,
  options: { punch?: Punch } = {},
): Promise<CapResult> {
  const before = await dropStateOf(logPath);
  const fileBytes = await sizeOf(logPath);
  const endBytes = before.baseBytes + fileBytes;
  const unchanged = { droppedBytes: before.droppedBytes, newlyDroppedBytes: 0 };
  if (endBytes - before.droppedBytes <= maxBytes) return unchanged;
  const keepBytes = Math.floor(maxBytes * (1 - HYSTERESIS));
  const holeBytes = Math.floor((fileBytes - keepBytes) / BLOCK_BYTES) * BLOCK_BYTES;
  if (holeBytes <= before.droppedBytes - before.baseBytes) return unchanged;

  const droppedBytes = before.baseBytes + (await nextLineStart(logPath, holeBytes, fileBytes));
  writeDropState(logPath, { droppedBytes, baseBytes: before.baseBytes });
  switch (await (options.punch ?? punchHole)(logPath, holeBytes)) {
    case "done":
      return resultOf(before, droppedBytes);
    case "unsupported":
      return resultOf(before, await truncateAndCount(logPath, before));
    case "failed":
      writeDropState(logPath, before);
      return unchanged;
  }
}

const resultOf = (before: DropState, droppedBytes: number): CapResult => ({
  droppedBytes,
  newlyDroppedBytes: droppedBytes - before.droppedBytes,
});

/** fallocate(1) of util-linux: FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, fallocate(2). busybox has one without --punch-hole. */
export const punchHole: Punch = async (path, lengthBytes) => {
  const args = ["--punch-hole", "--offset", "0", "--length", String(lengthBytes), "--", path];
  try {
    await promisify(execFile)("fallocate", args, { env: { PATH: SYSTEM_PATH, LC_ALL: "C" } });
    return "done";
  } catch (error) {
    const said = (error as { stderr?: string }).stderr ?? "";
    const isMissing = systemCode(error) === "ENOENT";
    return isMissing || /not supported|unrecognized option|invalid option/i.test(said) ? "unsupported" : "failed";
  }
};

/** Answers the absolute offset at which the log goes on. */
async function truncateAndCount(logPath: string, before: DropState): Promise<number> {
  const endBytes = before.baseBytes + (await sizeOf(logPath));
  writeDropState(logPath, { droppedBytes: endBytes, baseBytes: endBytes });
  await truncate(logPath, 0);
  return endBytes;
}

/** The first line start at or after `fileOffset`, or `fileOffset` when there is none near. */
async function nextLineStart(logPath: string, fileOffset: number, fileBytes: number): Promise<number> {
  const file = await open(logPath, "r");
  try {
    // From one byte before: a line may begin right at the border.
    const from = fileOffset - 1;
    const buffer = Buffer.allocUnsafe(Math.min(LINE_SEARCH_BYTES_MAX, fileBytes - from));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
    const at = buffer.subarray(0, bytesRead).indexOf(NEWLINE);
    return at === -1 ? fileOffset : from + at + 1;
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return 0;
    throw error;
  }
}
