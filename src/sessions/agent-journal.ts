import type { JournalRecord } from "../protocol/journal-records.ts";
import { type JournalPosition, JournalReader } from "./journal/journal-reader.ts";

/**
 * Follows every record of a journal, in order, from a place on: what a program wrote, what it was given, how it ended. `catchUp` reads what is there;
 * it is called again when the keeper's doorbell rings.
 *
 * Invariant: `position` is behind the last record that was passed on, whole batches at a time.
 */
export interface AgentJournalOptions {
  journalDir: string;
  /** Default: the oldest place that is kept. */
  from?: JournalPosition;
  /** `segment`: in which it stands. The bytes are views that the next read overwrites. */
  onRecord: (record: JournalRecord, segment: number) => void;
  /** After some records were passed on. */
  onBatch?: () => void;
}

export class AgentJournal {
  readonly #options: AgentJournalOptions;
  readonly #reader: JournalReader;
  #position: JournalPosition | undefined;
  #reading: Promise<void> | undefined;
  #isRungAgain = false;
  #isClosed = false;

  constructor(options: AgentJournalOptions) {
    this.#options = options;
    this.#reader = new JournalReader(options.journalDir);
    this.#position = options.from;
  }

  get position(): JournalPosition | undefined {
    return this.#position;
  }

  /** Resolves when everything that was in the journal at the call has been passed on, or it was closed. @throws what the disk says */
  async catchUp(): Promise<void> {
    if (this.#reading) {
      this.#isRungAgain = true;
      return this.#reading;
    }
    this.#reading = this.#read();
    return this.#reading;
  }

  /** Passes nothing on any more, and resolves when no read is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reading?.catch(() => {});
    await this.#reader.close();
  }

  async #read(): Promise<void> {
    try {
      do {
        this.#isRungAgain = false;
        this.#position ??= await this.#reader.start();
        while (this.#position && !this.#isClosed && (await this.#readBatch(this.#position)));
      } while (this.#isRungAgain && !this.#isClosed);
    } finally {
      this.#reading = undefined; // in the same step as the last look at the bell
    }
  }

  /** False at the end. */
  async #readBatch(from: JournalPosition): Promise<boolean> {
    const read = await this.#reader.read(from);
    if (this.#isClosed) return false;
    if (read.kind === "records") {
      for (const record of read.records) this.#options.onRecord(record, read.position.segment);
    }
    this.#position = read.position;
    if (read.kind === "records") this.#options.onBatch?.();
    return read.kind !== "none";
  }
}
