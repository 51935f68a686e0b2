import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { MailMessage } from "../../protocol/mail-units.ts";
import { widthOf } from "../render/text-width.ts";
import { escapedLine } from "./untrusted-text.ts";

/**
 * The line in which one types, always the last one of the terminal: what is shown goes above it, whatever is typed already. It says to whom it goes, and that
 * does not change under one's fingers when somebody else writes meanwhile. Ctrl-C and Ctrl-D end the view; the terminal is then as it was.
 */
export interface Typing {
  print(lines: readonly string[]): void;
  close(): void;
}

/** To whom a line goes, and what sends it. */
export interface Addressed {
  readonly name: string;
  readonly target: MailMessage | undefined;
  /** Answers what there is to be said of it. */
  send(line: string, target: MailMessage | undefined): Promise<readonly string[]>;
}

const NAME_CHARACTERS_MAX = 32;

export class WatchPrompt implements Typing {
  readonly #answers: Addressed;
  readonly #arrow: string;
  readonly #stdout: WriteStream;
  readonly #line: Interface;
  #target: MailMessage | undefined;
  #isClosed = false;

  constructor(
    answers: Addressed,
    arrow: string,
    stdin: ReadStream = process.stdin,
    stdout: WriteStream = process.stdout,
  ) {
    this.#answers = answers;
    this.#arrow = arrow;
    this.#stdout = stdout;
    this.#line = createInterface({ input: stdin, output: stdout, terminal: true, completer: () => [[], ""] });
    this.#line.on("line", (line) => this.#entered(line));
    this.#line.on("SIGINT", () => this.#end());
    this.#line.on("close", () => this.#end());
    this.#readdress();
  }

  print(lines: readonly string[]): void {
    if (this.#isClosed || lines.length === 0) return;
    this.#erase(this.#line.getCursorPos().rows);
    this.#stdout.write(`${lines.join("\n")}\n`);
    this.#readdress();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#erase(this.#line.getCursorPos().rows);
    this.#line.close();
  }

  #entered(line: string): void {
    // The line is told of as the message that it becomes; here it would stand twice.
    this.#erase(1 + this.#rowsOf(line));
    const target = this.#target;
    this.#readdress();
    const sent = this.#answers.send(line, target).then((worries) => this.print(worries));
    sent.catch((error: unknown) => {
      const fix = isWarrenError(error) && error.fix !== undefined ? `  ${error.fix}` : "";
      this.print([`✗ ${messageOf(error)}${fix}`]);
      if (!this.#isClosed && this.#line.line === "") this.#line.write(line); // not lost
    });
  }

  /** To whoever wrote last, while nothing is typed. */
  #readdress(): void {
    if (this.#isClosed) return;
    if (this.#line.line === "") this.#target = this.#answers.target;
    this.#line.setPrompt(this.#promptText());
    this.#line.prompt(true);
  }

  #promptText(): string {
    const to = this.#target === undefined ? "@NAME text" : escapedLine(this.#target.from).slice(0, NAME_CHARACTERS_MAX);
    return `${this.#answers.name} ${this.#arrow} ${to}: `;
  }

  /** Of what is typed, below its first row. */
  #rowsOf(line: string): number {
    const before = this.#line.getPrompt();
    return Math.floor(widthOf(`${before}${line}`) / Math.max(1, this.#stdout.columns || 80));
  }

  /** From `rows` above the cursor to the end of the screen. */
  #erase(rows: number): void {
    if (rows > 0) moveCursor(this.#stdout, 0, -rows);
    cursorTo(this.#stdout, 0);
    clearScreenDown(this.#stdout);
    // The line would else be drawn anew where it stood.
    (this.#line as Interface & { prevRows?: number }).prevRows = 0;
  }

  #end(): void {
    if (this.#isClosed) return;
    this.close();
    process.kill(process.pid, "SIGINT"); // as where Ctrl-C is the terminal's
  }
}
