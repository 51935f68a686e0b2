import { importInvalid } from "./draft.ts";

/**
 * The part of TOML 1.0 that a gobfile uses: `[[name]]` tables of `key = "text"`, `key = 'text'` and `key = true|false`. Everything else is
 * refused with its line rather than read halfway.
 */
export interface TomlTable {
  name: string;
  line: number;
  values: Map<string, { value: string | boolean; line: number }>;
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  '"': '"',
  "\\": "\\",
};

/** @throws IMPORT_INVALID with the line */
export function readTomlTables(text: string, file: string): TomlTable[] {
  const tables: TomlTable[] = [];
  for (const [index, written] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    const content = written.trim();
    if (content === "" || content.startsWith("#")) continue;
    const header = /^\[\[\s*([A-Za-z0-9_-]+)\s*\]\]\s*(#.*)?$/.exec(content);
    if (header !== null) {
      tables.push({ name: header[1]!, line, values: new Map() });
      continue;
    }
    const [, key, rest] = /^([A-Za-z0-9_-]+)\s*=\s*(.*)$/.exec(content) ?? [];
    const table = tables.at(-1);
    if (key === undefined || rest === undefined) throw importInvalid(file, `cannot read "${content}"`, line);
    if (table === undefined) throw importInvalid(file, `"${key}" stands before the first [[table]]`, line);
    if (table.values.has(key)) throw importInvalid(file, `"${key}" stands here twice`, line);
    table.values.set(key, { value: readValue(rest, file, line), line });
  }
  return tables;
}

function readValue(text: string, file: string, line: number): string | boolean {
  const word = /^(true|false)\s*(#.*)?$/.exec(text)?.[1];
  if (word !== undefined) return word === "true";
  if (text.startsWith('"""') || text.startsWith("'''"))
    throw importInvalid(file, "texts of several lines are not read", line);
  const literal = /^'([^']*)'\s*(#.*)?$/.exec(text);
  if (literal !== null) return literal[1]!;
  const basic = /^"((?:[^"\\]|\\.)*)"\s*(#.*)?$/.exec(text);
  if (basic === null) throw importInvalid(file, `${text} is neither a text nor true nor false`, line);
  return basic[1]!.replaceAll(/\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)/g, (written, what: string) => {
    const simple = ESCAPES[what];
    if (simple !== undefined) return simple;
    const code = what.length > 1 ? Number.parseInt(what.slice(1), 16) : Number.NaN;
    // Surrogates are not characters (TOML 1.0, Unicode scalar values).
    if (!(code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) {
      throw importInvalid(file, `${written} is not an escape of TOML`, line);
    }
    return String.fromCodePoint(code);
  });
}
