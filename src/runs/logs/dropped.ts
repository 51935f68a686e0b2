import { readFile } from "node:fs/promises";
import { writeFileAtomic } from "../../platform/atomic-file.ts";
import { droppedPathOf } from "./files.ts";

/**
 * The sidecar `<log>.dropped`: how much of the oldest output is gone. Absent when nothing is. Offsets stay absolute whatever was dropped, so a
 * reader's position never changes its meaning.
 */
export interface DropState {
  /** The first absolute offset that can still be read; a line starts there, unless a line was longer than the cap looked ahead. */
  droppedBytes: number;
  /** The absolute offset of the file's first byte: 0 where holes are punched, more where the file had to be truncated. */
  baseBytes: number;
}

const VERSION = 1;
const NOTHING: DropState = { droppedBytes: 0, baseBytes: 0 };

/** Never rejects: a sidecar that is absent or cannot be read says that nothing is dropped. */
export async function dropStateOf(logPath: string): Promise<DropState> {
  let state: Partial<DropState> | null;
  try {
    state = JSON.parse(await readFile(droppedPathOf(logPath), "utf8")) as Partial<DropState> | null;
  } catch {
    return NOTHING;
  }
  const { droppedBytes, baseBytes } = state ?? {};
  return isOffset(droppedBytes) && isOffset(baseBytes) ? { droppedBytes, baseBytes } : NOTHING;
}

export function writeDropState(logPath: string, { droppedBytes, baseBytes }: DropState): void {
  const text = `${JSON.stringify({ version: VERSION, oldest_reader: VERSION, droppedBytes, baseBytes })}\n`;
  writeFileAtomic(droppedPathOf(logPath), text);
}

const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
