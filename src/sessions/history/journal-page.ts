import { watch } from "node:fs";
import { type JournalRecord, RECORD } from "../../protocol/journal-records.ts";
import { type JournalPosition, JournalReader } from "../journal/journal-reader.ts";

/** A part of a session's journal, for whoever has no file system in common with this server. */
export interface JournalPage {
  records: { kind: number; time_ms: number; offset: number; base64: string }[];
  /** Where the next part begins; undefined while nothing was written. */
  next: JournalPosition | undefined;
  isMore: boolean;
}

/** Of bytes as the program wrote them; a record is never cut. */
const PAGE_BYTES = 128 * 1024;
/** What a program was told is no part of what it has shown, and may be anything. */
const SHOWN: ReadonlySet<number> = new Set([RECORD.output, RECORD.size, RECORD.end]);

/** Default: the oldest that is kept. */
export interface PageStart {
  from?: JournalPosition | undefined;
  /** So much output before the end, and a record more at most. */
  lastBytes?: number | undefined;
}

/** With `waitMs` an empty page waits for more. What is not kept any more is passed over. */
export async function journalPage(
  journalDir: string,
  start: PageStart,
  { waitMs, signal }: { waitMs: number; signal: AbortSignal },
): Promise<JournalPage> {
  const reader = new JournalReader(journalDir);
  try {
    const from = start.from ?? (await beforeEnd(reader, start.lastBytes));
    if (waitMs === 0) return await readPage(reader, from);
    const until = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
    using bell = new WriteBell(journalDir, until);
    for (let position = from; ; ) {
      const written = bell.next(); // before the look, so that nothing comes between
      const page = await readPage(reader, position);
      if (page.records.length > 0 || until.aborted) return page;
      position = page.next;
      if (page.isMore) continue; // what was read is not shown: the next part may be
      await written;
    }
  } finally {
    await reader.close();
  }
}

async function beforeEnd(reader: JournalReader, bytes: number | undefined): Promise<JournalPosition | undefined> {
  const end = bytes === undefined ? undefined : await reader.end();
  if (bytes === undefined || !end) return undefined;
  const place = await reader.seek(Math.max(0, end.offset - bytes));
  return place === "gone" ? undefined : place;
}

async function readPage(reader: JournalReader, from: JournalPosition | undefined): Promise<JournalPage> {
  let position = from ?? (await reader.start());
  const records: JournalPage["records"] = [];
  let bytes = 0;
  while (position && bytes < PAGE_BYTES) {
    const read = await reader.read(position, PAGE_BYTES);
    position = read.position;
    if (read.kind === "none") return { records, next: position, isMore: false };
    if (read.kind === "gap") continue;
    for (const record of read.records) bytes += record.bytes.length;
    records.push(...read.records.filter(({ kind }) => SHOWN.has(kind)).map(told));
  }
  return { records, next: position, isMore: position !== undefined };
}

const told = ({ kind, timeMs, offset, bytes }: JournalRecord): JournalPage["records"][number] => ({
  kind,
  time_ms: timeMs,
  offset,
  base64: Buffer.from(bytes).toString("base64"),
});

/** Rings when the journal was written to, and at the signal's abort. */
class WriteBell implements Disposable {
  readonly #watcher;
  readonly #signal: AbortSignal;
  readonly #ring = (): void => this.#wake.resolve();
  #wake = Promise.withResolvers<void>();

  constructor(journalDir: string, signal: AbortSignal) {
    this.#signal = signal;
    this.#watcher = watch(journalDir, { persistent: false }, this.#ring);
    this.#watcher.on("error", this.#ring);
    signal.addEventListener("abort", this.#ring, { once: true });
  }

  next(): Promise<void> {
    this.#wake = Promise.withResolvers<void>();
    if (this.#signal.aborted) this.#wake.resolve();
    return this.#wake.promise;
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
    this.#signal.removeEventListener("abort", this.#ring);
  }
}
