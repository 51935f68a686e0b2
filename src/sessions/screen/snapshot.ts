import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import type { JournalPosition } from "../journal/journal-reader.ts";

/**
 * A screen and the place in the journal at which it was like that, in a file beside the journal: from there on, the journal alone makes the screen of now.
 * It is a shortcut and nothing more: lost, damaged or foreign, the screen is made from the whole journal. So it is not synced.
 */
export interface Snapshot {
  position: JournalPosition;
  cols: number;
  rows: number;
  title: string;
  /** As bytes for a terminal. */
  screen: Uint8Array;
}

/** Another one is not read. It changes with what a screen's bytes say about the terminal. */
const FORMAT = 1;

export const snapshotPath = (journalDir: string): string => join(dirname(journalDir), "screen.json");

/** @throws what the disk says; then the old one is still there */
export async function saveSnapshot(
  journalDir: string,
  { position, cols, rows, title, screen }: Snapshot,
): Promise<void> {
  const path = snapshotPath(journalDir);
  const temporary = `${path}.${process.pid}.tmp`;
  const text = Buffer.from(screen).toString("base64");
  const file = { format: FORMAT, ...position, cols, rows, title, crc: crc32(text), screen: text };
  try {
    await writeFile(temporary, JSON.stringify(file), { mode: 0o600 });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Undefined when there is none that can be used. Whether its place is one in the journal, the reader finds out. */
export async function loadSnapshot(journalDir: string): Promise<Snapshot | undefined> {
  try {
    const file = JSON.parse(await readFile(snapshotPath(journalDir), "utf8")) as SnapshotFile;
    const { format, segment, at, offset, cols, rows, title, crc, screen } = file;
    if (format !== FORMAT || crc32(screen) !== crc) return undefined;
    if (![segment, at, offset, cols, rows].every(Number.isSafeInteger)) return undefined;
    return {
      position: { segment, at, offset },
      cols,
      rows,
      title: String(title),
      screen: Buffer.from(screen, "base64"),
    };
  } catch {
    return undefined; // absent, torn, no JSON
  }
}

interface SnapshotFile extends JournalPosition {
  format: number;
  cols: number;
  rows: number;
  title: string;
  crc: number;
  screen: string;
}
