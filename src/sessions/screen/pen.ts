import { isProtected, LINK_END, linkOf, openLink, PLAIN, protection, sgrOf } from "./attributes.ts";
import { BG, type CellAttributes, type Core, written } from "./xterm-core.ts";

/** Writes bytes for a terminal, and remembers with which attributes it writes, so that only changes are said. */
export class Pen {
  readonly #core: Core;
  readonly #parts: string[] = [];
  #fg = 0;
  #bg = 0;
  #ext = 0;
  #link = 0;

  /** The terminal's attributes are the plain ones. */
  constructor(core: Core) {
    this.#core = core;
  }

  write(text: string): void {
    if (text !== "") this.#parts.push(text);
  }

  /** The characters of a cell. */
  print(chars: string): void {
    this.#parts.push(written(this.#core, chars));
  }

  /** Rows and columns from 0. */
  moveTo(row: number, column: number): void {
    this.#parts.push(`\x1b[${row + 1};${column + 1}H`);
  }

  use(attributes: CellAttributes): void {
    const { fg, bg, extended } = attributes;
    const ext = bg & BG.hasExtended ? extended._ext : 0;
    const link = linkOf(attributes);
    if (fg !== this.#fg || bg !== this.#bg || ext !== this.#ext) {
      this.#parts.push(sgrOf(attributes));
      // The emulator forgets the protection with SGR 0, terminals do not: said anew in both ways.
      if (isProtected(attributes) || isProtected({ fg: 0, bg: this.#bg, extended }))
        this.#parts.push(protection(isProtected(attributes)));
    }
    if (link !== this.#link) this.#parts.push(openLink(this.#core, link));
    [this.#fg, this.#bg, this.#ext, this.#link] = [fg, bg, ext, link];
  }

  usePlain(): void {
    if (this.#link !== 0) this.#parts.push(LINK_END);
    if (this.#bg & BG.protected) this.#parts.push(protection(false));
    if (this.#fg !== 0 || this.#bg !== 0) this.#parts.push(PLAIN);
    [this.#fg, this.#bg, this.#ext, this.#link] = [0, 0, 0, 0];
  }

  text(): string {
    return this.#parts.join("");
  }
}
