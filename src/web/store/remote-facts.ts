import type { MachineRow } from "../../client/remote/remote-events.ts";
import type { HubEntry, MachineEntry } from "../../client/remote/world.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { Settings } from "../../protocol/settings.ts";
import { RECORD_KINDS } from "../../sealing/record.ts";
import { decodeSettings } from "../../sealing/settings-text.ts";
import { decodeUnitRow } from "../../sealing/unit-row.ts";
import type { FleetHub, MachineFacts } from "../model/fleet.ts";
import type { RecordedUnit } from "../model/home.ts";
import type { KeptRow } from "./device/record-shelf.ts";

/** What the coordinator and the store say, as the fleet has it. Pure. */

/** A hub at an address, before it is added: for its fingerprint to be compared. */
export interface FoundHub {
  address: string;
  fingerprint: string;
  key: Uint8Array;
  label: string;
  /** As it is called here already; then it gets another address. */
  knownAs: string | undefined;
}

export const hubOf = (
  { fingerprint, label, addresses, addedMs, usedMs, isOff }: HubEntry,
  state: FleetHub["state"],
): FleetHub => ({ fingerprint, label, addresses, addedMs, usedMs, isOff: isOff === true, state });

export const NOTHING_HEARD = { liveHub: undefined, presence: {}, refusal: undefined };

export function factsOf(
  { id, name, words, scopes, spaces }: MachineEntry,
  { liveHub, presence, refusal }: Pick<MachineRow, "liveHub" | "presence" | "refusal">,
  isIncomplete: boolean,
): MachineFacts {
  const hubs = Object.fromEntries(Object.keys(spaces).map((hub) => [hub, presence[hub]]));
  return { id, ownName: name, words, scopes, liveHub, hubs, refusedBy: refusal?.by, isIncomplete };
}

/** Undefined for what is no row of a unit, or of a form that this app does not know. */
export function recordedOf({
  kind,
  text,
  atMs,
  hub,
  stream,
}: Pick<KeptRow, "kind" | "text" | "atMs" | "hub" | "stream">): RecordedUnit | undefined {
  if (kind !== RECORD_KINDS.state) return undefined;
  try {
    return { row: decodeUnitRow(text), atMs, from: { hub, stream } };
  } catch (error) {
    if (!isWarrenError(error, "FORM_INVALID")) throw error;
    return undefined;
  }
}

/** What machines have said of the app's settings while this page was not there, the oldest first. */
export const keptSettings = (rows: readonly KeptRow[], nowMs: number): { machine: string; settings: Settings }[] =>
  [...rows]
    .sort((a, b) => a.atMs - b.atMs)
    .flatMap(({ kind, machine, text }) => {
      const settings = kind === RECORD_KINDS.state ? decodeSettings(text, nowMs) : undefined;
      return settings ? [{ machine, settings }] : [];
    });
