import type { LogPiece } from "../../protocol/units.ts";
import { plainText } from "./plain-text.ts";
import { bytes } from "./text.ts";

/** A run's log as it is shown: lines in their order, each under its place. Pure. */
export interface LogLine {
  /** The same for as long as it is shown. */
  key: string;
  kind: "stdout" | "stderr" | "omitted";
  text: string;
  /** No newline has ended it yet: more of it may come. */
  isOpen: boolean;
}

/** Lines that are kept; past it the oldest go. */
export const LOG_LINES_MAX = 5_000;

export function withPieces(lines: readonly LogLine[], pieces: readonly LogPiece[]): LogLine[] {
  const next = [...lines];
  for (const piece of pieces) {
    const line = lineOf(piece);
    const at = line.kind === "omitted" ? -1 : next.findLastIndex(({ kind }) => kind === line.kind);
    const before = next[at];
    if (!before?.isOpen) next.push(line);
    else if (before.key === line.key) next[at] = line;
    else next[at] = { ...before, text: before.text + line.text, isOpen: line.isOpen };
  }
  return next.length > LOG_LINES_MAX ? next.slice(-LOG_LINES_MAX) : next;
}

function lineOf(piece: LogPiece): LogLine {
  if (piece.kind === "omitted") {
    const { stream = "", reason, bytes: count, lines } = piece;
    const what = lines === undefined ? bytes(count) : `${lines} lines`;
    const why = reason === "dropped" ? "are not on the disk any more" : "are left out here";
    return { key: `omitted ${stream} ${count} ${lines}`, kind: "omitted", text: `… ${what} ${why}`, isOpen: false };
  }
  const { stream, offset, line, base64 = "", complete = true, continues = false } = piece;
  const text =
    line === undefined ? `[${bytes(Math.floor((base64.length * 3) / 4))} that are no text]` : plainText(line);
  return { key: `${stream} ${offset}`, kind: stream, text, isOpen: !complete || continues };
}
