import { equalsIgnoringCase, isToken } from "./characters.ts";
import { refuse } from "./problem.ts";

/** Looks into, and changes, field lines that were read and rebuilt: each is `Name: value` with its CRLF. Names are given in lower case. */

/** Several of one name are joined with `, ` (RFC 9110 §5.2). */
export function fieldIn(lines: string, name: string): string | undefined {
  let found: string | undefined;
  for (let at = 0; at < lines.length; ) {
    const colon = lines.indexOf(":", at);
    const end = lines.indexOf("\r\n", colon);
    if (colon - at === name.length && equalsIgnoringCase(lines.slice(at, colon), name)) {
      const value = lines.slice(colon + 2, end);
      found = found === undefined ? value : `${found}, ${value}`;
    }
    at = end + 2;
  }
  return found;
}

export function withoutFields(lines: string, isRemoved: (lowerName: string) => boolean): string {
  let kept = "";
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf("\r\n", at) + 2;
    if (!isRemoved(lines.slice(at, lines.indexOf(":", at)).toLowerCase())) kept += lines.slice(at, end);
    at = end;
  }
  return kept;
}

/** Each takes the place of all of its name; undefined: they go. Values with a line break are a bug of who made them. */
export function withEdits(lines: string, edits: readonly (readonly [string, string | undefined])[]): string {
  if (edits.length === 0) return lines;
  const names = new Set(edits.map(([name]) => name));
  return withoutFields(lines, (name) => names.has(name)) + linesOf(edits);
}

/** Lines of fields that we make ourselves. Throws for what would not be one line. */
export function linesOf(fields: readonly (readonly [string, string | undefined])[]): string {
  let lines = "";
  for (const [name, value] of fields) {
    if (value === undefined) continue;
    if (!isToken(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw new Error(`not a field: ${JSON.stringify([name, value])}`);
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

/** What a Connection field says (RFC 9110 §7.6.1). */
export interface ConnectionOptions {
  close: boolean;
  keepAlive: boolean;
  upgrade: boolean;
  /** Fields that are for this connection alone, in lower case. */
  named: Set<string> | undefined;
}

export function connectionOptions(value: string): ConnectionOptions {
  const options: ConnectionOptions = { close: false, keepAlive: false, upgrade: false, named: undefined };
  for (const piece of value.split(",")) {
    const option = piece.trim().toLowerCase();
    if (option === "") continue;
    if (!isToken(option)) refuse(400, "a connection option");
    if (option === "close") options.close = true;
    else if (option === "keep-alive") options.keepAlive = true;
    else if (option === "upgrade") options.upgrade = true;
    else {
      options.named ??= new Set();
      options.named.add(option);
    }
  }
  return options;
}
