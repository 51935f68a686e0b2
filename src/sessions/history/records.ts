import type { JournalRecord } from "../../protocol/journal-records.ts";
import { type JournalPosition, JournalReader } from "../journal/journal-reader.ts";

/**
 * Every record of a journal that is kept, in order, up to what is written at the moment. A record's bytes are good until the next one is asked for. What
 * goes meanwhile (the oldest, at the cap) is passed over.
 */
export async function* journalRecords(journalDir: string): AsyncIterableIterator<JournalRecord> {
  const reader = new JournalReader(journalDir);
  try {
    for await (const records of recordsAfter(reader, undefined)) yield* records.records;
  } finally {
    await reader.close();
  }
}

/** The same in pieces, from a place on (default: the oldest), with the place behind each. */
export async function* recordsAfter(
  reader: JournalReader,
  from: JournalPosition | undefined,
): AsyncIterableIterator<{ records: JournalRecord[]; position: JournalPosition }> {
  let position = from ?? (await reader.start());
  while (position) {
    const read = await reader.read(position);
    if (read.kind === "none") return;
    position = read.position;
    if (read.kind === "records") yield read;
  }
}
