import { WarrenError } from "../../protocol/errors.ts";
import { quoteWord } from "../../protocol/quote-word.ts";

/** What the device's side refuses, in words for the person who holds it. None names a key or a secret. */

export const hubOther = (address: string, wanted: string, found: string): WarrenError =>
  new WarrenError(
    "HUB_KEY_OTHER",
    `The hub at ${address} has the fingerprint ${found}, and the pairing code names ${wanted}. Nothing was sent to it.`,
    { fix: "warren pair, on the machine, shows a new code" },
  );

export const machineRefuses = (name: string): WarrenError =>
  new WarrenError("DEVICE_REFUSED", `${name} does not let this device in, or not any more.`, {
    fix: "warren pair      # on that machine, for a new code",
  });

export const machineSilent = (name: string): WarrenError =>
  new WarrenError("MACHINE_SILENT", `${name} does not answer through this hub.`, {
    fix: "warren status      # on that machine",
  });

/**
 * @param lastThere `at 12:03`, `on 2026-11-20 at 12:03`
 * @param why the last thing that was tried, as a sentence
 */
export const machineAway = (name: string, lastThere: string | undefined, why: string): WarrenError =>
  new WarrenError(
    "MACHINE_AWAY",
    `${name} cannot be reached now${lastThere === undefined ? "" : `; it was last there ${lastThere}`}. ${why}`,
    { fix: "warren ping      # on that machine; its server starts with its first command" },
  );

export const machineNotFound = (name: string, near: string | undefined, known: readonly string[]): WarrenError =>
  new WarrenError("MACHINE_NOT_FOUND", `machine not found: ${name}${foundInstead(near, known)}`, {
    fix: near
      ? `warren --on ${quoteWord(near)} list`
      : "warren pair      # on that machine; then here: warren pair CODE",
    detail: { candidates: known },
  });

function foundInstead(near: string | undefined, known: readonly string[]): string {
  if (near) return `. Did you mean ${near}?`;
  return known.length > 0 ? `. This one may steer ${known.join(", ")}.` : "";
}

export const machineAmbiguous = (name: string, known: readonly string[]): WarrenError =>
  new WarrenError("MACHINE_AMBIGUOUS", `Several machines are called ${name}.`, {
    fix: `warren --on ${quoteWord(known[0] ?? name)} list`,
    detail: { candidates: known },
  });

export const machineBroken = (name: string): WarrenError =>
  new WarrenError(
    "MACHINE_BROKEN",
    `What came from ${name} cannot be read, or was not written by it. Nothing of it was used.`,
    {
      fix: "update Warren at the end that is older",
    },
  );

/** Tried again by whoever dials: the same code as of a server that was lost. */
export const streamLost = (name: string): WarrenError =>
  new WarrenError("CONNECTION_LOST", `The connection to ${name} was lost.`, {
    fix: "warren ping      # on that machine",
  });

export const pairingBroken = (): WarrenError =>
  new WarrenError("PAIRING_BROKEN", "The other end of this pairing is not the machine that made the code.", {
    fix: "warren pair, on the machine, shows a new code",
  });

export const pairingGone = (): WarrenError =>
  new WarrenError("PAIRING_GONE", "Nobody waits behind this code: it was used, taken back, or its time is over.", {
    fix: "warren pair, on the machine, shows a new code",
  });

export const pairingRefused = (machine: string): WarrenError =>
  new WarrenError("PAIRING_REFUSED", `The person at ${machine} said no. Nothing was kept.`, {
    fix: "warren pair, on the machine, shows a new code",
  });

export const pairingExpired = (): WarrenError =>
  new WarrenError("PAIRING_EXPIRED", "Nobody at the machine has said yes in time. Nothing was kept.", {
    fix: "warren pair, on the machine, shows a new code",
  });

export const pairingCancelled = (): WarrenError =>
  new WarrenError("PAIRING_CANCELLED", "The pairing was given up. Nothing was kept.", {
    fix: "warren pair, on the machine, shows a new code",
  });

export const itemMissing = (id: string): WarrenError =>
  new WarrenError("ITEM_NOT_FOUND", `Nothing of this device waits under the id ${id}.`);

export const itemSent = (id: string): WarrenError =>
  new WarrenError("ITEM_SENT", `${id} was sent: it may have been done by now, and cannot be changed or taken back.`);

export const recordNotKept = (why: string): WarrenError =>
  new WarrenError("RECORD_NOT_KEPT", `What a machine has left for this device could not be kept here: ${why}.`, {
    fix: "make room on this device; it is fetched again",
  });
