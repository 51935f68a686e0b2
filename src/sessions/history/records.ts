import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../../protocol/errors.ts";
import { decodeRecord, type JournalRecord, segmentName, segmentNumbers } from "../../protocol/journal-records.ts";

/**
 * Every record of a journal that is kept, in order, up to what is written at the moment. For reading a history as a whole: a segment of a few megabytes
 * at a time. A segment that goes meanwhile (the oldest, at the cap) is passed over; a torn end is the end.
 */
export async function* journalRecords(
  journalDir: string,
  from: { segment: number; at: number } = { segment: 0, at: 0 },
): AsyncIterableIterator<JournalRecord & { segment: number; end: number }> {
  for (const segment of await segmentsOf(journalDir)) {
    if (segment < from.segment) continue;
    const bytes = await bytesOf(join(journalDir, segmentName(segment)));
    for (let at = segment === from.segment ? from.at : 0; ; ) {
      const decoded = decodeRecord(bytes, at);
      if (typeof decoded === "string") break;
      yield { ...decoded.record, segment, end: decoded.end };
      at = decoded.end;
    }
  }
}

/** The numbers of the segments that are kept; none of a session that has not started. */
async function segmentsOf(journalDir: string): Promise<number[]> {
  try {
    return segmentNumbers(await readdir(journalDir));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}

async function bytesOf(path: string): Promise<Buffer> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    return await file.readFile();
  } catch (error) {
    if (systemCode(error) === "ENOENT") return Buffer.alloc(0);
    throw error;
  } finally {
    await file?.close();
  }
}
