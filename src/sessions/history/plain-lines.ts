/**
 * What a terminal showed, as lines of text: for `logs`, `history` and searches. Control sequences go, a carriage return writes over the line, backspace
 * moves back, what was drawn on the alternate screen (an editor, a pager) is left out. It is no emulator: what moves the cursor about stays where it
 * was written. Works on pieces of any size; a sequence or character that is cut in two is held until its rest comes.
 */

/** A line without an end is cut here. */
const LINE_CHARACTERS_MAX = 64 * 1024;
/** A sequence that does not end is text after all. */
const SEQUENCE_CHARACTERS_MAX = 4 * 1024;

const ESC = "\x1b";
/** CSI, then OSC, DCS, SOS, PM and APC up to BEL or ST, then two-character and charset sequences (ECMA-48). */
const SEQUENCE = /^\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]+[0-~]|[0-OQ-WYZ\\`-~])/;
const ALTERNATE_SCREEN = /^\x1b\[\?(?:47|1047|1049)([hl])$/;
const ERASE_LINE = /^\x1b\[[0-2]?K$/;

export class PlainLines {
  readonly #decoder = new TextDecoder();
  #held = "";
  #line: string[] = [];
  #column = 0;
  #isAlternate = false;
  #lineCount = 0;
  #drawnLineCount = 0;

  /** So many lines came before the end of a full-screen program whose beginning was not there: it drew them. */
  get drawnLineCount(): number {
    return this.#drawnLineCount;
  }

  /** The lines that these bytes have ended. */
  push(bytes: Uint8Array): string[] {
    return this.#read(this.#held + this.#decoder.decode(bytes, { stream: true }));
  }

  /** The last line, if it has no end yet. */
  rest(): string[] {
    return this.#line.length > 0 ? [this.#line.join("").trimEnd()] : [];
  }

  #read(text: string): string[] {
    const lines: string[] = [];
    this.#held = "";
    for (let at = 0; at < text.length; ) {
      const character = text[at]!;
      if (character === ESC) {
        const sequence = SEQUENCE.exec(text.slice(at, at + SEQUENCE_CHARACTERS_MAX))?.[0];
        if (sequence === undefined && text.length - at < SEQUENCE_CHARACTERS_MAX) {
          this.#held = text.slice(at);
          return lines;
        }
        if (sequence !== undefined) this.#obey(sequence);
        at += sequence?.length ?? 1;
        continue;
      }
      const codePoint = text.codePointAt(at)!;
      const whole = String.fromCodePoint(codePoint);
      at += whole.length;
      if (!this.#isAlternate) this.#put(whole, codePoint, lines);
    }
    return lines;
  }

  #put(character: string, codePoint: number, lines: string[]): void {
    if (character === "\n" || this.#line.length >= LINE_CHARACTERS_MAX) {
      lines.push(this.#line.join("").trimEnd());
      this.#lineCount += 1;
      this.#line = [];
      this.#column = 0;
      if (character === "\n") return;
    }
    if (character === "\r") this.#column = 0;
    else if (character === "\b") this.#column = Math.max(0, this.#column - 1);
    else if (character === "\t") this.#write("\t");
    else if (codePoint >= 0x20 && codePoint !== 0x7f) this.#write(character);
  }

  #write(character: string): void {
    this.#line[this.#column] = character;
    this.#column += 1;
  }

  #obey(sequence: string): void {
    const screen = ALTERNATE_SCREEN.exec(sequence);
    if (screen) {
      if (screen[1] === "l" && !this.#isAlternate) this.#drawnLineCount = this.#lineCount + 1;
      this.#isAlternate = screen[1] === "h";
    } else if (ERASE_LINE.test(sequence) && !this.#isAlternate)
      this.#line.length = Math.min(this.#line.length, this.#column);
  }
}
