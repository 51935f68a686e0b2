import type { Session } from "../../protocol/units.ts";
import { holds } from "../model/find.ts";
import { isLive, type Model, type Row } from "../model/model.ts";
import { formatAge } from "../text/age.ts";
import { inOneRow, sliceColumns, withoutSgr } from "../text/ansi.ts";
import { cutEnd, cutStart, padStart, widthOf } from "../text/width.ts";
import { fit } from "./frame.ts";
import { glyphOf, sessionState } from "./states.ts";
import { bold, paint, reverse, type Theme } from "./theme.ts";
import { useColumns } from "./use-text.ts";

/** Rows of panel 1 that are about sessions: the line for a new one, the servers, the sessions, the headings. */

const AGE_COLUMNS = 4;
/** Below this width there is room for the word or the age, not for both. */
const COLUMNS_FOR_WORD = 32;
const WORD_COLUMNS = 11;
/** From this width on a question has room beside who is attached. */
const COLUMNS_FOR_ALL = 56;

export function newSessionRow(theme: Theme, model: Model, columns: number): string {
  const { latest } = model.sessions;
  const hint = latest ? `  (latest: ${serverTitle(theme, latest)})` : "";
  if (isUnderCursor(model, "+")) return reverse(fit(`+ New session${hint}`, columns));
  return fit(`${paint(theme, "accent", "+")} New session${paint(theme, "quiet", hint)}`, columns);
}

/** `🔥 blazing  v0.1.1 abc1234  old code` */
export function serverRow(theme: Theme, model: Model, name: string, columns: number): string {
  const server = model.sessions.servers.find((candidate) => candidate.name === name);
  if (!server) return fit(name, columns);
  const title = serverTitle(theme, server);
  const said = server.isSilent
    ? paint(theme, "attention", `  ${glyphOf(theme, "unknown")} no answer`)
    : server.isOld
      ? paint(theme, "quiet", `  ${glyphOf(theme, "unknown")} old code`)
      : "";
  const room = columns - widthOf(withoutSgr(said)) - widthOf(title);
  const build = cutEnd(`  v${server.version} ${server.hash}`, room);
  return fit(`${bold(title)}${paint(theme, "quiet", build)}${said}`, columns);
}

export function headingRow(theme: Theme, model: Model, row: Row, columns: number): string {
  if (row.kind === "ended") return fit(bold("ended"), columns);
  if (row.kind === "none") return fit(paint(theme, "quiet", "  (none)"), columns);
  const where = model.allDirectories ? "all directories" : model.scope.label;
  return fit(`${bold(row.kind)}  ${paint(theme, "quiet", cutStart(where, columns - row.kind.length - 2))}`, columns);
}

/** Glyph, name, what it asks or calls itself, unread mail, who is attached, word, what it uses where there is room, age. */
export function sessionRow(theme: Theme, model: Model, session: Session, columns: number): string {
  const { glyph, tone } = sessionState(theme, session);
  const right = rightOf(theme, model, session, columns);
  const name = theme.glyphs ? `${session.icon} ${session.name}` : session.name;
  const rest = `  ${whatItDoes(session)}`;
  const { column } = model.lists.units;
  const room = columns - 3 - widthOf(withoutSgr(right));
  const cut = (text: string): string => fit(sliceColumns(text, column, room), room);
  if (isUnderCursor(model, session.id) && model.focus === "units")
    return reverse(fit(`${glyph} ${cut(`${name}${rest}`)} ${withoutSgr(right)}`, columns));
  const isFound = model.search?.panel === "units" && holds(`${session.name}${rest}`, model.search.query);
  const restTone = session.state === "needs_you" ? "attention" : "quiet";
  const shown = isFound ? paint(theme, "accent", `${name}${rest}`) : `${name}${paint(theme, restTone, rest)}`;
  return fit(`${paint(theme, tone, glyph)} ${cut(shown)} ${right}`, columns);
}

/** Where there is little room: that it needs you, else the age. */
function rightOf(theme: Theme, model: Model, session: Session, columns: number): string {
  const { word, tone } = sessionState(theme, session);
  const ageMs = model.nowMs - Date.parse(session.stopped_at ?? session.active_at);
  const age = paint(theme, "quiet", padStart(formatAge(ageMs), AGE_COLUMNS));
  const said = paint(theme, tone, cutEnd(word, WORD_COLUMNS));
  if (columns < COLUMNS_FOR_WORD) return session.state === "needs_you" ? said : age;
  const asks = session.state === "needs_you"; // and that comes before what it uses and who is there
  const use = asks ? "" : paint(theme, "quiet", useColumns(model.usage.get(session.id), columns));
  const aligned = `${said}${" ".repeat(Math.max(0, WORD_COLUMNS - widthOf(word)))}${use}${age}`;
  const hasRoom = !asks || columns >= COLUMNS_FOR_ALL; // the right side says it too
  const attached = hasRoom ? attachedText(session) : "";
  const unread = hasRoom && session.unread ? paint(theme, "attention", `${session.unread} unread`) : "";
  return [unread, attached && paint(theme, "quiet", attached), aligned].filter((part) => part !== "").join(" ");
}

export const serverTitle = (theme: Theme, { icon, name }: { icon: string; name: string }): string =>
  theme.glyphs ? `${icon} ${name}` : name;

/** What it asks, else its title, else its command; never what could move the cursor. */
export function whatItDoes({ state, attention, title, command }: Session): string {
  if (state === "needs_you" && attention) return inOneRow(attention === "bell" ? "rang the bell" : `"${attention}"`);
  return inOneRow(title || command.join(" "));
}

function attachedText(session: Session): string {
  const count = session.client_count + session.viewer_count;
  return count > 0 && isLive(session) ? `${count} attached` : "";
}

const isUnderCursor = (model: Model, id: string): boolean => model.selectedId === id;
