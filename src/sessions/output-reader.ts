import { decodeSize, encodeSize, type JournalRecord, RECORD } from "../protocol/journal-records.ts";
import { type JournalPosition, JournalReader } from "./journal/journal-reader.ts";

/** What a program wrote, and the sizes of its terminal, from a place of the journal on. Asked again after a doorbell, it goes on where it was. */
export type OutputPiece =
  | { kind: "output"; bytes: Uint8Array }
  /** The terminal has this size from here on. */
  | { kind: "size"; cols: number; rows: number }
  | { kind: "none" }
  /** What comes next is not kept any more: the oldest segments go at the journal's cap. */
  | { kind: "gone" };

export class OutputReader {
  readonly #reader: JournalReader;
  #position: JournalPosition;
  /** Bytes of output before this are passed over. */
  readonly #from: number;
  #size: Buffer | undefined;
  /** Sizes that were read behind output, which goes first. */
  readonly #pieces: OutputPiece[] = [];
  #isClosed = false;
  /** The read that is under way: a file that it opens after the close would stay open. */
  #reading: Promise<unknown> = Promise.resolve();

  private constructor(reader: JournalReader, position: JournalPosition, from: number) {
    this.#reader = reader;
    this.#position = position;
    this.#from = from;
  }

  /**
   * From an offset, or from a place; undefined when that is not kept any more, or not there yet. `size`: the terminal's there, where that is known, so that
   * it is not told again.
   */
  static async open(
    journalDir: string,
    from: number | JournalPosition,
    size?: { cols: number; rows: number },
  ): Promise<OutputReader | undefined> {
    const reader = new JournalReader(journalDir);
    const position = typeof from === "object" ? from : await reader.seek(from);
    if (position !== undefined && position !== "gone") {
      const output = new OutputReader(reader, position, typeof from === "object" ? from.offset : from);
      if (size) output.#size = encodeSize(size.cols, size.rows);
      return output;
    }
    await reader.close();
    return undefined;
  }

  /** From an offset, or from the oldest that is kept when that is later; undefined when nothing is written there yet. */
  static async openFrom(journalDir: string, offset: number): Promise<OutputReader | undefined> {
    const reader = new JournalReader(journalDir);
    const sought = await reader.seek(offset);
    const position = sought === "gone" ? await reader.start() : sought;
    if (position) return new OutputReader(reader, position, offset);
    await reader.close();
    return undefined;
  }

  /** The next piece, about `bytesMax` at most: output of several records as one. "none" once it is closed. */
  read(bytesMax: number): Promise<OutputPiece> {
    if (this.#isClosed) return Promise.resolve({ kind: "none" });
    const piece = this.#next(bytesMax);
    this.#reading = piece.catch(() => {});
    return piece;
  }

  /** Waits for the read that is under way. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reading;
    await this.#reader.close();
  }

  async #next(bytesMax: number): Promise<OutputPiece> {
    const waiting = this.#pieces.shift();
    if (waiting) return waiting;
    for (;;) {
      const read = await this.#reader.read(this.#position, bytesMax);
      this.#position = read.position;
      if (read.kind === "gap") return { kind: "gone" };
      if (read.kind === "none") return { kind: "none" };
      const first = this.#take(read.records);
      if (first) return first;
    }
  }

  #take(records: readonly JournalRecord[]): OutputPiece | undefined {
    let parts: Uint8Array[] = [];
    const flush = (): void => {
      // A copy: what they are views of is read into again.
      if (parts.length > 0) this.#pieces.push({ kind: "output", bytes: new Uint8Array(Buffer.concat(parts)) });
      parts = [];
    };
    for (const { kind, offset, bytes } of records) {
      if (kind === RECORD.size) {
        const isKnown = this.#size?.equals(bytes) || offset < this.#from;
        this.#size = Buffer.from(bytes);
        if (isKnown) continue; // each segment begins with the size
        flush();
        this.#pieces.push({ kind: "size", ...decodeSize(bytes) });
      } else if (kind === RECORD.output && offset + bytes.length > this.#from) {
        parts.push(bytes.subarray(Math.max(0, this.#from - offset)));
      }
    }
    flush();
    return this.#pieces.shift();
  }
}
