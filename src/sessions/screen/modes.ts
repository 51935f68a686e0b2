import type { Terminal } from "@xterm/headless";

/**
 * What a program has set in its terminal that the grid does not show and the serializer does not restore. Followed by looking at the sequences as the
 * emulator meets them.
 */
const MOUSE_ENCODINGS = [1005, 1006, 1015, 1016];

export class TerminalModes {
  isCursorHidden = false;
  /** DECSCUSR; 0: the terminal's own. */
  cursorShape = 0;
  /** DECSTBM, from 1; undefined: the whole screen. */
  region: { top: number; bottom: number } | undefined;
  readonly mouseEncodings = new Set<number>();
  /** The final byte that designates each of G0 to G3; "B" is ASCII. */
  readonly charsets = ["B", "B", "B", "B"];
  /** Which of them is in use: 0, or 1 after SO. */
  shift = 0;
  /** Kitty's keyboard flags, a stack. */
  readonly kittyFlags: number[] = [];

  constructor(terminal: Terminal) {
    const { parser } = terminal;
    parser.registerCsiHandler({ prefix: "?", final: "h" }, (params) => this.#set(params, true));
    parser.registerCsiHandler({ prefix: "?", final: "l" }, (params) => this.#set(params, false));
    parser.registerCsiHandler({ intermediates: " ", final: "q" }, ([shape]) => {
      this.cursorShape = Number(shape ?? 0);
      return false;
    });
    parser.registerCsiHandler({ final: "r" }, ([top, bottom]) => {
      const from = Number(top) || 1;
      const to = Number(bottom) || terminal.rows;
      if (to > from) this.region = from === 1 && to >= terminal.rows ? undefined : { top: from, bottom: to };
      return false;
    });
    parser.registerCsiHandler({ prefix: ">", final: "u" }, ([flags]) => {
      this.kittyFlags.push(Number(flags ?? 0));
      return true;
    });
    parser.registerCsiHandler({ prefix: "<", final: "u" }, ([count]) => {
      this.kittyFlags.length = Math.max(0, this.kittyFlags.length - (Number(count) || 1));
      return true;
    });
    for (const [slot, intermediate] of ["(", ")", "*", "+"].entries()) {
      for (const final of ["0", "A", "B"])
        parser.registerEscHandler({ intermediates: intermediate, final }, () => {
          this.charsets[slot] = final;
          return false;
        });
    }
    parser.registerEscHandler({ final: "c" }, () => this.#reset());
    parser.registerCsiHandler({ intermediates: "!", final: "p" }, () => this.#reset());
    terminal.onResize(() => {
      this.region = undefined;
    });
  }

  /** Sets them on a terminal that has none of them; the cursor's place has to be set afterwards. */
  toBytes(): string {
    const parts = [
      this.region ? `\x1b[${this.region.top};${this.region.bottom}r` : "",
      ...this.charsets.map((final, slot) => (final === "B" ? "" : `\x1b${"()*+"[slot]}${final}`)),
      ...[...this.mouseEncodings].map((mode) => `\x1b[?${mode}h`),
      ...this.kittyFlags.map((flags) => `\x1b[>${flags}u`),
      this.cursorShape > 0 ? `\x1b[${this.cursorShape} q` : "",
    ];
    return parts.join("");
  }

  #set(params: (number | number[])[], isOn: boolean): boolean {
    for (const param of params) {
      if (param === 25) this.isCursorHidden = !isOn;
      else if (typeof param === "number" && MOUSE_ENCODINGS.includes(param)) {
        if (isOn) this.mouseEncodings.add(param);
        else this.mouseEncodings.delete(param);
      }
    }
    return false;
  }

  #reset(): boolean {
    this.isCursorHidden = false;
    this.cursorShape = 0;
    this.region = undefined;
    this.mouseEncodings.clear();
    this.charsets.fill("B");
    this.kittyFlags.length = 0;
    return false;
  }
}
