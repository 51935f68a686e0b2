import { open } from "node:fs/promises";
import { join } from "node:path";

/** The last that an instance has printed, as its files have it now: their last lines, which is little to read, however long they are. */
export interface LogTail {
  stream: "stdout" | "stderr";
  lines: string[];
}

const TAIL_BYTES = 16 * 1024;
const TAIL_LINES = 40;
/** Made by us; but a file's name is built of it. */
const INSTANCE_ID = /^[0-9A-Za-z][0-9A-Za-z._-]*$/;

/** What cannot be read is left out: it may have been cleaned away. */
export async function logTails(logsDir: string, instance: string): Promise<LogTail[]> {
  if (!INSTANCE_ID.test(instance)) return [];
  const tails = (["stderr", "stdout"] as const).map(async (stream): Promise<LogTail> => {
    const lines = await tailOf(join(logsDir, `${instance}.${stream}.log`)).catch(() => []);
    return { stream, lines };
  });
  return (await Promise.all(tails)).filter(({ lines }) => lines.length > 0);
}

async function tailOf(path: string): Promise<string[]> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  const from = Math.max(0, size - TAIL_BYTES);
  const bytes = Buffer.alloc(size - from);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
  const lines = bytes.toString("utf8", 0, bytesRead).split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (from > 0) {
    const part = lines.shift(); // of a line
    if (lines.length === 0) return [`…${part}`];
  }
  return lines.slice(-TAIL_LINES);
}
