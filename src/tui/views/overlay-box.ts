import { helpLines } from "../model/help.ts";
import type { Rect } from "../model/layout.ts";
import { wholeText } from "../model/mail-list.ts";
import type { Model, Overlay } from "../model/model.ts";
import { overlayRows } from "../model/overlays.ts";
import { paletteMatches } from "../model/palette.ts";
import { visibleInput } from "../model/text-input.ts";
import { cutEnd, padEnd, padStart } from "../text/width.ts";
import { wrapRows } from "../text/wrap.ts";
import { fit, frame } from "./frame.ts";
import { harmlessName } from "./mail-text.ts";
import { bold, paint, reverse, type Theme } from "./theme.ts";

/** What stands over the panels, with its place. Undefined for the search line, which is in the status bar. */

const COLUMNS_MAX = 72;
const PALETTE_ROWS_MAX = 12;
const QUOTED_ROWS = 3;

export interface Box {
  rect: Rect;
  lines: string[];
}

export function overlayBox(theme: Theme, model: Model): Box | undefined {
  const { overlay } = model;
  if (!overlay || overlay.kind === "search") return undefined;
  const width = Math.min(COLUMNS_MAX, model.columns - 4);
  const content = contentOf(theme, model, overlay, width - 4);
  const height = content.lines.length + 2;
  const rect = {
    x: Math.floor((model.columns - width) / 2),
    y: Math.max(0, Math.floor((model.rows - height) / 3)),
    width,
    height,
  };
  const lines = content.lines.map((line) => ` ${fit(line, width - 4)} `);
  return { rect, lines: frame(theme, { rect, title: content.title, note: content.note, lines, focused: true }) };
}

interface Content {
  title: string;
  note: string;
  lines: string[];
}

function contentOf(
  theme: Theme,
  model: Model,
  overlay: Exclude<Overlay, { kind: "search" }>,
  columns: number,
): Content {
  switch (overlay.kind) {
    case "help": {
      const all = helpLines(model).map(([keys, title]) => `${bold(padEnd(keys, 12))} ${title}`);
      return scrolled("keys", all, overlay.top, model);
    }
    case "report":
      return scrolled(overlay.title, overlay.lines, overlay.top, model);
    case "new-job":
      return {
        title: "new job",
        note: "enter starts it · esc",
        lines: [`${model.scope.label}`, inputLine(overlay.input, columns, "$ ")],
      };
    case "rename":
      return {
        title: `rename ${overlay.name}`,
        note: "enter renames it · esc",
        lines: [inputLine(overlay.input, columns, "> ")],
      };
    case "write":
      return written(model, overlay, columns);
    case "palette":
      return palette(theme, model, overlay, columns);
  }
}

/** A reply stands below the beginning of what it answers. */
function written(model: Model, overlay: Overlay & { kind: "write" }, columns: number): Content {
  const { to, reply } = overlay;
  const answered = reply && model.mail.traffic.find(({ message }) => message.seq === reply.seq);
  const quoted = answered ? wrapRows(wholeText(answered), columns - 2).slice(0, QUOTED_ROWS) : [];
  const title = reply
    ? `reply to ${harmlessName(reply.from)}, ${reply.seq}`
    : to === null
      ? "to @NAME"
      : `to ${harmlessName(to)}`;
  return {
    title,
    note: "enter sends it · esc",
    lines: [...quoted.map((row) => `| ${row}`), inputLine(overlay.input, columns, "> ")],
  };
}

function scrolled(title: string, all: readonly string[], top: number, model: Model): Content {
  const rows = overlayRows(model);
  const more = all.length > rows ? `${Math.min(all.length, top + rows)}/${all.length} · ` : "";
  return { title, note: `${more}esc closes`, lines: all.slice(top, top + rows) };
}

function palette(theme: Theme, model: Model, overlay: Overlay & { kind: "palette" }, columns: number): Content {
  const matches = paletteMatches(model, overlay.input.text);
  const rows = Math.min(PALETTE_ROWS_MAX, model.rows - 8);
  const top = Math.max(0, Math.min(overlay.index - rows + 1, matches.length - rows));
  const list = matches.slice(top, top + rows).map((command, at) => {
    const key = command.keys?.[0] ?? "";
    const title = padEnd(cutEnd(command.title, columns - 8), columns - 8);
    return top + at === overlay.index
      ? reverse(`${title}${padStart(key, 8)}`)
      : `${title}${paint(theme, "quiet", padStart(key, 8))}`;
  });
  const none = matches.length === 0 ? [paint(theme, "quiet", "no command matches")] : [];
  // A fixed height: the list does not jump while one types.
  const blanks = Array.from({ length: rows - list.length - none.length }, () => "");
  return {
    title: "commands",
    note: "enter runs it · esc",
    lines: [inputLine(overlay.input, columns, ": "), ...list, ...none, ...blanks],
  };
}

function inputLine(input: Parameters<typeof visibleInput>[0], columns: number, prompt: string): string {
  const [before, under, after] = visibleInput(input, columns - prompt.length);
  return `${prompt}${before}${reverse(under)}${after}`;
}
