import { quoteWord } from "../protocol/quote-word.ts";
/**
 * A command written as one text, as an argument list.
 *
 * A shell is started only when the text needs one. So `command: npm run dev` and `warren add -- npm run dev` are the same argument list, and
 * with it the same job, with one history. What is split without a shell is split as POSIX splits it (XCU 2.2, quoting): single quotes keep all,
 * double quotes keep all but \$ \` \" \\, a backslash keeps the next character.
 */

export type ParsedCommand = { kind: "argv"; argv: string[] } | { kind: "invalid"; reason: string };

/** Words that only a shell understands as a command: reserved words, and builtins that change the shell itself or have no program. */
const SHELL_WORDS = new Set(
  (
    "! { } case do done elif else esac fi for if in then until while function select [[ " +
    ". : break continue eval exec exit export readonly return set shift times trap unset " +
    "alias bg cd command fg getopts hash jobs read source type ulimit umask unalias wait local"
  ).split(" "),
);

/** Outside quotes. `#` and `~` count at the start of a word; `=` in the first word makes it an assignment. */
const SHELL_CHARACTERS = new Set("|&;<>()$`*?[]{}\n\r");
const BLANK = new Set(" \t");

/** `["sh", "-c", text]` when a shell is needed, else the words; invalid when it is empty or a quote is not closed. */
export function parseCommand(text: string): ParsedCommand {
  const trimmed = text.trim();
  if (trimmed === "") return { kind: "invalid", reason: "the command is empty" };
  const words = new WordReader(trimmed).read();
  if (words.unclosed !== undefined) return { kind: "invalid", reason: `${words.unclosed} is not closed` };
  const [first] = words.list;
  const needsShell = words.hasShellSyntax || first === undefined || isShellWord(first);
  return { kind: "argv", argv: needsShell ? ["sh", "-c", trimmed] : words.list.map((word) => word.text) };
}

/** The text that `parseCommand` reads as this argument list, or undefined when only a list can say it. */
export function formatCommand(argv: readonly string[]): string | undefined {
  const script = argv.length === 3 && argv[0] === "sh" && argv[1] === "-c" ? argv[2]! : undefined;
  const text = script ?? argv.map(quoteWord).join(" ");
  const parsed = parseCommand(text);
  const same = parsed.kind === "argv" && JSON.stringify(parsed.argv) === JSON.stringify(argv);
  return same ? text : undefined;
}

interface Word {
  text: string;
  /** Nothing of it was quoted so far. */
  bare: boolean;
  /** It begins with an unquoted `NAME=`; what follows may be quoted. */
  assigns: boolean;
}

interface Words {
  list: Word[];
  hasShellSyntax: boolean;
  unclosed: string | undefined;
}

const isShellWord = ({ text, assigns }: Word): boolean => assigns || SHELL_WORDS.has(text);

class WordReader {
  readonly #text: string;
  #at = 0;
  #word: Word | undefined;
  readonly #words: Words = { list: [], hasShellSyntax: false, unclosed: undefined };

  constructor(text: string) {
    this.#text = text;
  }

  read(): Words {
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at++]!;
      if (BLANK.has(character)) this.#endWord();
      else if (character === "'") this.#readSingleQuoted();
      else if (character === '"') this.#readDoubleQuoted();
      else if (character === "\\") this.#readEscape();
      else this.#readBare(character);
    }
    this.#endWord();
    return this.#words;
  }

  #readBare(character: string): void {
    const startsWord = this.#word === undefined;
    if (SHELL_CHARACTERS.has(character) || (startsWord && (character === "#" || character === "~"))) {
      this.#words.hasShellSyntax = true;
    }
    const word = this.#append(character);
    if (character === "=" && word.bare && /^[A-Za-z_][A-Za-z0-9_]*=$/.test(word.text)) word.assigns = true;
  }

  #readSingleQuoted(): void {
    const end = this.#text.indexOf("'", this.#at);
    if (end === -1) {
      this.#fail("the single quote (')");
      return;
    }
    this.#append(this.#text.slice(this.#at, end), true);
    this.#at = end + 1;
  }

  #readDoubleQuoted(): void {
    this.#append("", true);
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at++]!;
      if (character === '"') return;
      if (character === "$" || character === "`") this.#words.hasShellSyntax = true;
      if (character === "\\" && /[$`"\\]/.test(this.#text[this.#at] ?? "")) this.#append(this.#text[this.#at++]!);
      else if (character === "\\" && this.#text[this.#at] === "\n") this.#at++;
      else this.#append(character);
    }
    this.#fail('the double quote (")');
  }

  #readEscape(): void {
    const escaped = this.#text[this.#at++];
    if (escaped === undefined) this.#fail("the backslash at the end");
    // A backslash before a newline joins the lines (XCU 2.2.1).
    else if (escaped !== "\n") this.#append(escaped, true);
  }

  #append(text: string, quoted = false): Word {
    this.#word ??= { text: "", bare: true, assigns: false };
    this.#word.text += text;
    if (quoted) this.#word.bare = false;
    return this.#word;
  }

  #endWord(): void {
    if (this.#word !== undefined) this.#words.list.push(this.#word);
    this.#word = undefined;
  }

  #fail(what: string): void {
    this.#words.unclosed = what;
    this.#at = this.#text.length;
  }
}
