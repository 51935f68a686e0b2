import type { Emulator } from "./emulator.ts";

/**
 * The end of a flood of plain text, instead of all of it: when enough lines follow, nothing of what came before them is on the screen any more.
 *
 * Exact, because plain text (printable ASCII, CR and LF) on a primary screen without margins changes nothing but cells and the cursor. From a line's
 * beginning on, each of these lines moves the cursor down by at least one row; `rows - 1` of them take it to the last row from wherever it was, and with
 * `rows` more every row is one that was scrolled in, blank, since; the line in progress, to which the first of them is added, is gone with the others. Modes, attributes and the wrapping of lines are those of the emulator all along.
 */
const LF = 0x0a;
const CR = 0x0d;
/** Held at most; a flood without lines is fed as it is. */
const TAIL_BYTES_MAX = 1024 * 1024;

export class PlainTail {
  readonly #linesKept: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(rows: number) {
    this.#linesKept = 2 * rows + 1;
  }

  /** False: that is no plain text, or too much without a line's end; nothing was taken. The bytes are copied. */
  push(bytes: Uint8Array): boolean {
    if (!isPlain(bytes)) return false;
    const from = startOfLastLines(bytes, this.#linesKept);
    if (from !== undefined) {
      this.#parts = [];
      this.#bytes = 0;
    } else if (this.#bytes + bytes.length > TAIL_BYTES_MAX) return false;
    const kept = new Uint8Array(bytes.subarray(from ?? 0)); // a Buffer's `slice` copies nothing
    this.#parts.push(kept);
    this.#bytes += kept.length;
    return true;
  }

  /** Feeds what was kept. Afterwards it is empty. */
  flush(emulator: Emulator): void {
    for (const part of this.#parts) emulator.write(part);
    this.#parts = [];
    this.#bytes = 0;
  }
}

function isPlain(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte < 0x20 ? byte !== LF && byte !== CR : byte > 0x7e) return false;
  }
  return true;
}

/** Behind the CR LF after which `count` more follow; undefined when there are not so many. */
function startOfLastLines(bytes: Uint8Array, count: number): number | undefined {
  let left = count;
  for (let at = bytes.lastIndexOf(LF); at > 0; at = bytes.lastIndexOf(LF, at - 1)) {
    if (bytes[at - 1] !== CR) continue;
    if (left === 0) return at + 1;
    left -= 1;
  }
  return undefined;
}
