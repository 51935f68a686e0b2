import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../../protocol/errors.ts";
import {
  decodeRecord,
  INPUT_SOURCE_BYTES,
  RECORD,
  segmentName,
  segmentNumbers,
} from "../../protocol/journal-records.ts";

/**
 * Looks at the end of a journal that nobody writes any more, and cuts what a crash has left of a last record (torn, or garbage from a power cut), so that
 * it can be gone on with. Only the last segment can have such an end.
 */
export interface JournalEnd {
  /** Bytes of output and input so far. */
  output: number;
  input: number;
  /** The last segment; 0 when there is none. */
  segment: number;
  /** Bytes that were cut off. */
  cutBytes: number;
}

export async function openJournal(journalDir: string): Promise<JournalEnd> {
  const numbers = segmentNumbers(await readdir(journalDir).catch(noneIfAbsent));
  const end: JournalEnd = { output: 0, input: 0, segment: numbers.at(-1) ?? 0, cutBytes: 0 };
  // An input's offset stands in the last segment that has one.
  for (const number of numbers.toReversed()) {
    const found = await endOfSegment(join(journalDir, segmentName(number)), number === end.segment);
    if (number === end.segment) Object.assign(end, { output: found.output, cutBytes: found.cutBytes });
    end.output = Math.max(end.output, found.output);
    end.input = Math.max(end.input, found.input);
    if (found.input > 0) break;
  }
  return end;
}

async function endOfSegment(
  path: string,
  isLast: boolean,
): Promise<{ output: number; input: number; cutBytes: number }> {
  const file = await open(path, isLast ? "r+" : "r");
  try {
    const bytes = await file.readFile();
    const found = { output: 0, input: 0, cutBytes: 0 };
    let at = 0;
    for (;;) {
      const decoded = decodeRecord(bytes, at);
      if (typeof decoded === "string") break;
      const { record, end } = decoded;
      const length = record.bytes.length;
      if (record.kind === RECORD.input) found.input = record.offset + length - INPUT_SOURCE_BYTES;
      else found.output = record.offset + (record.kind === RECORD.output ? length : 0);
      at = end;
    }
    found.cutBytes = bytes.length - at;
    if (isLast && found.cutBytes > 0) await file.truncate(at);
    return found;
  } finally {
    await file.close();
  }
}

function noneIfAbsent(error: unknown): string[] {
  if (systemCode(error) === "ENOENT") return [];
  throw error;
}
