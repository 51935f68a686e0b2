import { graphemes, graphemeWidth, isPlainAscii, widthOf } from "./width.ts";

/**
 * Lines of logs as they can stand in a panel: colours (SGR, ECMA-48 §8.3.117) stay, everything else that would move the cursor, ring, set a title or
 * reorder text goes. What a carriage return overwrote is left out, so a progress bar shows its last state.
 */

const TAB_COLUMNS = 8;
export const RESET = "\x1b[0m";

const SEQUENCE = new RegExp(
  [
    String.raw`\x1b\[[0-9;:?<=>]*[ -/]*[@-~]`, // CSI
    String.raw`\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?`, // OSC, DCS, SOS, PM, APC
    String.raw`\x1b[ -/]*[0-~]?`, // the other escapes
    String.raw`[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]`,
  ].join("|"),
  "g",
);
const SGR = /^\x1b\[[0-9;:]*m$/;
const SGR_ANYWHERE = /\x1b\[[0-9;:]*m/g;

/** One line without its newline. */
export function cleanLine(raw: string): string {
  if (isPlainAscii(raw)) return raw;
  const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
  const shown = line.slice(line.lastIndexOf("\r") + 1);
  const cleaned = shown.replace(SEQUENCE, (sequence) => (SGR.test(sequence) ? sequence : ""));
  return cleaned.includes("\t") ? expandTabs(cleaned) : cleaned;
}

export const withoutSgr = (text: string): string => (text.includes("\x1b") ? text.replace(SGR_ANYWHERE, "") : text);

/** One line without its newline and without colours. */
export const plainLine = (raw: string): string => withoutSgr(cleanLine(raw));

/** What a program, a user or a server wrote, of any number of lines, as it may stand in a row. */
export const inOneRow = (text: string): string => plainLine(text.replace(/[\r\n\t]+/g, " "));

/** Columns of a line that may hold SGR sequences. */
export const ansiWidth = (text: string): number => widthOf(withoutSgr(text));

/** Columns `from` to `from + columns` of a line, with the colours that hold there; closed by a reset when there are any. */
export function sliceColumns(text: string, from: number, columns: number): string {
  if (columns <= 0) return "";
  if (isPlainAscii(text)) return text.slice(from, from + columns);
  let active = "";
  let at = 0;
  let taken = "";
  let styled = false;
  for (const part of text.split(/(\x1b\[[0-9;:]*m)/)) {
    if (part.startsWith("\x1b[")) {
      active = isReset(part) ? "" : active + part;
      if (taken !== "" && at < from + columns) taken += part;
      styled ||= taken !== "";
      continue;
    }
    for (const grapheme of graphemes(part)) {
      const width = graphemeWidth(grapheme);
      if (at >= from + columns) return close(taken, styled);
      if (at >= from && at + width <= from + columns) {
        if (taken === "" && active !== "") {
          taken = active;
          styled = true;
        }
        taken += grapheme;
      } else if (at + width > from) {
        taken += " ";
      }
      at += width;
    }
  }
  return close(taken, styled);
}

const close = (text: string, styled: boolean): string => (styled ? text + RESET : text);

const isReset = (sequence: string): boolean => sequence === "\x1b[m" || sequence === RESET;

function expandTabs(text: string): string {
  let expanded = "";
  let column = 0;
  for (const part of text.split(/(\t|\x1b\[[0-9;:]*m)/)) {
    if (part === "\t") {
      const blanks = TAB_COLUMNS - (column % TAB_COLUMNS);
      expanded += " ".repeat(blanks);
      column += blanks;
    } else {
      expanded += part;
      if (!part.startsWith("\x1b")) column += widthOf(part);
    }
  }
  return expanded;
}
