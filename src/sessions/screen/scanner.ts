/**
 * Finds where a stream of terminal bytes may be cut: between two characters or sequences (ECMA-48, UTF-8), never within one. An emulator that was fed up
 * to such a place is in a state that a picture can show; what comes after it continues any terminal that shows the picture.
 *
 * It errs on one side: what is cut here is whole for every terminal; a malformed sequence may be held longer than a terminal would.
 */
const STATE = { ground: 0, escape: 1, escapeIntermediate: 2, sequence: 3, osc: 4, string: 5 } as const;

const ESC = 0x1b;
const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
/** Lead byte of U+0080 to U+00BF, among them the C1 controls, which terminals obey in UTF-8 too. */
const C1_LEAD = 0xc2;

export class CutScanner {
  #state: number = STATE.ground;
  /** Continuation bytes of a UTF-8 character that are still to come. */
  #utf8Left = 0;
  #isC1 = false;

  /** Between two characters, outside of every sequence. */
  get isBetween(): boolean {
    return this.#state === STATE.ground && this.#utf8Left === 0;
  }

  /**
   * What makes a terminal that has not seen the beginning of an unfinished string take the rest of it as one, instead of as text. Empty outside of
   * strings.
   */
  get opening(): string {
    if (this.#state === STATE.osc) return "\x1b]99999;"; // a number that nobody uses: ended by BEL as well
    return this.#state === STATE.string ? "\x1b_" : "";
  }

  /** How many of these bytes are up to the last place at which the whole stream may be cut; -1 when there is none in them. */
  push(bytes: Uint8Array): number {
    let cut = -1;
    const { length } = bytes;
    for (let at = 0; at < length; at++) {
      const byte = bytes[at]!;
      if (byte >= 0x80) this.#stepHigh(byte);
      else {
        this.#utf8Left = 0;
        if (this.#state === STATE.ground && byte !== ESC) {
          // Most of it is plain text.
          while (at + 1 < length && bytes[at + 1]! < 0x80 && bytes[at + 1] !== ESC) at++;
          cut = at + 1;
          continue;
        }
        this.#step(byte);
      }
      if (this.#state === STATE.ground && this.#utf8Left === 0) cut = at + 1;
    }
    return cut;
  }

  #step(byte: number): void {
    if (byte === ESC) {
      this.#state = STATE.escape; // in a string too: "\" makes it its end, anything else a sequence of its own
      return;
    }
    if (byte === CAN || byte === SUB) {
      this.#state = STATE.ground;
      return;
    }
    switch (this.#state) {
      case STATE.escape:
        this.#stepEscape(byte);
        return;
      case STATE.escapeIntermediate:
        if (byte >= 0x30 && byte < 0x7f) this.#state = STATE.ground;
        return;
      case STATE.sequence:
        if (byte >= 0x40 && byte < 0x7f) this.#state = STATE.ground;
        return;
      case STATE.osc:
        if (byte === BEL) this.#state = STATE.ground;
        return;
      default:
        return;
    }
  }

  #stepEscape(byte: number): void {
    if (byte < 0x20 || byte === 0x7f) return; // obeyed on the way
    if (byte < 0x30) this.#state = STATE.escapeIntermediate;
    else this.#begin(byte);
  }

  /** Behind an escape, or as a C1 control, which is 0x40 more. */
  #begin(byte: number): void {
    if (byte === 0x5b) this.#state = STATE.sequence;
    else if (byte === 0x5d) this.#state = STATE.osc;
    else if (byte === 0x50 || byte === 0x58 || byte === 0x5e || byte === 0x5f) this.#state = STATE.string;
    else this.#state = STATE.ground;
  }

  #stepHigh(byte: number): void {
    if (byte >= 0xc0) {
      this.#utf8Left = byte >= 0xf8 ? 0 : byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
      this.#isC1 = byte === C1_LEAD;
    } else if (this.#utf8Left > 0) {
      this.#utf8Left -= 1;
      if (this.#isC1 && byte < 0xa0) this.#begin(byte - 0x40);
      this.#isC1 = false;
    }
  }
}
