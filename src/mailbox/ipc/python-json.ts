/**
 * JSON as Python 3 reads and writes it: `json.dumps` with its defaults (ASCII escapes, ", " and ": ", keys in the order they were put in), and the text of
 * `json.JSONDecodeError`, which claude-ipc's broker passes on to its clients.
 */

export function pythonDumps(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonDumps).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const pairs = Object.entries(value).filter(([, each]) => each !== undefined);
    return `{${pairs.map(([key, each]) => `${dumpString(key)}: ${pythonDumps(each)}`).join(", ")}}`;
  }
  return typeof value === "string" ? dumpString(value) : (JSON.stringify(value) ?? "null");
}

/** By UTF-16 unit: what is above U+FFFF becomes two escapes, as there. */
const dumpString = (text: string): string =>
  JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Why `json.loads(text)` fails, in its words; undefined when it does not. NaN and Infinity are values there, and are none here. */
export function pythonJsonError(text: string): string | undefined {
  const reader = new Reader(text);
  try {
    reader.skipSpace();
    reader.value();
    reader.skipSpace();
    if (reader.at < text.length) reader.fail("Extra data", reader.at);
    return undefined;
  } catch (error) {
    if (error instanceof PythonJsonError) return error.message;
    throw error;
  }
}

/** `type(value).__name__` of what `json.loads` makes of it. */
export function pythonTypeOf(value: unknown): string {
  if (value === null) return "NoneType";
  if (Array.isArray(value)) return "list";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  return { string: "str", boolean: "bool" }[typeof value as string] ?? "dict";
}

class PythonJsonError extends Error {}

/** Python's json.decoder and its scanner, as far as they say where a text is wrong. Deeper than this, nothing is looked at. */
const DEPTH_MAX = 200;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
const CONSTANT = /null|true|false|NaN|-?Infinity/y;

class Reader {
  at = 0;
  #depth = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  fail(what: string, at: number): never {
    const before = Array.from(this.#text.slice(0, at));
    const line = before.filter((each) => each === "\n").length + 1;
    const column = before.length - before.lastIndexOf("\n");
    throw new PythonJsonError(`${what}: line ${line} column ${column} (char ${before.length})`);
  }

  skipSpace(): void {
    while (" \t\n\r".includes(this.#text[this.at] || "x")) this.at += 1;
  }

  value(): void {
    const first = this.#text[this.at];
    if (first === '"') return this.#string();
    if (first === "{" || first === "[") {
      this.#depth += 1;
      if (this.#depth > DEPTH_MAX) throw new PythonJsonError("maximum recursion depth exceeded");
      if (first === "{") this.#object();
      else this.#array();
      this.#depth -= 1;
      return;
    }
    if (!this.#take(CONSTANT) && !this.#take(NUMBER)) this.fail("Expecting value", this.at);
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.#text)) return false;
    this.at = pattern.lastIndex;
    return true;
  }

  #string(): void {
    const begin = this.at;
    for (this.at += 1; this.at < this.#text.length; this.at += 1) {
      const unit = this.#text[this.at]!;
      if (unit === '"') {
        this.at += 1;
        return;
      }
      if (unit < " ") this.fail("Invalid control character at", this.at);
      if (unit === "\\") this.#escape(begin);
    }
    this.fail("Unterminated string starting at", begin);
  }

  /** At a backslash; leaves `at` on the last character of the escape. */
  #escape(begin: number): void {
    const kind = this.#text[this.at + 1];
    if (kind === undefined) this.fail("Unterminated string starting at", begin);
    if (kind === "u") {
      const digits = this.#text.slice(this.at + 2, this.at + 6);
      // Its scanner wants one character more than the four, be it only the quote.
      if (!/^[0-9a-fA-F]{4}$/.test(digits) || this.at + 6 >= this.#text.length)
        this.fail("Invalid \\uXXXX escape", this.at + 1);
      this.at += 5;
    } else if ('"\\/bfnrt'.includes(kind)) this.at += 1;
    else this.fail("Invalid \\escape", this.at);
  }

  #object(): void {
    this.at += 1;
    this.skipSpace();
    if (this.#text[this.at] === "}") {
      this.at += 1;
      return;
    }
    for (;;) {
      if (this.#text[this.at] !== '"') this.fail("Expecting property name enclosed in double quotes", this.at);
      this.#string();
      this.skipSpace();
      if (this.#text[this.at] !== ":") this.fail("Expecting ':' delimiter", this.at);
      this.at += 1;
      this.skipSpace();
      this.value();
      if (this.#isClosedBy("}")) return;
    }
  }

  #array(): void {
    this.at += 1;
    this.skipSpace();
    if (this.#text[this.at] === "]") {
      this.at += 1;
      return;
    }
    for (;;) {
      this.value();
      if (this.#isClosedBy("]")) return;
    }
  }

  /** After a value: past the bracket that closes, or past a comma and at what follows it. */
  #isClosedBy(bracket: string): boolean {
    this.skipSpace();
    const next = this.#text[this.at];
    if (next !== bracket && next !== ",") this.fail("Expecting ',' delimiter", this.at);
    this.at += 1;
    if (next === bracket) return true;
    this.skipSpace();
    return false;
  }
}
