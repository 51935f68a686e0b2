import { WarrenError } from "../../../protocol/errors.ts";
import { quoteWord } from "../../../protocol/quote-word.ts";
import type { UnitRow } from "../../../sealing/unit-row.ts";
import { refusalOf, type UnitKind, type UnitVerb } from "../../unit-verbs.ts";
import { wordOf } from "../../unit-word.ts";

/** What a name means on a machine that is away: what it has said last of its units. A request is bound to the id that was meant. */
export interface KnownUnits {
  machine: string;
  units: readonly UnitRow[];
  /** Not all that it has said has come. */
  isBehind: boolean;
}

export interface KnownUnit {
  id: string;
  kind: UnitKind;
  name: string;
}

const OVER: readonly string[] = ["stopped", "exited", "failed", "killed", "ended", "done", "lost"];

/**
 * With its kind before it (`job:web`) a name need not be known.
 * @param kind what it is where the verb takes one kind alone
 * @throws UNIT_NOT_KNOWN, UNIT_AMBIGUOUS, and what `refusalOf` answers
 */
export function unitKnown(
  { machine, units, isBehind }: KnownUnits,
  reference: string,
  verb: UnitVerb,
  kind?: "session",
): KnownUnit {
  const word = wordOf(reference);
  const { name } = word;
  const wanted = word.kind ?? kind;
  const named = units.filter((unit) => (unit.id === name || unit.name === name) && isOf(unit, wanted));
  const exact = named.filter(({ id }) => id === name);
  const live = named.filter(({ state }) => !OVER.includes(state));
  const found = [exact, live, named].find((some) => some.length > 0) ?? [];
  if (found.length > 1) throw ambiguous(machine, name, found);
  const [row] = found;
  const unit = row
    ? { id: row.id, kind: row.kind as UnitKind, name: row.name }
    : wanted && { id: name, kind: wanted, name };
  if (!unit) throw notKnown({ machine, isBehind }, name, verb);
  const refusal = refusalOf(verb, unit.kind, unit.name);
  if (refusal) throw refusal;
  return unit;
}

const isOf = ({ kind }: UnitRow, wanted: string | undefined): boolean =>
  wanted === undefined || (kind === "agent" ? "session" : kind) === wanted;

const ambiguous = (machine: string, name: string, units: readonly UnitRow[]): WarrenError => {
  const words = units.map(({ kind, id }) => `${kind}:${id}`);
  return new WarrenError(
    "UNIT_AMBIGUOUS",
    `${name} is the name of ${units.length} units of ${machine}: ${words.join(", ")}.`,
    {
      fix: "type one of these in the place of the name",
      detail: { candidates: words },
    },
  );
};

function notKnown({ machine, isBehind }: Omit<KnownUnits, "units">, name: string, verb: string): WarrenError {
  const more = isBehind ? " Not all that it has left for this device has come: something newer is missing here." : "";
  return new WarrenError("UNIT_NOT_KNOWN", `${machine} has told this device of no unit called ${name}.${more}`, {
    fix: `warren ${verb} --later ${quoteWord(`job:${name}`)}      # or ${quoteWord(`session:${name}`)}, where you are sure`,
  });
}
