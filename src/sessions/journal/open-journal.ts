import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../../protocol/errors.ts";
import {
  decodeRecord,
  decodeSize,
  INPUT_SOURCE_BYTES,
  type JournalRecord,
  RECORD,
  segmentName,
  segmentNumbers,
} from "../../protocol/journal-records.ts";
import type { ChannelExit } from "../../protocol/keeper-calls.ts";

/**
 * Looks at a journal that nobody writes any more, and cuts what a crash has left of a last record (torn, or garbage from a power cut), so that it can be
 * gone on with. Only the last segment can have such an end: a segment is finished before the next one is made.
 */
export interface OpenedJournal {
  /** Bytes of output and input so far. */
  output: number;
  input: number;
  /** The last segment, 0 when there is none, and its length after the repair. */
  segment: number;
  segmentBytes: number;
  /** The last size; 0 × 0 for pipes, and when there is no journal. */
  cols: number;
  rows: number;
  /** How the last program ended, when that was written down. */
  end: ChannelExit | null;
  /** Times of the first record that is kept and of the last one; 0 when there is none. */
  startedAtMs: number;
  lastAtMs: number;
  /** Bytes that were cut off. */
  cutBytes: number;
}

/**
 * `repair: false` only looks: `cutBytes` is what a repair would cut off.
 * @throws what the disk says; a journal that is damaged or absent is no error
 */
export async function openJournal(journalDir: string, { repair = true } = {}): Promise<OpenedJournal> {
  const segments = segmentNumbers(await readdir(journalDir).catch(noneIfAbsent));
  const last = segments.at(-1) ?? 0;
  const journal: OpenedJournal = { ...EMPTY, segment: last };
  let isEndKnown = false;
  let isInputKnown = false;
  // Input is counted in its own records alone: the last of them may be in an older segment.
  for (const segment of segments.toReversed()) {
    const found = await summaryOf(join(journalDir, segmentName(segment)));
    if (segment === last) Object.assign(journal, { segmentBytes: found.segmentBytes, cutBytes: found.cutBytes });
    if (!isEndKnown && found.recordCount > 0) {
      const { output, cols, rows, end, lastAtMs } = found;
      Object.assign(journal, { output, cols, rows, end, lastAtMs });
      isEndKnown = true;
    }
    if (!isInputKnown && found.input !== undefined) {
      journal.input = found.input;
      isInputKnown = true;
    }
    if (isEndKnown && (isInputKnown || journal.cols > 0)) break; // what is typed into a terminal is not written down
  }
  if (repair && journal.cutBytes > 0) await cut(join(journalDir, segmentName(last)), journal.segmentBytes);
  journal.startedAtMs = await startedAtMs(journalDir, segments);
  return journal;
}

const EMPTY: OpenedJournal = {
  output: 0,
  input: 0,
  segment: 0,
  segmentBytes: 0,
  cols: 0,
  rows: 0,
  end: null,
  startedAtMs: 0,
  lastAtMs: 0,
  cutBytes: 0,
};

interface SegmentSummary {
  recordCount: number;
  segmentBytes: number;
  cutBytes: number;
  output: number;
  input: number | undefined;
  cols: number;
  rows: number;
  end: ChannelExit | null;
  lastAtMs: number;
}

async function summaryOf(path: string): Promise<SegmentSummary> {
  const bytes = await readFile(path);
  const summary: SegmentSummary = { ...EMPTY, recordCount: 0, input: undefined };
  let at = 0;
  for (;;) {
    const decoded = decodeRecord(bytes, at);
    if (typeof decoded === "string") break;
    add(decoded.record, summary);
    at = decoded.end;
  }
  return { ...summary, segmentBytes: at, cutBytes: bytes.length - at };
}

function add({ kind, offset, bytes, timeMs }: JournalRecord, summary: SegmentSummary): void {
  summary.recordCount += 1;
  summary.lastAtMs = timeMs;
  summary.end = kind === RECORD.end ? exitOf(bytes) : null;
  if (kind === RECORD.input) {
    summary.input = offset + bytes.length - INPUT_SOURCE_BYTES;
    return;
  }
  summary.output = offset + (kind === RECORD.output ? bytes.length : 0);
  if (kind === RECORD.size) Object.assign(summary, decodeSize(bytes));
}

/** Synced, so that no later crash brings back what was behind a record that was appended meanwhile. */
async function cut(path: string, at: number): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.truncate(at);
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function startedAtMs(journalDir: string, segments: readonly number[]): Promise<number> {
  for (const segment of segments) {
    const file = await open(join(journalDir, segmentName(segment)), "r");
    try {
      const head = Buffer.alloc(64); // it begins with a size
      const { bytesRead } = await file.read(head, 0, head.length, 0);
      const decoded = decodeRecord(head.subarray(0, bytesRead), 0);
      if (typeof decoded !== "string") return decoded.record.timeMs;
    } finally {
      await file.close();
    }
  }
  return 0;
}

function exitOf(bytes: Uint8Array): ChannelExit | null {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as ChannelExit;
  } catch {
    return null; // written by a newer one
  }
}

function noneIfAbsent(error: unknown): string[] {
  if (systemCode(error) === "ENOENT") return [];
  throw error;
}
