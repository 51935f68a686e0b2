import { WarrenError } from "../protocol/errors.ts";
import { shownSentence } from "./shown-text.ts";

/** What goes wrong with a hub, in words for a person at any of its members. None names a key or a secret. */

/** @param why without a full stop */
export const hubUnreachable = (
  address: string,
  why: string,
  fix = `curl ${address}/hub/v1/key      # on the hub: warren hub status`,
): WarrenError => new WarrenError("HUB_UNREACHABLE", `The hub at ${address} cannot be reached: ${why}.`, { fix });

export const hubNotThere = (address: string): WarrenError =>
  new WarrenError(
    "HUB_NOT_THERE",
    `Something answers at ${address}, but it is no hub of Warren, or one of another version.`,
    { fix: "warren hub status      # on the hub: shows its addresses" },
  );

export const hubSilent = (address: string): WarrenError =>
  new WarrenError("HUB_SILENT", `The hub at ${address} does not answer.`, {
    fix: "warren hub status      # on the hub",
  });

export const hubLost = (): WarrenError =>
  new WarrenError("HUB_LOST", "The connection to the hub has ended.", { fix: "warren hub status      # on the hub" });

export const hubUntrue = (address: string): WarrenError =>
  new WarrenError("HUB_UNTRUE", `Whatever answers at ${address} could not show that it is the hub, and got nothing.`, {
    fix: "warren hub status      # on the hub: shows its addresses",
  });

export const hubChanged = (address: string, known: string, found: string): WarrenError =>
  new WarrenError(
    "HUB_KEY_CHANGED",
    `Another hub answers at ${address}: its fingerprint is ${found}, and the one that is known here has ${known}. Nothing was sent to it.`,
    { fix: "warren hub status      # on the hub: shows its fingerprint; if it was set up anew, pair again" },
  );

export const hubFloods = (address: string): WarrenError =>
  new WarrenError("HUB_FLOODS", `The hub at ${address} sends more than it may, and was hung up on.`, {
    fix: "warren hub status      # on the hub",
  });

/** A hub's words are shown as words; what to type is never a hub's to say. */
export const hubRefusal = ({ code, sentence }: { code: string; sentence: string }): WarrenError =>
  new WarrenError(/^[A-Z][A-Z_]{1,40}$/.test(code) ? code : "HUB_REFUSED", shownSentence(sentence), {
    fix: FIXES[code] ?? "warren hub status      # on the hub",
  });

const PAIR_ANEW = "warren pair      # on the machine, for a new code";
const INVITE = "warren hub invite      # on the hub";
const FIXES: Readonly<Record<string, string>> = {
  KEY_NOT_KNOWN: PAIR_ANEW,
  DEVICE_UNKNOWN: PAIR_ANEW,
  EXPELLED: PAIR_ANEW,
  MACHINE_NOT_INVITED: INVITE,
  INVITATION_REFUSED: INVITE,
  SPACE_FULL: "warren devices      # and revoke what is not used any more",
  RENDEZVOUS_FULL: "let one of the codes be used, or wait two minutes",
};
