import { watch } from "node:fs";
import { join } from "node:path";
import type { JournalRecord } from "../../protocol/journal-records.ts";
import { journalRecords, recordsAfter } from "../../sessions/history/records.ts";
import { type JournalPosition, JournalReader } from "../../sessions/journal/journal-reader.ts";
import type { Context } from "../context.ts";
import type { SessionHandle } from "./session-client.ts";

/** What a session's program has written, with its sizes and its end: read from the journal by this very process, or asked for of another machine. */
export interface SessionJournal {
  /** All that is kept, up to what is written now. A record's bytes are good until the next one is asked for. */
  records(): AsyncIterable<JournalRecord>;
  /**
   * Where all of it would be long on its way: what is kept of about the last `outputBytes`, no less; less than that is all there is. It may begin in the midst of a line, and of
   * what a full-screen program drew.
   */
  last?(outputBytes: number): AsyncIterable<JournalRecord>;
  /** All, then what comes until `signal` aborts: in pieces, an empty one whenever there is nothing more for now. */
  follow(signal: AbortSignal): AsyncIterable<readonly JournalRecord[]>;
}

export async function journalOf(context: Context, handle: SessionHandle): Promise<SessionJournal> {
  if (!context.machine) return new JournalFiles(join(context.places.sessionsDir, handle.id, "journal"));
  const { JournalThere } = await import("../on/journal-there.ts");
  return new JournalThere(handle);
}

class JournalFiles implements SessionJournal {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  records(): AsyncIterable<JournalRecord> {
    return journalRecords(this.#dir);
  }

  /** The kernel says when the journal has grown. */
  async *follow(signal: AbortSignal): AsyncGenerator<readonly JournalRecord[], void> {
    const bell = new Bell();
    const reader = new JournalReader(this.#dir);
    const watcher = watch(this.#dir, () => bell.ring());
    const onAbort = (): void => bell.ring();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      let position: JournalPosition | undefined;
      while (!signal.aborted) {
        const rung = bell.next();
        for await (const { records, position: behind } of recordsAfter(reader, position)) {
          position = behind;
          yield records;
        }
        yield [];
        await rung;
      }
    } finally {
      watcher.close();
      await reader.close();
      signal.removeEventListener("abort", onAbort);
    }
  }
}

/** Rings that come while nobody waits are one. */
class Bell {
  #wake = Promise.withResolvers<void>();

  next(): Promise<void> {
    this.#wake = Promise.withResolvers<void>();
    return this.#wake.promise;
  }

  ring(): void {
    this.#wake.resolve();
  }
}
