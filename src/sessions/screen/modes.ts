import type { Terminal } from "@xterm/headless";
import { KittyKeys } from "./kitty-keys.ts";
import { Palette } from "./palette.ts";
import { SavedCursors } from "./saved-cursors.ts";
import { type Core, coreOf } from "./xterm-core.ts";

/**
 * What a program has set in its terminal that the emulator passes over or forgets, followed by looking at the sequences as the emulator meets them. What
 * the emulator knows is read from it when a picture is made.
 */
type Params = (number | number[])[];

const MOUSE_ENCODINGS = [1005, 1006, 1015, 1016];
/**
 * Private modes that the emulator does not follow and that a terminal keeps: reverse video (5), auto-repeat (8), blinking cursor (12), backarrow key (67),
 * wheel as arrow keys (1007), what Meta does (1034 to 1039), urgency on bell (1042), grapheme clusters (2027), colour scheme and size reports (2031, 2048).
 */
const OTHER_MODES = [5, 8, 12, 67, 1007, 1034, 1035, 1036, 1039, 1042, 2027, 2031, 2048];
/** Nobody's default, so that a picture can begin without it. */
const REVERSE_VIDEO = 5;
const ALTERNATE_SCREEN = [47, 1047, 1049];
/** Finals of the character sets that the emulator knows (ISO 2022, VT220). */
const CHARSET_FINALS = "0AB4C5RQKYE6ZH7=";
const DESIGNATIONS: readonly (readonly [intermediate: string, slot: number])[] = [
  ["(", 0],
  [")", 1],
  ["*", 2],
  ["+", 3],
  ["-", 1],
  [".", 2],
];

export class TerminalModes {
  readonly palette: Palette;
  readonly saved: SavedCursors;
  /** The final byte that designates each of G0 to G3; "B" is ASCII. */
  charsets: string[] = ["B", "B", "B", "B"];
  readonly #core: Core;
  /** In the order in which they were set: terminals differ in which one wins. */
  readonly #mouseEncodings = new Set<number>();
  readonly #others = new Map<number, boolean>();
  /** XTMODKEYS: 4 is modifyOtherKeys. */
  readonly #modifiedKeys = new Map<number, number>();
  #keys = { normal: new KittyKeys(), alt: new KittyKeys() };

