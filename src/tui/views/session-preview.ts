import type { Session } from "../../protocol/units.ts";
import { commandText } from "../model/copy.ts";
import { innerColumns, innerRows, type Layout } from "../model/layout.ts";
import { isLive, type Model, selectedSession } from "../model/model.ts";
import { cleanLine, inOneRow, plainLine, withoutSgr } from "../text/ansi.ts";
import { cutEnd, cutMiddle, cutStart } from "../text/width.ts";
import { serverTitle } from "./session-rows.ts";
import { sessionState } from "./states.ts";
import { paint, type Theme } from "./theme.ts";
import { useText } from "./use-text.ts";

/** The right side while a session is selected: what it is, and what its screen shows. */

export function previewTitle(theme: Theme, model: Model): string {
  const session = selectedSession(model);
  if (!session) return "new session";
  return theme.glyphs ? `${session.icon} ${session.name}` : session.name;
}

export function previewNote(theme: Theme, model: Model): string {
  const session = selectedSession(model);
  if (!session) return "";
  const { glyph, word, tone } = sessionState(theme, session);
  return paint(theme, tone, `${glyph} ${word}`);
}

export function previewRows(theme: Theme, model: Model, layout: Layout): string[] {
  const columns = innerColumns(layout.panels.preview);
  const session = selectedSession(model);
  if (!session) return newSessionRows(theme, model, columns);
  const facts = factRows(theme, model, session, columns);
  const rule = paint(theme, "quiet", (theme.glyphs ? "─" : "-").repeat(columns));
  return [...facts, rule, ...screenRows(theme, model, session, innerRows(layout.panels.preview) - facts.length - 1)];
}

function factRows(theme: Theme, model: Model, session: Session, columns: number): string[] {
  const server = model.sessions.servers.find(({ name }) => name === session.server);
  const clients = session.client_count + session.viewer_count;
  const use = model.usage.get(session.id);
  const where = [
    server ? serverTitle(theme, server) : session.server,
    `${session.cols}×${session.rows}`,
    clients > 0 ? `${clients} attached` : "nobody attached",
    ...(use ? [useText(use, theme)] : []),
  ].join(theme.glyphs ? " · " : ", ");
  const question = session.state === "needs_you" && session.attention ? inOneRow(session.attention) : "";
  return [
    ...(question ? [paint(theme, "attention", cutEnd(question, columns))] : []),
    ...(session.title ? [cutEnd(inOneRow(session.title), columns)] : []),
    cutMiddle(inOneRow(commandText(session.command)), columns),
    paint(theme, "quiet", cutStart(inOneRow(session.workdir), columns)),
    paint(theme, "quiet", cutEnd(where.replace("×", theme.glyphs ? "×" : "x"), columns)),
  ];
}

/** As many rows as fit: those around the cursor when the screen is higher than the panel. */
function screenRows(theme: Theme, model: Model, session: Session, rows: number): string[] {
  if (!isLive(session)) return [paint(theme, "quiet", "It has ended. r starts it again where it was.")];
  const { preview } = model;
  if (preview?.id !== session.id) return [];
  const lines = withoutEmptyEnd(preview.lines, preview.cursorRow);
  const top = Math.max(0, lines.length - rows);
  return lines.slice(top, top + rows).map((line) => (theme.color ? cleanLine(line) : plainLine(line)));
}

function withoutEmptyEnd(lines: readonly string[], cursorRow: number): readonly string[] {
  let end = lines.length;
  while (end > cursorRow + 1 && withoutSgr(lines[end - 1]!).trim() === "") end -= 1;
  return lines.slice(0, end);
}

function newSessionRows(theme: Theme, model: Model, columns: number): string[] {
  const { latest } = model.sessions;
  const where = latest ? `on ${serverTitle(theme, latest)}` : `on a server of this build, v${model.version}`;
  return [
    "Enter starts your shell in a session that stays,",
    `${where}, in`,
    paint(theme, "accent", cutStart(model.scope.label, columns)),
    "",
    paint(theme, "quiet", "ctrl-\\ d leaves it; it goes on, and you are back here."),
  ];
}
