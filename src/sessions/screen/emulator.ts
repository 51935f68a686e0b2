import xterm, { type Terminal } from "@xterm/headless";
import { keepCombinedCells } from "./combined-cells.ts";
import { Links } from "./links.ts";
import { TerminalModes } from "./modes.ts";
import { paintPicture } from "./paint-picture.ts";
import { paintScreen, type ScreenState } from "./paint-screen.ts";
import { CutScanner } from "./scanner.ts";
import type { ScreenText } from "./screen-messages.ts";
import { styledLine } from "./styled-line.ts";
import { useWidths } from "./widths.ts";
import { type Cell, type Core, coreOf } from "./xterm-core.ts";

/**
 * A terminal's screen without a terminal: fed with what a program writes, it knows what a user would see. Scrolled-off lines are not kept: they are in the
 * journal. Everything is synchronous: 256 kB take about 3 ms.
 */
export interface EmulatorEvents {
  onTitle(title: string): void;
  onBell(): void;
  /** OSC 9 and OSC 777;notify. */
  onNotification(text: string): void;
  /** What the terminal answers to a question: DA, DSR, DECRQM, DECRQSS. Latin-1. */
  onReply(text: string): void;
  /** OSC 133: A prompt, B and C command, D its end, with its exit status. */
  onMark(letter: string, status: number | undefined): void;
}

/** A sequence that does not end is fed all the same once it is this long. */
const HELD_BYTES_MAX = 64 * 1024;
/** Longer titles and notifications are cut. */
const TEXT_CHARACTERS_MAX = 1024;
const INTERRUPT = Buffer.from("\x18\x1b\\");
/** Undoes what a program that ended without cleaning up has left behind, without moving the cursor: on the screen that it was on, and on the other one. */
const NEXT_PROGRAM = {
  before: Buffer.from("\x1b]8;;\x1b\\\x1b[<99u"),
  /** Moves the cursor to where it was saved, also where there is nothing to leave. */
  leaveAlternate: Buffer.from("\x1b[?1049l\x1b[<99u"),
  after: Buffer.from("\x1b[!p\x1b[>m\x1b[?5;9;45;1000;1002;1003;1004;1005;1006;1015;1016;2004;2026l\x1b[?7h\x1b[20l"),
};

export class Emulator {
  readonly #terminal: Terminal;
  readonly #core: Core;
  readonly #modes: TerminalModes;
  readonly #cell: Cell;
  readonly #events: EmulatorEvents;
  #scanner = new CutScanner();
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #title = "";
  #size: { cols: number; rows: number };
  #isMuted = false;

