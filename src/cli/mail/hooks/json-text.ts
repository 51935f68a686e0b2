/**
 * JSON with the places of its parts in the text, so that a part can be put in or taken out and everything else stays byte for byte: indentation, order, unknown
 * keys, line ends (RFC 8259).
 */
export type JsonNode = Span &
  ({ kind: "object"; members: JsonMember[] } | { kind: "array"; items: JsonNode[] } | { kind: "scalar" });

export interface Span {
  /** Of its first character, and behind its last. */
  start: number;
  end: number;
}

export interface JsonMember {
  key: string;
  /** Of its key. */
  start: number;
  value: JsonNode;
}

/** Where a text stops being JSON. */
export class NotJson extends Error {
  readonly line: number;
  readonly column: number;

  constructor(text: string, at: number, what: string) {
    super(what);
    const before = text.slice(0, at).split("\n");
    this.line = before.length;
    this.column = before.at(-1)!.length + 1;
  }
}

const DEPTH_MAX = 200;
const BLANK = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** @throws NotJson */
export function parseJsonText(text: string): JsonNode {
  const scanner = new Scanner(text);
  const node = scanner.value(0);
  scanner.end();
  return node;
}

export const valueAt = (text: string, { start, end }: Span): unknown => JSON.parse(text.slice(start, end));

/** The one that counts, where a key stands twice. */
export const memberOf = (node: JsonNode | undefined, key: string): JsonMember | undefined =>
  node?.kind === "object" ? node.members.findLast((member) => member.key === key) : undefined;

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    if (text.charCodeAt(0) === 0xfeff) this.#at = 1; // a byte order mark
  }

  value(depth: number): JsonNode {
    this.#skip(BLANK);
    if (depth > DEPTH_MAX) throw this.#wrong("nested too deeply");
    const start = this.#at;
    const first = this.#text[start];
    if (first === "{") return { kind: "object", start, ...this.#object(depth) };
    if (first === "[") return { kind: "array", start, ...this.#array(depth) };
    if (first === '"') this.#string();
    else if (!this.#skip(SCALAR)) throw this.#wrong(this.#unexpected());
    return { kind: "scalar", start, end: this.#at };
  }

  end(): void {
    this.#skip(BLANK);
    if (this.#at < this.#text.length) throw this.#wrong(this.#unexpected());
  }

  #object(depth: number): { members: JsonMember[]; end: number } {
    const members: JsonMember[] = [];
    this.#each("}", () => {
      const start = this.#at;
      if (this.#text[start] !== '"') throw this.#wrong(this.#unexpected());
      this.#string();
      const key: string = JSON.parse(this.#text.slice(start, this.#at));
      this.#skip(BLANK);
      this.#take(":");
      members.push({ key, start, value: this.value(depth + 1) });
    });
    return { members, end: this.#at };
  }

  #array(depth: number): { items: JsonNode[]; end: number } {
    const items: JsonNode[] = [];
    this.#each("]", () => items.push(this.value(depth + 1)));
    return { items, end: this.#at };
  }

  /** What stands between brackets, with commas between, and none behind the last. */
  #each(close: string, part: () => void): void {
    this.#at += 1;
    this.#skip(BLANK);
    if (this.#text[this.#at] !== close) {
      for (;;) {
        part();
        this.#skip(BLANK);
        if (this.#text[this.#at] !== ",") break;
        this.#at += 1;
        this.#skip(BLANK);
      }
    }
    this.#take(close);
  }

  #take(character: string): void {
    if (this.#text[this.#at] !== character) throw this.#wrong(this.#unexpected());
    this.#at += 1;
  }

  #string(): void {
    if (!this.#skip(STRING)) throw this.#wrong("a string that is not JSON");
  }

  /** False when nothing was there; a match of no characters is nothing. */
  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found !== "";
  }

  #unexpected(): string {
    const rest = this.#text.slice(this.#at);
    if (rest === "") return "the end of the file";
    if (rest.startsWith("//") || rest.startsWith("/*")) return "a comment, which JSON does not have";
    return JSON.stringify(rest[0]);
  }

  #wrong(what: string): NotJson {
    return new NotJson(this.#text, this.#at, what);
  }
}
