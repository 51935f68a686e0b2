import type { Terminal } from "@xterm/headless";

/**
 * The colours that a program has set in its terminal (OSC 4, 10, 11, 12), and taken back (104, 110, 111, 112). Only those that it has touched are told: the
 * user's own, of which nobody knows, stay as they are.
 */
const DYNAMIC = [10, 11, 12] as const;
const SPEC_CHARACTERS_MAX = 64;

export class Palette {
  /** By the code that sets it, e.g. `4;7` or `11`, the sequence that does or that takes it back. */
  readonly #touched = new Map<string, string>();

  constructor({ parser }: Terminal) {
    parser.registerOscHandler(4, (text) => this.#setIndexed(text.split(";")));
    for (const first of DYNAMIC) {
      parser.registerOscHandler(first, (text) => this.#setDynamic(first, text.split(";")));
      parser.registerOscHandler(first + 100, () => this.#touch(`${first}`, `\x1b]${first + 100}\x1b\\`));
    }
    parser.registerOscHandler(104, (text) => this.#restoreIndexed(text === "" ? [] : text.split(";")));
  }

  clear(): void {
    this.#touched.clear();
  }

  toBytes(): string {
    return [...this.#touched.values()].join("");
  }

  #setIndexed(parts: string[]): boolean {
    for (let at = 0; at + 1 < parts.length; at += 2) {
      const index = indexOf(parts[at]!);
      const spec = parts[at + 1]!;
      if (index !== undefined && isColour(spec)) this.#touch(`4;${index}`, `\x1b]4;${index};${spec}\x1b\\`);
    }
    return false;
  }

  /** More colours than one are for the codes that follow. */
  #setDynamic(first: number, specs: string[]): boolean {
    for (const [at, spec] of specs.entries()) {
      const code = first + at;
      if (code <= 12 && isColour(spec)) this.#touch(`${code}`, `\x1b]${code};${spec}\x1b\\`);
    }
    return false;
  }

  #restoreIndexed(indexes: string[]): boolean {
    if (indexes.length === 0) {
      for (const key of this.#touched.keys()) if (key.startsWith("4;")) this.#touched.delete(key);
      this.#touch("4", "\x1b]104\x1b\\");
    }
    for (const index of indexes.map(indexOf))
      if (index !== undefined) this.#touch(`4;${index}`, `\x1b]104;${index}\x1b\\`);
    return false;
  }

  /** Told in the order in which they were touched last. */
  #touch(key: string, bytes: string): false {
    this.#touched.delete(key);
    this.#touched.set(key, bytes);
    return false;
  }
}

function indexOf(text: string): number | undefined {
  const index = /^\d{1,3}$/.test(text) ? Number(text) : 256;
  return index < 256 ? index : undefined;
}

/** Not a question ("?"). */
const isColour = (spec: string): boolean => spec.length <= SPEC_CHARACTERS_MAX && /^[#\w/:.,%-]+$/.test(spec);