  constructor(size: { cols: number; rows: number }, events: EmulatorEvents) {
    this.#size = size;
    this.#events = events;
    this.#terminal = new xterm.Terminal({
      ...size,
      scrollback: 0,
      allowProposedApi: true,
      logLevel: "off",
      windowOptions: { pushTitle: true, popTitle: true, getWinSizeChars: true },
    });
    useWidths(this.#terminal);
    this.#core = coreOf(this.#terminal);
    new Links(this.#core);
    keepCombinedCells(this.#core);
    this.#modes = new TerminalModes(this.#terminal);
    this.#cell = this.#terminal.buffer.active.getNullCell() as Cell;
    this.#listen();
  }

  get title(): string {
    return this.#title;
  }

  get size(): { cols: number; rows: number } {
    return this.#size;
  }

  /** What is no whole character or sequence yet is held. The bytes are not kept. */
  write(bytes: Uint8Array): void {
    const cut = this.#scanner.push(bytes);
    const isForced = cut <= 0 && this.#heldBytes + bytes.length > HELD_BYTES_MAX;
    const end = isForced ? bytes.length : Math.max(0, cut);
    if (end > 0) {
      for (const held of this.#held) this.#core.writeSync(held);
      this.#held = [];
      this.#heldBytes = 0;
      this.#core.writeSync(bytes.subarray(0, end));
    }
    if (end < bytes.length) {
      this.#held.push(new Uint8Array(bytes.subarray(end))); // a Buffer's `slice` copies nothing
      this.#heldBytes += bytes.length - end;
    }
  }

  /** Takes over a state that another one has painted. Nothing of it is an event. */
  restore(screen: Uint8Array): void {
    this.#isMuted = true;
    try {
      this.write(screen);
    } finally {
      this.#isMuted = false;
    }
  }

  resize(cols: number, rows: number): void {
    const { cols: colsBefore, rows: rowsBefore } = this.#size;
    this.#size = { cols, rows };
    // Broken anew, the lines may be more than the screen has: without room for them, the emulator would lose the last ones.
    this.#terminal.options.scrollback = (rowsBefore + rows) * Math.ceil(colsBefore / cols);
    this.#terminal.resize(cols, rows);
    this.#terminal.options.scrollback = 0;
    this.#shortenAlternate();
    this.#core._inputHandler._parser.precedingJoinState = 0; // another character may stand before the cursor now
    this.#eraseHalves();
  }

  /** Output is missing here: what was begun does not end. */
  interrupt(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#scanner = new CutScanner();
    this.#core.writeSync(INTERRUPT);
  }

  /** Another program goes on in this terminal: its screen stays, its modes do not. */
  startProgram(): void {
    this.interrupt();
    this.#core.writeSync(NEXT_PROGRAM.before);
    if (this.#modes.isAlternate) this.#core.writeSync(NEXT_PROGRAM.leaveAlternate);
    this.#core.writeSync(NEXT_PROGRAM.after);
    if (this.#core.buffers.active.x > 0) this.#core.writeSync(Buffer.from("\r\n"));
  }

  /**
   * Bytes that make any terminal of this size show what is shown here, with everything that the program has set, and go on from there: a sequence that
   * has begun is begun in it.
   */
  screen(): Buffer {
    this.#beginLines();
    const begun = this.#heldBytes > 0 || this.#scanner.isBetween ? "" : this.#scanner.opening;
    return Buffer.concat([Buffer.from(paintScreen(this.#state()) + begun), ...this.#held]);
  }

  /** A picture of the screen for a terminal of another size. */
  render(cols: number, rows: number): Buffer {
    return Buffer.from(paintPicture(this.#state(), { cols, rows }));
  }

  /** The lines, without attributes or with SGR sequences. */
  text({ isStyled = false } = {}): ScreenText {
    const { active } = this.#core.buffers;
    const { cols, rows } = this.#size;
    const lines = Array.from({ length: rows }, (_, row) => {
      const cells = active.lines.get(active.ybase + row);
      if (isStyled && cells) return styledLine(cells, cols, this.#cell);
      const line = cells?.translateToString(true) ?? "";
      return cols < this.#core.cols ? line.slice(0, cols) : line;
    });
    return { lines, cursor: { x: Math.min(active.x, cols), y: active.y } };
  }

  /**
   * Whether plain text (printable ASCII, CR, LF) that scrolls everything away leaves nothing of what was there before: the primary screen without
   * margins, between two sequences.
   */
  get scrollsPlainly(): boolean {
    const { active } = this.#core.buffers;
    const isWhole = active.scrollTop === 0 && active.scrollBottom === this.#core.rows - 1;
    return isWhole && !this.#modes.isAlternate && this.#heldBytes === 0 && this.#scanner.isBetween;
  }

  dispose(): void {
    this.#terminal.dispose();
  }

  /** For tests, which look at everything in it. */
  get internals(): { core: Core; modes: TerminalModes; nullCell: () => Cell } {
    const nullCell = () => this.#terminal.buffer.active.getNullCell() as Cell;
    return { core: this.#core, modes: this.#modes, nullCell };
  }

  /** While it has not been entered, the library leaves it as long as it was: lines that scroll off it would be kept. */
  #shortenAlternate(): void {
    const { lines } = this.#core.buffers.alt;
    if (lines.length === 0) lines.maxLength = this.#size.rows;
  }

  /** What was cut through at the new margin. */
  #eraseHalves(): void {
    const { normal, alt } = this.#core.buffers;
    const column = this.#core.cols - 1;
    for (const { lines } of [normal, alt])
      for (let row = 0; row < lines.length; row++) {
        const line = lines.get(row);
        // On the alternate screen, what is behind the margin would come back at the next deletion.
        if (line && line.length > column + 1) line.resize(column + 1, this.#cell);
        if (line?.loadCell(column, this.#cell).getWidth() === 2) line.setCellFromCodepoint(column, 0, 1, this.#cell);
      }
  }

  /** A line whose beginning has scrolled away begins where it is seen first. */
  #beginLines(): void {
    const { normal, alt } = this.#core.buffers;
    for (const { lines, ybase } of [normal, alt]) {
      const first = lines.get(ybase);
      if (first) first.isWrapped = false;
    }
  }

  #state(): ScreenState {
    return { core: this.#core, modes: this.#modes, title: this.#title, ...this.#size, cell: this.#cell };
  }

  #listen(): void {
    const { parser } = this.#terminal;
    this.#terminal.onTitleChange((title) => {
      const next = clipped(title);
      if (next === this.#title) return;
      this.#title = next;
      this.#tell((events) => events.onTitle(next));
    });
    this.#terminal.onData((text) => this.#tell((events) => events.onReply(text)));
    this.#terminal.onBell(() => this.#tell((events) => events.onBell()));
    parser.registerOscHandler(9, (text) => {
      if (!/^4;/.test(text)) this.#tell((events) => events.onNotification(clipped(text))); // 9;4 is a progress bar
      return true;
    });
    parser.registerOscHandler(777, (text) => {
      const [kind, title = "", ...body] = text.split(";");
      if (kind === "notify") this.#tell((events) => events.onNotification(clipped(body.join(";") || title)));
      return true;
    });
    parser.registerOscHandler(133, (text) => {
      const [letter = "", status] = text.split(";");
      this.#tell((events) =>
        events.onMark(letter.slice(0, 1), /^\d{1,3}$/.test(status ?? "") ? Number(status) : undefined),
      );
      return true;
    });
  }

  #tell(tell: (events: EmulatorEvents) => void): void {
    if (!this.#isMuted) tell(this.#events);
  }
}

const clipped = (text: string): string =>
  text.length > TEXT_CHARACTERS_MAX ? text.slice(0, TEXT_CHARACTERS_MAX) : text;
