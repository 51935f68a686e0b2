import { writeSync } from "node:fs";
import type { ReadStream, WriteStream } from "node:tty";
import type { InputAction } from "./input.ts";
import { InputDecoder } from "./input.ts";

/**
 * The user's terminal: its own screen, raw input, mouse and paste while it is open, and all of it taken back on every way out: `close`, an exit, an
 * exception.
 */

/** Alternate screen, cursor off, no wrapping at the edge; buttons with motion while pressed in SGR coordinates; bracketed paste (xterm's ctlseqs). */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?1002h\x1b[?1006h\x1b[?2004h";
const LEAVE = "\x1b[0m\x1b[?2004l\x1b[?1006l\x1b[?1002l\x1b[?7h\x1b[?1049l\x1b[?25h";
const STDOUT_FD = 1;
/** How long an escape may be the beginning of a sequence. */
const ESCAPE_WAIT_MS = 30;

export interface TerminalStreams {
  stdin: ReadStream;
  stdout: WriteStream;
}

export class Terminal {
  readonly #streams: TerminalStreams;
  readonly #onInput: (action: InputAction) => void;
  readonly #onGone: () => void;
  readonly #decoder = new InputDecoder();
  #escapeTimer: NodeJS.Timeout | undefined;
  #isOpen = false;

  /** `onGone`: the terminal was closed; nothing can be read from it or written to it any more. */
  constructor(streams: TerminalStreams, onInput: (action: InputAction) => void, onGone: () => void) {
    this.#streams = streams;
    this.#onInput = onInput;
    this.#onGone = onGone;
  }

  open(): void {
    const { stdin, stdout } = this.#streams;
    this.#isOpen = true;
    // First, so that whatever fails from here on is undone.
    process.on("exit", this.#restoreNow);
    stdin.setRawMode(true);
    stdin.on("data", this.#onData).on("end", this.#onGone).on("error", this.#onGone);
    // Stays on: what is written on the way out fails too when the terminal is gone.
    stdout.off("error", this.#onGone).on("error", this.#onGone);
    stdin.resume();
    stdout.write(ENTER);
  }

  write(text: string): void {
    if (this.#isOpen) this.#streams.stdout.write(text);
  }

  /** OSC 52 (xterm's ctlseqs): the terminal puts it into the user's clipboard, if it is allowed to. */
  copy(text: string): void {
    this.write(`\x1b]52;c;${Buffer.from(text).toString("base64")}\x07`);
  }

  close(): void {
    if (!this.#isOpen) return;
    const { stdin, stdout } = this.#streams;
    clearTimeout(this.#escapeTimer);
    stdin.off("data", this.#onData).off("end", this.#onGone).off("error", this.#onGone);
    stdin.pause();
    stdin.setRawMode(false);
    stdout.write(LEAVE);
    process.off("exit", this.#restoreNow);
    this.#isOpen = false;
  }

  readonly #onData = (chunk: Buffer): void => {
    clearTimeout(this.#escapeTimer);
    for (const action of this.#decoder.push(chunk)) this.#onInput(action);
    if (!this.#decoder.isHolding) return;
    this.#escapeTimer = setTimeout(() => {
      for (const action of this.#decoder.flush()) this.#onInput(action);
    }, ESCAPE_WAIT_MS);
  };

  /**
   * On the last way out, synchronously. The runtime prints an uncaught error after the `exit` event, so it is seen on the usual screen.
   */
  readonly #restoreNow = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      this.#streams.stdin.setRawMode(false);
      writeSync((this.#streams.stdout as WriteStream & { fd?: number }).fd ?? STDOUT_FD, LEAVE);
    } catch {
      // The terminal is gone; there is nothing to restore.
    }
  };
}
