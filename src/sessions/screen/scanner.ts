/**
 * Finds where a stream of terminal bytes may be cut: between two characters or sequences (ECMA-48, UTF-8), never within one. An emulator that was fed up
 * to such a place is in a state that a picture can show; what comes after it continues any terminal that shows the picture.
 */
const STATE = { ground: 0, escape: 1, sequence: 2, text: 3, textEscape: 4 } as const;

const ESC = 0x1b;
const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;

export class CutScanner {
  #state: number = STATE.ground;
  /** Continuation bytes of a UTF-8 character that are still to come. */
  #utf8Left = 0;

  /** How many of these bytes are up to the last place at which the whole stream may be cut; -1 when there is none in them. */
  push(bytes: Uint8Array): number {
    let cut = -1;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (this.#state === STATE.ground && this.#utf8Left === 0 && byte >= 0x20 && byte < 0x7f) {
        // Most of it is plain text.
        while (at + 1 < bytes.length && bytes[at + 1]! >= 0x20 && bytes[at + 1]! < 0x7f) at++;
        cut = at + 1;
        continue;
      }
      this.#step(byte);
      if (this.#state === STATE.ground && this.#utf8Left === 0) cut = at + 1;
    }
    return cut;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case STATE.ground:
        if (byte === ESC) {
          this.#utf8Left = 0;
          this.#state = STATE.escape;
        } else this.#utf8(byte);
        return;
      case STATE.escape:
        if (byte === 0x5b) this.#state = STATE.sequence;
        else if (byte === 0x5d || byte === 0x50 || byte === 0x58 || byte === 0x5e || byte === 0x5f)
          this.#state = STATE.text;
        else if (byte >= 0x20 && byte <= 0x2f)
          return; // intermediate: the final byte follows
        else if (byte !== ESC) this.#state = STATE.ground;
        return;
      case STATE.sequence:
        if (byte === ESC) this.#state = STATE.escape;
        else if (byte === CAN || byte === SUB || (byte >= 0x40 && byte <= 0x7e)) this.#state = STATE.ground;
        return;
      case STATE.text:
        if (byte === ESC) this.#state = STATE.textEscape;
        else if (byte === BEL || byte === CAN || byte === SUB) this.#state = STATE.ground;
        return;
      default:
        // ESC ends the text; "\" is the rest of the end, anything else a sequence of its own.
        this.#state = byte === 0x5c ? STATE.ground : STATE.escape;
        if (byte !== 0x5c) this.#step(byte);
    }
  }

  #utf8(byte: number): void {
    if (byte < 0x80) this.#utf8Left = 0;
    else if (byte < 0xc0) this.#utf8Left = Math.max(0, this.#utf8Left - 1);
    else this.#utf8Left = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
  }
}
