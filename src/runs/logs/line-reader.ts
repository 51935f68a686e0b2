import type { StreamLog } from "./log-source.ts";

/**
 * Cuts one stream's log into lines, forwards from a position, reading at most READ_BYTES_MAX at a time and never past the bound that it is given.
 * Holds one read and one unfinished line. A line longer than PIECE_BYTES_MAX is given out in pieces, so memory is bounded whatever a job writes.
 */

export const READ_BYTES_MAX = 256 * 1024;
/** Longest line held whole; a longer one comes as pieces of about this size, each but the last with `continues`. */
export const PIECE_BYTES_MAX = 16 * 1024 * 1024;
const NEWLINE = 0x0a;

export interface RawLine {
  kind: "line";
  /** Absolute offset of the first byte. */
  offsetBytes: number;
  /** Without the newline. */
  bytes: Buffer;
  /** A newline ended it. */
  complete: boolean;
  /** The line goes on in the stream's next item. */
  continues: boolean;
}

/** Bytes that were dropped before they could be read. */
export interface Gap {
  kind: "gap";
  offsetBytes: number;
  lengthBytes: number;
}

/** The absolute offset after an item: where its stream is continued. */
export const endOf = (item: RawLine | Gap): number =>
  item.kind === "gap"
    ? item.offsetBytes + item.lengthBytes
    : item.offsetBytes + item.bytes.length + (item.complete ? 1 : 0);

export class LineReader {
  readonly log: StreamLog;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Absolute offset of the first byte that was not given out. */
  #position: number;
  readonly #ready: (RawLine | Gap)[] = [];

  constructor(log: StreamLog, fromBytes: number) {
    this.log = log;
    this.#position = fromBytes;
  }

  /** Absolute offset of the next item. */
  get position(): number {
    return this.#ready[0]?.offsetBytes ?? this.#position;
  }

  /**
   * The next whole line (or gap, or piece) that ends at or before `untilBytes`; `shift` takes it. With `unterminated`, what stands behind the last newline
   * is given out too, as an incomplete line.
   */
  async peek(untilBytes: number, unterminated = false): Promise<RawLine | Gap | undefined> {
    while (this.#ready.length === 0) {
      if (this.#cutLine()) break;
      if (await this.#fill(untilBytes)) continue;
      if (!unterminated || this.#heldBytes === 0) return undefined;
      this.#ready.push(this.#takeHeld(false));
    }
    return this.#ready[0];
  }

  shift(): void {
    this.#ready.shift();
  }

  #cutLine(): boolean {
    const end = this.#chunk.indexOf(NEWLINE, this.#at);
    if (end === -1) {
      this.#hold(this.#chunk.subarray(this.#at));
      this.#at = this.#chunk.length;
      if (this.#heldBytes < PIECE_BYTES_MAX) return false;
      this.#ready.push(this.#takeHeld(true));
      return true;
    }
    this.#hold(this.#chunk.subarray(this.#at, end));
    this.#at = end + 1;
    const line = this.#takeHeld(false);
    this.#position += 1;
    this.#ready.push({ ...line, complete: true });
    return true;
  }

  async #fill(untilBytes: number): Promise<boolean> {
    const from = this.#position + this.#heldBytes;
    const length = Math.min(READ_BYTES_MAX, untilBytes - from);
    if (length <= 0) return false;
    const { offsetBytes, bytes } = await this.log.read(from, length);
    if (offsetBytes > from) this.#skipTo(from, offsetBytes);
    this.#chunk = bytes;
    this.#at = 0;
    return bytes.length > 0 || this.#ready.length > 0;
  }

  /** The unfinished line before the gap is given out as it is. */
  #skipTo(fromBytes: number, offsetBytes: number): void {
    if (this.#heldBytes > 0) this.#ready.push(this.#takeHeld(false));
    this.#ready.push({ kind: "gap", offsetBytes: fromBytes, lengthBytes: offsetBytes - fromBytes });
    this.#position = offsetBytes;
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  #takeHeld(continues: boolean): RawLine {
    const bytes = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held);
    const line: RawLine = { kind: "line", offsetBytes: this.#position, bytes, complete: false, continues };
    this.#position += bytes.length;
    this.#held = [];
    this.#heldBytes = 0;
    return line;
  }
}
