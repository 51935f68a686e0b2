import type { Session } from "../../protocol/units.ts";
import type { Context } from "../context.ts";
import { unitTable } from "./unit-table.ts";

/** Sessions as rows of the table of units, with the server that has each: those that need you first, then by their last sign of life. */
const RANK = { needs_you: 0, working: 1, starting: 1, idle: 2, saved: 3, ended: 4 } as const;

/** @param cardColumns in a card, which is drawn for people wherever it goes: how wide it is */
export function sessionLines(
  { output, env, nowMs }: Context,
  sessions: readonly Session[],
  cardColumns?: number,
): string[] {
  const sorted = sessions.toSorted(
    (a, b) => (RANK[a.state] ?? 2) - (RANK[b.state] ?? 2) || Date.parse(b.active_at) - Date.parse(a.active_at),
  );
  const width = { columnCount: output.columnCount, ...(cardColumns && { isTerminal: true, columnCount: cardColumns }) };
  const options = { ...output, ...width, nowMs: nowMs(), userHome: env.HOME };
  return unitTable(sorted, { ...options, withDirectory: true, withServer: true, withIcons: true });
}
