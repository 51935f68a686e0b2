import type { UnitVerb } from "../../unit-verbs.ts";
import type { LaterRequest } from "./keep-later.ts";
import { type KnownUnits, unitKnown } from "./unit-known.ts";

/** What a verb asks of each of these units, one after another. */
export interface RequestsOf {
  job(id: string): Omit<LaterRequest, "what">[];
  session(id: string): Omit<LaterRequest, "what">[];
  /** @param id `project/name`: the machine refuses where two projects of one name have it */
  worker(id: string): Omit<LaterRequest, "what">[];
}

const KIND_ASKED = { job: "job", session: "session", agent: "session", worker: "worker" } as const;

/** @throws UNIT_NOT_KNOWN, UNIT_AMBIGUOUS, and what `refusalOf` answers */
export const unitRequests = (
  known: KnownUnits,
  { verb, names, requests }: { verb: UnitVerb; names: readonly string[]; requests: RequestsOf },
): LaterRequest[] =>
  names.flatMap((name) => {
    const { id, kind } = unitKnown(known, name, verb);
    return requests[KIND_ASKED[kind]](id).map((request) => ({ ...request, what: `${verb} ${name}` }));
  });