  constructor(terminal: Terminal) {
    const { parser } = terminal;
    const core = coreOf(terminal);
    this.#core = core;
    this.palette = new Palette(terminal);
    this.saved = new SavedCursors(core, this);
    parser.registerCsiHandler({ prefix: "?", final: "h" }, (params) => this.#setModes(params));
    parser.registerCsiHandler({ prefix: "?", final: "l" }, (params) => this.#resetModes(params));
    parser.registerCsiHandler({ prefix: ">", final: "m" }, (params) => this.#modifyKeys(params));
    parser.registerCsiHandler({ prefix: ">", final: "n" }, ([key]) => this.#modifiedKeys.delete(numberOf(key)));
    this.#followKeys(terminal);
    this.#followCharsets(terminal);
    for (const final of ["7", "8"]) parser.registerEscHandler({ final }, () => this.saved.obey(final === "7"));
    for (const final of ["s", "u"]) parser.registerCsiHandler({ final }, () => this.saved.obey(final === "s"));
    terminal.buffer.onBufferChange(() => {
      if (this.isAlternate) core.buffers.alt.tabs = core.buffers.normal.tabs; // a terminal has one set of tab stops
    });
    parser.registerEscHandler({ final: "c" }, () => this.#reset());
    parser.registerCsiHandler({ intermediates: "!", final: "p" }, () => this.#softReset());
  }

  get isAlternate(): boolean {
    return this.#core.buffers.active === this.#core.buffers.alt;
  }

  /** How keys are sent. The stack of flags of the primary screen, which the alternate one hides, is set before that one is entered. */
  keysToBytes(screen: "normal" | "alt"): string {
    return this.#keys[screen].toBytes();
  }

  modifiedKeysToBytes(): string {
    return [...this.#modifiedKeys].map(([key, value]) => `\x1b[>${key};${value}m`).join("");
  }

  /** Sets the rest on a terminal that has none of it. */
  toBytes(): string {
    return [
      ...[...this.#others].map(([mode, isOn]) => `\x1b[?${mode}${isOn ? "h" : "l"}`),
      ...[...this.#mouseEncodings].map((mode) => `\x1b[?${mode}h`),
      this.modifiedKeysToBytes(),
      this.palette.toBytes(),
    ].join("");
  }

  #setModes(params: Params): boolean {
    for (const mode of params) {
      if (mode === 1048 || mode === 1049) this.saved.save();
      else if (mode === 2) this.charsets.fill("B");
      else this.#note(mode, true);
    }
    return false;
  }

  #resetModes(params: Params): boolean {
    for (const mode of params) this.#note(mode, false);
    const leaves = this.isAlternate && params.some((mode) => ALTERNATE_SCREEN.includes(numberOf(mode)));
    const restores = params.some((mode) => mode === 1048 || mode === 1049);
    if (leaves) {
      const { normal, alt } = this.#core.buffers;
      normal.tabs = alt.tabs;
      this.saved.forget(alt); // as if it were new the next time
      this.#keys.alt = new KittyKeys();
    }
    if (!restores) return false;
    this.#core._inputHandler.resetModePrivate(paramsOf(params));
    this.saved.restored();
    return true;
  }

  #note(mode: number | number[], isOn: boolean): void {
    if (typeof mode !== "number") return;
    if (MOUSE_ENCODINGS.includes(mode)) {
      this.#mouseEncodings.delete(mode);
      if (isOn) this.#mouseEncodings.add(mode);
    } else if (mode === REVERSE_VIDEO && !isOn) this.#others.delete(mode);
    else if (OTHER_MODES.includes(mode)) this.#others.set(mode, isOn);
  }

  #modifyKeys(params: Params): boolean {
    const [key, value] = params.map(numberOf);
    if (key === undefined) this.#modifiedKeys.clear();
    else if (value === undefined) this.#modifiedKeys.delete(key);
    else if (key < 8) this.#modifiedKeys.set(key, value);
    return false;
  }

  #followKeys({ parser }: Terminal): void {
    const keys = (): KittyKeys => this.#keys[this.isAlternate ? "alt" : "normal"];
    parser.registerCsiHandler({ prefix: ">", final: "u" }, ([flags]) => {
      keys().push(numberOf(flags));
      return true;
    });
    parser.registerCsiHandler({ prefix: "<", final: "u" }, ([count]) => {
      keys().pop(numberOf(count) || 1);
      return true;
    });
    parser.registerCsiHandler({ prefix: "=", final: "u" }, ([flags, mode]) => {
      keys().set(numberOf(flags), numberOf(mode) || 1);
      return true;
    });
  }

  #followCharsets({ parser }: Terminal): void {
    for (const [intermediates, slot] of DESIGNATIONS)
      for (const final of CHARSET_FINALS)
        parser.registerEscHandler({ intermediates, final }, () => {
          this.charsets[slot] = final;
          return false;
        });
    for (const final of "@G")
      parser.registerEscHandler({ intermediates: "%", final }, () => {
        this.charsets[0] = "B";
        return false;
      });
  }

  #softReset(): boolean {
    this.charsets.fill("B");
    this.saved.forget(this.#core.buffers.active);
    return false;
  }

  #reset(): boolean {
    this.charsets.fill("B");
    this.palette.clear();
    this.#mouseEncodings.clear();
    this.#others.clear();
    this.#modifiedKeys.clear();
    this.#keys = { normal: new KittyKeys(), alt: new KittyKeys() };
    // A terminal that is reset shows its cursor and takes a line feed as one; the emulator leaves both as they are.
    this.#core.coreService.isCursorHidden = false;
    this.#core.optionsService.options.convertEol = false;
    return false;
  }
}

const numberOf = (param: number | number[] | undefined): number => (typeof param === "number" ? param : 0);

/** As the emulator's own handlers take them. */
const paramsOf = (params: Params): { params: number[]; length: number } => ({
  params: params.map(numberOf),
  length: params.length,
});
