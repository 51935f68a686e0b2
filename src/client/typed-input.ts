/**
 * What was typed and is not known to have been taken. The server counts the bytes of each client, so bytes that are sent again after a lost
 * connection are taken once.
 *
 * Positions count the bytes typed since the beginning. `acked ≤ sent ≤ typed`; what lies between `acked` and `typed` is held here.
 */

/** Bytes on the wire without an acknowledgement; the rest waits here, where a reconnect can begin anew with it. */
const WINDOW_BYTES = 256 * 1024;
const PIECE_BYTES_MAX = 64 * 1024;
/** Bytes held; past it whoever types has to pause. */
export const WAITING_BYTES_MAX = 16 * 1024 * 1024;

interface Chunk {
  /** Of its first byte. */
  position: number;
  bytes: Uint8Array;
}

export class TypedInput {
  #chunks: Chunk[] = [];
  /** The first chunk that is not sent whole. */
  #cursor = 0;
  #acked = 0;
  #sent = 0;
  #typed = 0;
  /** What the server counts less than we do: it may have lost its count, or begun another. */
  #shift = 0;

  /** Bytes that are not acknowledged. */
  get waitingBytes(): number {
    return this.#typed - this.#acked;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push({ position: this.#typed, bytes });
    this.#typed += bytes.length;
  }

  /** The next piece to send, under the server's count; undefined when the window is full or nothing waits. */
  next(): { seq: number; bytes: Uint8Array } | undefined {
    const chunk = this.#chunks[this.#cursor];
    const room = WINDOW_BYTES - (this.#sent - this.#acked);
    if (!chunk || room <= 0) return undefined;
    const from = this.#sent - chunk.position;
    const bytes = chunk.bytes.subarray(from, from + Math.min(room, PIECE_BYTES_MAX));
    const seq = this.#sent - this.#shift;
    this.#sent += bytes.length;
    if (this.#sent === chunk.position + chunk.bytes.length) this.#cursor += 1;
    return { seq, bytes };
  }

  /** The server has taken everything before `seq`. Late and wild ones change nothing. */
  ack(seq: number): void {
    const position = seq + this.#shift;
    if (position > this.#acked && position <= this.#sent) this.#drop(position);
  }

  /** A new connection, on which the server says how much it has taken: the rest is sent again. */
  rewind(takenBytes: number): void {
    const position = takenBytes + this.#shift;
    // What was acknowledged is not here any more: whatever the server counts now, it goes on with the next byte that nobody acknowledged.
    const next = Math.min(Math.max(position, this.#acked), this.#typed);
    this.#shift += next - position;
    this.#drop(next);
    this.#sent = this.#acked;
    this.#cursor = 0;
  }

  #drop(position: number): void {
    this.#acked = position;
    const keep = this.#chunks.findIndex((chunk) => chunk.position + chunk.bytes.length > position);
    const dropped = keep === -1 ? this.#chunks.length : keep;
    this.#chunks.splice(0, dropped);
    this.#cursor = Math.max(0, this.#cursor - dropped);
  }
}
