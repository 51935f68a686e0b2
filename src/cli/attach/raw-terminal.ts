import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeSync } from "node:fs";
import type { ReadStream, WriteStream } from "node:tty";
import { ScreenState } from "./screen-state.ts";

/**
 * The user's terminal while a session is shown in it. The session's output goes to its usual screen, below what was there, so that it can be
 * scrolled back to afterwards. Whatever the program has set is undone on every way out: `close`, an exit, an exception.
 */
export interface TerminalStreams {
  stdin: ReadStream;
  stdout: WriteStream;
}

export interface RawTerminalEvents {
  onInput(bytes: Uint8Array): void;
  onResize(size: { cols: number; rows: number }): void;
  /** It takes more after `write` answered false. */
  onDrain(): void;
  /** Nobody is there any more. */
  onGone(): void;
}

/** One resize at most in this time: dragging a window's edge makes dozens. */
const RESIZE_DEBOUNCE_MS = 30;
const SIZE_DEFAULT = { cols: 80, rows: 24 };
const STDIN_FD = 0;
const STDOUT_FD = 1;

/** XTWINOPS (xterm's ctlseqs). */
const PUSH_TITLE = "\x1b[22;2t";
const POP_TITLE = "\x1b[23;2t";
/** Kitty's keyboard protocol: takes back what programs have pushed. Each screen has a stack of its own. */
const POP_KEYBOARD = "\x1b[<99u";

const PRIVATE_MODES_OFF = [
  "1", // cursor keys as applications want them
  "5", // reverse video
  "69", // left and right margins
  ...["9", "1000", "1001", "1002", "1003", "1004", "1005", "1006", "1015", "1016"], // mouse and focus
  "2004", // bracketed paste
  "2031", // reports of the colour scheme
  "2048", // reports of the size
];

const RESET = [
  "\x1b\\\x1b[0m", // ends a string that was cut, and all attributes
  "\x1b[?2026l", // shows what was held back
  "\x1b7\x1b[r\x1b8", // the whole screen scrolls; setting that moves the cursor
  `\x1b[?${PRIVATE_MODES_OFF.join(";")}l`,
  "\x1b[4l\x1b[20l", // insert mode, new-line mode
  "\x1b>", // keypad
  `${POP_KEYBOARD}\x1b[>4m`, // keyboard protocols of kitty and xterm
  "\x1b(B\x0f", // character set
  "\x1b]8;;\x1b\\", // hyperlink
  "\x1b[0 q\x1b[?7h\x1b[?25h", // cursor's shape; wrapping; cursor shown
].join("");

export class RawTerminal {
  readonly #streams: TerminalStreams;
  readonly #events: RawTerminalEvents;
  readonly #screen = new ScreenState();
  #resizeTimer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #isPainted = false;
  #hasOwnTitle = false;

  constructor(streams: TerminalStreams, events: RawTerminalEvents) {
    this.#streams = streams;
    this.#events = events;
  }

  get size(): { cols: number; rows: number } {
    const { columns, rows } = this.#streams.stdout;
    return columns > 0 && rows > 0 ? { cols: columns, rows } : SIZE_DEFAULT;
  }

