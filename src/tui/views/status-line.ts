import { COMMANDS, isEnabled } from "../model/commands.ts";
import type { Model } from "../model/model.ts";
import { visibleInput } from "../model/text-input.ts";
import { ansiWidth, inOneRow } from "../text/ansi.ts";
import { cutEnd } from "../text/width.ts";
import { fit } from "./frame.ts";
import { glyphOf } from "./states.ts";
import { bold, paint, reverse, type Theme } from "./theme.ts";

/** The last row: what was just said, what is being typed, or the keys that matter here. */
export function statusLine(theme: Theme, model: Model): string {
  const right = connectionText(theme, model);
  const room = model.columns - ansiWidth(right) - (right ? 2 : 0);
  return `${fit(leftText(theme, model, room), room)}${right ? `  ${right}` : ""}`;
}

function leftText(theme: Theme, model: Model, columns: number): string {
  if (model.overlay?.kind === "search") {
    const [before, under, after] = visibleInput(model.overlay.input, columns - 1);
    return `/${before}${reverse(under)}${after}`;
  }
  if (model.message) {
    const isError = model.message.level === "error";
    const said = inOneRow(model.message.text);
    const text = cutEnd(isError ? `${glyphOf(theme, "bad")} ${said}` : said, columns);
    return isError ? paint(theme, "bad", text) : text;
  }
  if (model.search)
    return keys(
      theme,
      [
        ["n", "next"],
        ["N", "previous"],
        ["esc", "ends"],
      ],
      columns,
      `"${model.search.query}"  `,
    );
  return keys(theme, hints(model), columns);
}

/** The commands with a hint that can be run here, in the table's order. */
function hints(model: Model): [string, string][] {
  return COMMANDS.filter(
    (command) =>
      command.hint !== undefined && (command.panels?.includes(model.focus) ?? true) && isEnabled(model, command),
  ).map((command) => [command.keys![0]!, command.hint!]);
}

/** What does not fit goes from the middle: the palette, the help and the way out stay. */
function keys(theme: Theme, pairs: [string, string][], columns: number, prefix = ""): string {
  const shown = [...pairs];
  const text = (): string => shown.map(([key, word]) => `${key} ${word}`).join("  ");
  while (shown.length > 3 && prefix.length + text().length > columns) shown.splice(shown.length - 4, 1);
  return prefix + shown.map(([key, word]) => `${bold(key)} ${paint(theme, "quiet", word)}`).join("  ");
}

function connectionText(theme: Theme, model: Model): string {
  switch (model.connection) {
    case "reconnecting":
      return paint(theme, "attention", `${glyphOf(theme, "passing")} reconnecting; what runs goes on`);
    case "gone":
      return paint(theme, "bad", `${glyphOf(theme, "bad")} no server`);
    default:
      return "";
  }
}
