import { cutText } from "../../protocol/cut-text.ts";
import type { Fleet } from "./fleet.ts";
import { idOf, LOCAL, type Row } from "./rows.ts";
import type { SettingValues } from "./settings.ts";

/**
 * The beginning of the list as it stood last, so that the next page shows rows before it has looked up keys, hubs and homes. Pure.
 *
 * 1. Nothing in it is said to be so now: each row has the time of which it is, as the row that takes its place will have it.
 * 2. Its rows are the first ones of the list that follows, in the same order, unless something was heard meanwhile.
 * 3. It is of one order of the list: with another one it is not shown.
 */
export interface FirstScreen {
  order: SettingValues["order"];
  machineCount: number;
  /** Of the whole list, of which `rows` are the first. */
  counts: RowCounts;
  rows: readonly Row[];
}

export interface RowCounts {
  units: number;
  working: number;
  needYou: number;
}

/** More than the list draws at once on a large desktop; the rest is there soon after. */
const ROW_COUNT = 60;
/** Longer texts are cut by the list in any case. */
const TEXT_LENGTH = 300;
/** Of what is kept; one of another form is as if there were none. */
const FORM = 1;

export const countsOf = (rows: readonly Row[]): RowCounts => ({
  units: rows.length,
  working: rows.filter(({ state }) => state.word === "working").length,
  needYou: rows.filter(({ needsYou }) => needsYou).length,
});

/** Undefined: there is nothing to be shown. @param rows of the whole list, in its order */
export function firstScreenOf(
  rows: readonly Row[],
  { machines }: Pick<Fleet, "machines">,
  order: FirstScreen["order"],
): FirstScreen | undefined {
  if (rows.length === 0) return undefined;
  // The rows of a home alone say no time: it stands above the list.
  const asOf = ({ machine, asOfMs }: Row): number | undefined =>
    machine === LOCAL && machines.size === 1 ? asOfMs : (asOfMs ?? machines.get(machine)?.home.confirmedMs ?? 0);
  const first = rows.slice(0, ROW_COUNT).map((row) => ({ ...row, asOfMs: asOf(row) }));
  return { order, machineCount: machines.size, counts: countsOf(rows), rows: first };
}

export const textOfFirstScreen = ({ rows, ...rest }: FirstScreen): string =>
  JSON.stringify({ form: FORM, ...rest, rows: rows.map(keptRow) });

/** Undefined for what this app has not written. */
export function readFirstScreen(text: string | null): FirstScreen | undefined {
  try {
    const { form, rows, ...rest } = JSON.parse(text ?? "null") ?? {};
    return form === FORM ? { ...rest, rows: rows.map(shownRow) } : undefined;
  } catch {
    return undefined;
  }
}

type KeptRow = Omit<Row, "unit"> & { id: string };

function keptRow({ unit, ...row }: Row): KeptRow {
  return { ...row, id: idOf(unit), detail: cutText(row.detail, TEXT_LENGTH) };
}

/** What the list shows of a unit, and no more: its page waits for the rest. */
function shownRow({ id, ...row }: KeptRow): Row {
  const { kind, name, sinceMs, asOfMs, machineName, hub, state } = row;
  return {
    ...row,
    // JSON has neither of both.
    sinceMs: sinceMs ?? Number.NaN,
    asOfMs,
    machineName,
    hub,
    unit: { kind: "recorded", record: { id, kind, name, state: state.word } },
  };
}