  /** Raw input from here on; nothing is written yet. */
  async open(): Promise<void> {
    const { stdin, stdout } = this.#streams;
    this.#isOpen = true;
    process.on("exit", this.#restoreNow); // first, so that whatever fails from here on is undone
    stdin.on("data", this.#onData).on("end", this.#onGone).on("close", this.#onGone).on("error", this.#onGone);
    stdout.on("error", this.#onGone);
    stdout.on("resize", this.#onResize).on("drain", this.#onDrain);
    stdin.resume();
    await this.#setRaw();
  }

  /** Back after the process was stopped: its shell has set the terminal to its own liking. */
  async reopen(): Promise<void> {
    if (!this.#isOpen) return;
    this.#streams.stdin.setRawMode(false); // the runtime does nothing when it believes to be raw
    await this.#setRaw();
  }

  /** Output of the session. False when the terminal is behind. */
  write(bytes: Uint8Array): boolean {
    if (!this.#isOpen) return true;
    this.#begin();
    this.#screen.follow(bytes);
    return this.#streams.stdout.write(bytes);
  }

  ring(): void {
    // In the midst of a sequence it would end it.
    if (this.#isOpen && this.#screen.isBetween) this.#streams.stdout.write("\x07");
  }

  /** Shown instead of the title until `clearTitle`. */
  setTitle(title: string): void {
    if (!this.#isPainted || this.#hasOwnTitle || !this.#screen.isBetween) return;
    this.#hasOwnTitle = true;
    this.#streams.stdout.write(`${PUSH_TITLE}\x1b]2;${title}\x1b\\`);
  }

  /** `title`: what the session's is, for terminals that keep none. */
  clearTitle(title: string | undefined): void {
    if (!this.#hasOwnTitle) return;
    this.#hasOwnTitle = false;
    this.#streams.stdout.write(`${POP_TITLE}${title === undefined ? "" : `\x1b]2;${plainText(title)}\x1b\\`}`);
  }

  close(): void {
    if (!this.#isOpen) return;
    const { stdin, stdout } = this.#streams;
    clearTimeout(this.#resizeTimer);
    stdin.off("data", this.#onData).off("end", this.#onGone).off("close", this.#onGone).off("error", this.#onGone);
    stdout.off("resize", this.#onResize).off("drain", this.#onDrain);
    stdin.pause();
    // What is written on the way out fails too when the terminal is gone; the error is told after the write.
    stdout.write(this.#leaving(), () => setImmediate(() => stdout.off("error", this.#onGone)));
    setCooked(stdin);
    process.off("exit", this.#restoreNow);
    this.#isOpen = false;
  }

  /** What stands there moves up into the scrollback, so that the session's screen begins at the top without erasing anything. */
  #begin(): void {
    if (this.#isPainted) return;
    this.#isPainted = true;
    this.#streams.stdout.write(`${PUSH_TITLE}${"\n".repeat(this.size.rows)}\x1b[H`);
  }

  /** Ends on an empty line below the cursor; what a program has left below it goes. */
  #leaving(): string {
    if (!this.#isPainted) return "";
    const { alternateMode, isAtLineStart } = this.#screen;
    const mainScreen = alternateMode === undefined ? "" : `\x1b\\${POP_KEYBOARD}\x1b[?${alternateMode}l`;
    const title = POP_TITLE.repeat(this.#hasOwnTitle ? 2 : 1);
    return `${mainScreen}${RESET}${alternateMode === undefined && isAtLineStart ? "\r" : "\r\n"}\x1b[J${title}`;
  }

  /**
   * The runtime's raw mode leaves the terminal's output processing on, which makes CR LF of a bare LF; programs in a session move down by one.
   * `stty` takes it off; the runtime restores everything as it was.
   */
  async #setRaw(): Promise<void> {
    const { stdin } = this.#streams;
    stdin.setRawMode(true);
    const stty = spawn("stty", ["-opost"], { stdio: [descriptorOf(stdin, STDIN_FD), "ignore", "ignore"] });
    await once(stty, "close").catch(() => {}); // without it some programs draw staircases
  }

  readonly #onData = (bytes: Buffer): void => this.#events.onInput(bytes);
  readonly #onGone = (): void => this.#events.onGone();
  readonly #onDrain = (): void => this.#events.onDrain();

  readonly #onResize = (): void => {
    this.#resizeTimer ??= setTimeout(() => {
      this.#resizeTimer = undefined;
      this.#events.onResize(this.size);
    }, RESIZE_DEBOUNCE_MS);
  };

  /** On the last way out, synchronously. */
  readonly #restoreNow = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      writeSync(descriptorOf(this.#streams.stdout, STDOUT_FD), this.#leaving());
    } catch {
      // The terminal is gone; there is nothing to restore.
    }
    setCooked(this.#streams.stdin);
  };
}

const descriptorOf = (stream: object, usual: number): number => (stream as { fd?: number }).fd ?? usual;

function setCooked(stdin: ReadStream): void {
  try {
    stdin.setRawMode(false);
  } catch {
    // The terminal is gone.
  }
}

/** A title as it may stand in a sequence of ours. */
const plainText = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f]/g, "");
