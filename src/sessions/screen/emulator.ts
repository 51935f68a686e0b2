import serialize from "@xterm/addon-serialize";
import unicode from "@xterm/addon-unicode11";
import xterm, { type IBufferCell, type Terminal } from "@xterm/headless";
import { TerminalModes } from "./modes.ts";
import { CutScanner } from "./scanner.ts";

/**
 * A terminal's screen without a terminal: fed with what a program writes, it knows what a user would see. Scrolled-off lines are not kept: they are in the
 * journal.
 */
export interface ScreenEvents {
  onTitle(title: string): void;
  onBell(): void;
  /** OSC 9 and OSC 777;notify. */
  onNotification(text: string): void;
  /** OSC 133. */
  onMark(letter: string): void;
}

/** A sequence that does not end is fed all the same once it is this long. */
const HELD_BYTES_MAX = 64 * 1024;

/** Undoes what another program may have set: without RIS, which would take the user's scrollback away. */
const CLEAN =
  "\x1b[?1049l\x1b[!p\x1b[?1;3;5;6;9;66;1000;1002;1003;1004;1005;1006;1015;1016;2004l\x1b[?7h\x1b[<99u\x1b>\x1b(B\x1b)B\x0f\x1b[0 q\x1b[r\x1b[m\x1b[?25l\x1b[H\x1b[2J";

export class Emulator {
  readonly #terminal: Terminal;
  readonly #serializer: InstanceType<typeof serialize.SerializeAddon>;
  readonly #modes: TerminalModes;
  readonly #scanner = new CutScanner();
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #title = "";

