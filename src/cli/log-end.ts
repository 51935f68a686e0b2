import { open } from "node:fs/promises";

/** A log of ours is read from here at most. */
const TAIL_BYTES = 64 * 1024;

/** The last lines of one of our own logs; none when it cannot be read. */
export async function lastLogLines(path: string, count: number): Promise<string[]> {
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    const from = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    return buffer.toString("utf8", 0, bytesRead).split("\n").filter(Boolean).slice(-count);
  } catch {
    return [];
  }
}
