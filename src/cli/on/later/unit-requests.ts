import type { UnitVerb } from "../../unit-verbs.ts";
import type { LaterRequest } from "./keep-later.ts";
import { type KnownUnits, unitKnown } from "./unit-known.ts";

/** What a verb asks of each of these units, one after another. */
export interface RequestsOf {
  job(id: string): Omit<LaterRequest, "what">[];
  session(id: string): Omit<LaterRequest, "what">[];
}

/** @throws UNIT_NOT_KNOWN, UNIT_AMBIGUOUS, and what `refusalOf` answers */
export const unitRequests = (
  known: KnownUnits,
  { verb, names, requests }: { verb: UnitVerb; names: readonly string[]; requests: RequestsOf },
): LaterRequest[] =>
  names.flatMap((name) => {
    const { id, kind } = unitKnown(known, name, verb);
    const asked = kind === "job" ? requests.job(id) : requests.session(id);
    return asked.map((request) => ({ ...request, what: `${verb} ${name}` }));
  });