  constructor({ cols, rows }: { cols: number; rows: number }, events: ScreenEvents) {
    this.#terminal = new xterm.Terminal({ cols, rows, scrollback: 0, allowProposedApi: true });
    this.#serializer = new serialize.SerializeAddon();
    // Made for the browser's terminal, of which both use what the headless one has as well.
    this.#terminal.loadAddon(this.#serializer as never);
    this.#terminal.loadAddon(new unicode.Unicode11Addon() as never);
    this.#terminal.unicode.activeVersion = "11";
    this.#modes = new TerminalModes(this.#terminal);
    this.#terminal.onTitleChange((title) => {
      this.#title = title;
      events.onTitle(title);
    });
    this.#terminal.onBell(() => events.onBell());
    const { parser } = this.#terminal;
    parser.registerOscHandler(9, (text) => {
      if (!/^4;/.test(text)) events.onNotification(text); // 9;4 is a progress bar
      return true;
    });
    parser.registerOscHandler(777, (text) => {
      const [kind, title = "", body = ""] = text.split(";");
      if (kind === "notify") events.onNotification(body || title);
      return true;
    });
    parser.registerOscHandler(133, (text) => {
      events.onMark(text[0] ?? "");
      return true;
    });
  }

  get title(): string {
    return this.#title;
  }

  /** Resolves when it has taken these bytes. What is no whole character or sequence yet is held. */
  async write(bytes: Uint8Array): Promise<void> {
    const cut = this.#scanner.push(bytes);
    const isForced = cut <= 0 && this.#heldBytes + bytes.length > HELD_BYTES_MAX;
    const end = isForced ? bytes.length : Math.max(0, cut);
    if (end > 0) {
      const whole = [...this.#held, bytes.subarray(0, end)];
      this.#held = [];
      this.#heldBytes = 0;
      await this.#feed(whole.length === 1 ? whole[0]! : Buffer.concat(whole));
    }
    if (end < bytes.length) {
      this.#held.push(new Uint8Array(bytes.subarray(end)));
      this.#heldBytes += bytes.length - end;
    }
  }

  resize(cols: number, rows: number): void {
    this.#terminal.resize(cols, rows);
  }

  /** Bytes that make any terminal of this size show what is shown here, with everything that the program has set, and go on from there. */
  screen(): Buffer {
    const { buffer, modes } = this.#terminal;
    const { cursorX, cursorY } = buffer.active;
    const content = this.#serializer.serialize({ scrollback: 0, excludeModes: true });
    const place = `\x1b[${cursorY + 1};${Math.min(cursorX, this.#terminal.cols - 1) + 1}H`;
    const set = [
      modes.applicationCursorKeysMode ? "\x1b[?1h" : "",
      modes.applicationKeypadMode ? "\x1b=" : "",
      modes.bracketedPasteMode ? "\x1b[?2004h" : "",
      modes.insertMode ? "\x1b[4h" : "",
      modes.sendFocusMode ? "\x1b[?1004h" : "",
      modes.wraparoundMode ? "" : "\x1b[?7l",
      modes.reverseWraparoundMode ? "\x1b[?45h" : "",
      MOUSE[modes.mouseTrackingMode] ?? "",
    ].join("");
    const title = this.#title ? `\x1b]2;${this.#title}\x1b\\` : "";
    const parts = [
      CLEAN,
      content,
      set,
      this.#modes.toBytes(),
      place,
      this.#pendingWrap(),
      this.#modes.isCursorHidden ? "" : "\x1b[?25h",
      title,
    ];
    return Buffer.concat([Buffer.from(parts.join("")), ...this.#held]);
  }

  /** A picture of the screen for a terminal of another size: the part around the cursor, without anything that the program has set. */
  render(cols: number, rows: number): Buffer {
    const { active } = this.#terminal.buffer;
    const top = Math.max(0, Math.min(active.cursorY - rows + 1, this.#terminal.rows - rows));
    const left = Math.max(0, Math.min(active.cursorX - cols + 1, this.#terminal.cols - cols));
    const lines: string[] = [];
    for (let row = 0; row < Math.min(rows, this.#terminal.rows); row++) {
      lines.push(`\x1b[${row + 1};1H${this.#paintLine(active.baseY + top + row, left, cols)}\x1b[m\x1b[K`);
    }
    const cursor = this.#modes.isCursorHidden
      ? ""
      : `\x1b[${active.cursorY - top + 1};${Math.min(active.cursorX - left, cols - 1) + 1}H\x1b[?25h`;
    return Buffer.from(`${CLEAN}\x1b[?7l${lines.join("")}\x1b[J\x1b[?7h${cursor}`);
  }

  /** The lines without attributes, and where the cursor is (from 0). */
  text(): { lines: string[]; cursor: { x: number; y: number } } {
    const { active } = this.#terminal.buffer;
    const lines: string[] = [];
    for (let row = 0; row < this.#terminal.rows; row++)
      lines.push(active.getLine(active.baseY + row)?.translateToString(true) ?? "");
    return { lines, cursor: { x: active.cursorX, y: active.cursorY } };
  }

  dispose(): void {
    this.#terminal.dispose();
  }

  #feed(bytes: Uint8Array): Promise<void> {
    return new Promise((taken) => this.#terminal.write(bytes, taken));
  }

  /** The cursor waits behind the last column: the next character wraps. Only writing that column again brings it there. */
  #pendingWrap(): string {
    const { cols, buffer } = this.#terminal;
    const { active } = buffer;
    if (active.cursorX < cols) return "";
    const line = active.getLine(active.baseY + active.cursorY);
    const last = line?.getCell(cols - 1);
    if (!last) return "";
    const column = last.getWidth() === 0 ? cols - 2 : cols - 1;
    const cell = line?.getCell(column);
    const current = attributesOf(this.#currentCell());
    return `\x1b[${active.cursorY + 1};${column + 1}H${attributesOf(cell)}${cell?.getChars() || " "}${current}`;
  }

  /** The attributes with which the next character would be written; the library has no name for them. */
  #currentCell(): IBufferCell | undefined {
    return (this.#terminal as unknown as { _core?: { _inputHandler?: { _curAttrData?: IBufferCell } } })._core
      ?._inputHandler?._curAttrData;
  }

  #paintLine(row: number, left: number, cols: number): string {
    const line = this.#terminal.buffer.active.getLine(row);
    if (!line) return "";
    let text = "";
    let attributes = "";
    for (let column = left; column < Math.min(line.length, left + cols); column++) {
      const cell = line.getCell(column);
      if (!cell || cell.getWidth() === 0) continue;
      if (cell.getWidth() === 2 && column + 1 >= left + cols) break;
      const own = attributesOf(cell);
      if (own !== attributes) text += own;
      attributes = own;
      text += cell.getChars() || " ";
    }
    return text.trimEnd() === text || attributes !== "\x1b[0m" ? text : text.trimEnd();
  }
}

const MOUSE: Partial<Record<string, string>> = {
  x10: "\x1b[?9h",
  vt200: "\x1b[?1000h",
  drag: "\x1b[?1002h",
  any: "\x1b[?1003h",
};

/** Select Graphic Rendition for a cell (ECMA-48 8.3.117; xterm's 38;5 and 38;2). */
function attributesOf(cell: IBufferCell | undefined): string {
  if (!cell) return "\x1b[0m";
  const codes = ["0"];
  if (cell.isBold()) codes.push("1");
  if (cell.isDim()) codes.push("2");
  if (cell.isItalic()) codes.push("3");
  if (cell.isUnderline()) codes.push("4");
  if (cell.isBlink()) codes.push("5");
  if (cell.isInverse()) codes.push("7");
  if (cell.isInvisible()) codes.push("8");
  if (cell.isStrikethrough()) codes.push("9");
  if (cell.isOverline()) codes.push("53");
  codes.push(...colour(38, cell.isFgRGB(), cell.isFgPalette(), cell.getFgColor()));
  codes.push(...colour(48, cell.isBgRGB(), cell.isBgPalette(), cell.getBgColor()));
  return `\x1b[${codes.join(";")}m`;
}

function colour(kind: 38 | 48, isRgb: boolean | number, isPalette: boolean | number, value: number): string[] {
  if (isRgb) return [`${kind};2;${(value >> 16) & 255};${(value >> 8) & 255};${value & 255}`];
  return isPalette ? [`${kind};5;${value}`] : [];
}
