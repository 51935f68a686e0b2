import type { Session } from "../../protocol/units.ts";
import type { Context } from "../context.ts";
import { shortAge, shortPath } from "./ages.ts";
import { stateOfSession } from "./states.ts";
import { cutMiddle, padEnd, printable, widthOf } from "./text-width.ts";

/** Sessions, one a line: those that need you first, then by their last sign of life. In a pipe without glyphs, colour and cuts. */
const RANK = { needs_you: 0, working: 1, starting: 1, idle: 2, saved: 3, ended: 4 } as const;
const TEXT_WIDTH_MIN = 16;

export function sessionLines(context: Context, sessions: readonly Session[]): string[] {
  const sorted = sessions.toSorted(
    (a, b) => (RANK[a.state] ?? 2) - (RANK[b.state] ?? 2) || Date.parse(b.active_at) - Date.parse(a.active_at),
  );
  return context.output.isTerminal ? table(context, sorted) : sorted.map(plainLine);
}

/** `fox: [4711] idle on blazing (/p): bash` */
const plainLine = (session: Session): string =>
  `${session.name}: [${session.pid === 0 ? "-" : session.pid}] ${stateOfSession(session).word}${session.unread ? `, ${session.unread} unread,` : ""} on ${session.server} (${session.workdir}): ${whatItDoes(session)}`;

/** What it asks, else its title, else its command. */
const whatItDoes = ({ state, attention, title, command }: Session): string =>
  printable((state === "needs_you" && attention) || title || command.join(" "));

function table({ output, env, nowMs }: Context, sessions: readonly Session[]): string[] {
  const { style, glyphs, columnCount } = output;
  const rows = sessions.map((session) => {
    const view = stateOfSession(session);
    const clients = session.client_count + session.viewer_count;
    return {
      session,
      view,
      cells: [
        glyphs ? `${session.icon} ${session.name}` : session.name,
        session.kind,
        view.word,
        session.unread ? `${session.unread} unread` : "",
        session.server,
        shortAge(nowMs() - Date.parse(session.active_at)),
        clients > 0 ? `${clients} attached` : "",
        printable(shortPath(session.workdir, env.HOME)),
      ],
    };
  });
  const widths = rows.reduce<number[]>(
    (max, { cells }) => cells.map((cell, at) => Math.max(max[at] ?? 0, widthOf(cell))),
    [],
  );
  return rows.map(({ session, view, cells }) => {
    const mark = style.tone(view.tone, padEnd(glyphs ? view.glyph : view.plain, glyphs ? 1 : 2), view.dim);
    const shown = cells.flatMap((cell, at) => {
      const padded = padEnd(cell, widths[at]!);
      if (widths[at] === 0) return [];
      return [
        at === 0
          ? style.bold(padded)
          : at === 2
            ? style.tone(view.tone, padded, view.dim)
            : at === 3
              ? style.tone("attention", padded)
              : style.dim(padded),
      ];
    });
    const head = `${mark} ${shown.join("   ")}   `;
    return `${head}${cutMiddle(whatItDoes(session), Math.max(TEXT_WIDTH_MIN, columnCount - widthOf(head)))}`.trimEnd();
  });
}
