import type { MailMessage } from "../../protocol/mail-units.ts";
import { escaped, withoutLastLineEnds } from "../../protocol/untrusted-mail.ts";
import type { Context } from "../context.ts";
import { widthOf } from "../render/text-width.ts";
import { INDENT, messageHead } from "./message-text.ts";
import { escapedLine } from "./untrusted-text.ts";
import type { Led } from "./watch-traffic.ts";

/**
 * Messages as they pass on a terminal. What stands there stays there, so the time is the clock's and no age; and what somebody has written is broken where the
 * terminal ends and stands two columns in on each row, so that it can look like no other message.
 */

/** Rows of one message; what is more is read by its number. */
const ROWS_MAX = 24;

export function watchedLines(context: Context, message: MailMessage): string[] {
  const { output } = context;
  const columns = Math.max(8, output.columnCount - widthOf(INDENT));
  const rows: string[] = [];
  let left = 0;
  for (const line of bodyLines(message)) {
    if (rows.length < ROWS_MAX) rows.push(...broken(line, columns));
    else left += 1;
  }
  const shown = rows.slice(0, ROWS_MAX);
  const isCut = left > 0 || rows.length > ROWS_MAX;
  const more = isCut ? [output.style.dim(`… warren mail show ${message.seq}`)] : [];
  const head = messageHead(context, message, clockTime(Date.parse(message.sent_at)));
  return [head, ...[...shown, ...more].map((row) => `${INDENT}${row}`.trimEnd())];
}

function bodyLines({ body, data }: MailMessage): string[] {
  const text = withoutLastLineEnds(escaped(body).replaceAll("\t", "  "));
  const lines = text === "" ? [] : text.split("\n");
  return data === undefined ? lines : [...lines, `data: ${escapedLine(JSON.stringify(data))}`];
}

/** At blanks where there are any; nothing is left out. */
function broken(line: string, columns: number): string[] {
  if (widthOf(line) <= columns) return [line];
  const rows: string[] = [];
  let row = "";
  let width = 0;
  for (const character of line) {
    const more = widthOf(character);
    if (width + more > columns) {
      const blank = row.lastIndexOf(" ");
      const cut = blank > row.length / 2 && character !== " " ? blank + 1 : row.length;
      rows.push(row.slice(0, cut));
      row = row.slice(cut);
      width = widthOf(row);
      if (rows.length > ROWS_MAX) return rows;
    }
    row += character;
    width += more;
  }
  return [...rows, row];
}

/** `17:04:19` */
const clockTime = (atMs: number): string => {
  const at = new Date(atMs);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
};

const REASONS: Record<string, string> = {
  started: "it was started",
  taken_over: "the one before is gone",
  handed_over: "it was handed the lead",
};

/** `17:04:19  process 4712 leads now, epoch 4: the one before is gone (12 ms)` */
export function leaderLine({ output }: Context, { pid, epoch, reason, gapMs }: Led, nowMs: number): string {
  const who = pid === undefined ? "another process" : `process ${pid}`;
  const why = reason === undefined ? "" : `: ${REASONS[reason] ?? escapedLine(reason)}`;
  const gap = gapMs === undefined ? "" : ` (${Math.round(gapMs)} ms)`;
  return output.style.dim(`${clockTime(nowMs)}  ${who} leads now, epoch ${epoch}${why}${gap}`);
}
