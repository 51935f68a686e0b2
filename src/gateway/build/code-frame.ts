import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuildFailure } from "../../protocol/front-messages.ts";

/** Places in sources with the lines around them, as a failure's page shows them. */
export type Place = BuildFailure["places"][number];

const LINES_AROUND = 2;
const LINE_LENGTH_MAX = 200;
const PLACES_MAX = 10;
const FILE_BYTES_MAX = 4 * 1024 * 1024;
/** `file:line:column` as compilers and stacks write it, at a line's start, after a blank or in parentheses. */
const PLACE = /(?:^|[\s(])((?:file:\/\/)?[\w@./~+-][^\s:()]*\.\w+):(\d+)(?::(\d+))?/g;

/** `line` and `column` are 1-based. The frame is empty when the file cannot be read. */
export function placeAt(
  { path, line, column, message }: { path: string; line: number; column: number; message: string },
  projectDir: string,
): Place {
  return { file: relative(projectDir, path), line, column, message, frame: frameOf(path, line, column) };
}

/** Places of the project that a text names: a stack, or what a compiler has said. Of packages none. */
export function placesIn(text: string, { dir, projectDir }: { dir: string; projectDir: string }): Place[] {
  const places = new Map<string, Place>();
  for (const said of text.split("\n")) {
    for (const [, name, line, column] of said.matchAll(PLACE)) {
      const path = pathOf(name!, dir);
      if (path === undefined) continue;
      const inside = relative(projectDir, path);
      if (inside.startsWith("..") || inside.includes("node_modules") || /\/bin\//.test(`/${inside}`)) continue;
      const at = {
        path,
        line: Number(line),
        column: Number(column ?? 1),
        message: said.trim().slice(0, LINE_LENGTH_MAX),
      };
      const place = placeAt(at, projectDir);
      const key = `${place.file}:${place.line}`;
      if (place.frame.length > 0 && !places.has(key)) places.set(key, place);
      if (places.size === PLACES_MAX) return [...places.values()];
    }
  }
  return [...places.values()];
}

/** Undefined: an address of no file here; the text may say anything after `file://`. */
function pathOf(name: string, dir: string): string | undefined {
  if (!name.startsWith("file://")) return resolve(dir, name);
  try {
    return fileURLToPath(name);
  } catch {
    return undefined;
  }
}

function frameOf(path: string, line: number, column: number): string[] {
  const lines = linesOf(path);
  if (line < 1 || line > lines.length) return [];
  const first = Math.max(1, line - LINES_AROUND);
  const last = Math.min(lines.length, line + LINES_AROUND);
  const width = String(last).length;
  const frame: string[] = [];
  for (let at = first; at <= last; at += 1) {
    const text = lines[at - 1]!.slice(0, LINE_LENGTH_MAX);
    frame.push(`${at === line ? ">" : " "} ${String(at).padStart(width)} │ ${text}`);
    if (at !== line || column > LINE_LENGTH_MAX) continue;
    // Tabs stay tabs, so that the mark stands where the column is.
    frame.push(`  ${" ".repeat(width)} │ ${text.slice(0, column - 1).replace(/[^\t]/g, " ")}^`);
  }
  return frame;
}

function linesOf(path: string): string[] {
  try {
    const text = readFileSync(path, "utf8");
    return text.length > FILE_BYTES_MAX ? [] : text.split("\n");
  } catch {
    return [];
  }
}
