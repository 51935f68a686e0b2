import type { Participant, Presence } from "../../protocol/mail-units.ts";
import { presenceWord } from "../../protocol/mail-words.ts";
import type { Context } from "../context.ts";
import { shortAge } from "../render/ages.ts";
import type { Tone } from "../render/style.ts";
import { padEnd, padStart, widthOf } from "../render/text-width.ts";
import { escapedLine } from "./untrusted-text.ts";

/** Participants, one a line: those that are here first, then by name. */
const VIEWS: Record<Presence, { glyph: string; plain: string; tone: Tone; rank: number }> = {
  live: { glyph: "◉", plain: "*", tone: "live", rank: 0 },
  busy: { glyph: "◉", plain: "*", tone: "live", rank: 0 },
  idle: { glyph: "○", plain: "o", tone: "quiet", rank: 0 },
  gone: { glyph: "◌", plain: ".", tone: "quiet", rank: 1 },
};

export function participantLines(context: Context, participants: readonly Participant[]): string[] {
  const sorted = participants.toSorted(
    (a, b) => viewOf(a).rank - viewOf(b).rank || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  return context.output.isTerminal ? table(context, sorted) : sorted.map(plainLine);
}

const viewOf = ({ presence }: Participant) => VIEWS[presence] ?? VIEWS.gone;

/** `fox: live, 2 unread, agent's own name` */
function plainLine(participant: Participant): string {
  const { name, unread } = participant;
  return [`${escapedLine(name)}: ${presenceWord(participant)}`, `${unread} unread`, ...wordsOf(participant)].join(", ");
}

function wordsOf({ owner, forwards_to, groups }: Participant): string[] {
  return [
    ...(owner === "unit" ? ["session"] : owner === "key" ? ["key"] : []),
    ...(forwards_to === undefined ? [] : [`mail goes to ${escapedLine(forwards_to)}`]),
    ...groups.map((group) => `@${escapedLine(group)}`),
  ];
}

function table({ output, nowMs }: Context, participants: readonly Participant[]): string[] {
  const { style, glyphs } = output;
  const rows = participants.map((one) => ({
    view: viewOf(one),
    cells: [
      escapedLine(one.name),
      presenceWord(one),
      one.unread > 0 ? `${one.unread} unread` : "",
      one.last_seen === undefined ? "" : shortAge(nowMs() - Date.parse(one.last_seen)),
    ],
    words: wordsOf(one).join("  "),
  }));
  const widths = [0, 1, 2, 3].map((at) => Math.max(...rows.map(({ cells }) => widthOf(cells[at]!))));
  return rows.map(({ view, cells, words }) => {
    const mark = style.tone(view.tone, padEnd(glyphs ? view.glyph : view.plain, 1), view.rank > 0);
    const [name, presence, unread, age] = cells.map((cell, at) =>
      at === 3 ? padStart(cell, widths[at]!) : padEnd(cell, widths[at]!),
    ) as [string, string, string, string];
    const shown = [style.bold(name), style.tone(view.tone, presence), style.tone("attention", unread), style.dim(age)];
    return `${mark} ${shown.filter((_, at) => widths[at]! > 0).join("   ")}   ${style.dim(words)}`.trimEnd();
  });
}
