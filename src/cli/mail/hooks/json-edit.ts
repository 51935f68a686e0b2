import { type JsonNode, memberOf, parseJsonText } from "./json-text.ts";

/** Parts put into a JSON text and taken out of it, in the style that the text has. */
interface Style {
  lineEnd: string;
  /** One step. */
  indent: string;
}

/** Of the text that is there: its line ends, and the indentation of the first member. */
function styleOf(text: string): Style {
  const lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
  const indent = /\{\r?\n([ \t]+)"/.exec(text)?.[1] ?? "  ";
  return { lineEnd, indent };
}

/** The object or array at `path`, keys from the root. */
export function nodeAt(root: JsonNode, path: readonly string[]): JsonNode | undefined {
  return path.reduce<JsonNode | undefined>((node, key) => memberOf(node, key)?.value, root);
}

/** As the last part of the object or array at `path`; `key` for an object. */
export function withPart(
  text: string,
  path: readonly string[],
  { key, value }: { key?: string; value: unknown },
): string {
  const root = parseJsonText(text);
  const node = nodeAt(root, path)!;
  const style = styleOf(text);
  const parts = partsOf(node);
  const last = parts.at(-1);
  const firstGap = last === undefined ? undefined : text.slice(node.start + 1, parts[0]!.start);
  const isOnLines =
    firstGap === undefined ? text.trim() === "{}" || text.trim().includes("\n") : firstGap.includes("\n");
  const outer = indentAt(text, node.start);
  const inner =
    isOnLines && firstGap !== undefined ? firstGap.slice(firstGap.lastIndexOf("\n") + 1) : outer + style.indent;
  const name = key === undefined ? "" : `${JSON.stringify(key)}: `;
  if (!isOnLines) {
    const part = `${name}${JSON.stringify(value)}`;
    return last ? spliced(text, last.end, last.end, `, ${part}`) : spliced(text, node.start + 1, node.end - 1, part);
  }
  const body = JSON.stringify(value, undefined, style.indent).replaceAll("\n", `${style.lineEnd}${inner}`);
  const part = `${style.lineEnd}${inner}${name}${body}`;
  if (last !== undefined) return spliced(text, last.end, last.end, `,${part}`);
  return spliced(text, node.start + 1, node.end - 1, `${part}${style.lineEnd}${outer}`);
}

/** Without the part number `at` of the object or array at `path`, and without the comma that set it apart. */
export function withoutPart(text: string, path: readonly string[], at: number): string {
  const node = nodeAt(parseJsonText(text), path)!;
  const parts = partsOf(node);
  const { start, end } = parts[at]!;
  if (parts.length === 1) return spliced(text, node.start + 1, node.end - 1, "");
  const before = parts[at - 1];
  return before === undefined ? spliced(text, start, parts[at + 1]!.start, "") : spliced(text, before.end, end, "");
}

export function partsOf(node: JsonNode): { start: number; end: number }[] {
  if (node.kind === "array") return node.items;
  if (node.kind === "object") return node.members.map(({ start, value }) => ({ start, end: value.end }));
  return [];
}

/** Of the line in which this place is. */
const indentAt = (text: string, at: number): string =>
  /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", at - 1) + 1))?.[0] ?? "";

const spliced = (text: string, start: number, end: number, part: string): string =>
  `${text.slice(0, start)}${part}${text.slice(end)}`;
