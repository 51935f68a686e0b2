import type { PairingEnd } from "../../contact/pairing-steps.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { quoteWord } from "../../protocol/quote-word.ts";

/** Why a device was not introduced, in words for the person who holds the one that introduces, and for the other. */

const AGAIN = "warren pair --for MACHINE      # shows a new code";

export const nobody = (): WarrenError =>
  new WarrenError("INTRODUCING_NOBODY", "No machine was named to which the device is to be introduced.", {
    fix: "warren pair --for laptop",
  });

export const tooMany = (count: number, limit: number): WarrenError =>
  new WarrenError("INTRODUCING_TOO_MANY", `${count} machines are named, and one code is good for ${limit}.`, {
    fix: "use several codes",
  });

export const notThere = (machine: string, hub: string): WarrenError =>
  new WarrenError("INTRODUCING_NOT_THERE", `${machine} is not met at the hub ${hub}.`, {
    fix: `warren pair --hub ADDRESS      # on ${quoteWord(machine)}, to have it there`,
  });

/** In words what each has said. */
export const nowhere = (left: readonly { name: string; sentence: string }[]): WarrenError =>
  new WarrenError("INTRODUCING_NOWHERE", `No machine has let it in. ${wordsOf(left)}`, { fix: AGAIN });

/** The same, at the new device. */
export const introducedNowhere = (left: readonly { name: string; sentence: string }[]): WarrenError =>
  new WarrenError("PAIRING_REFUSED", `No machine has let this device in, and nothing was kept. ${wordsOf(left)}`, {
    fix: "ask for a new code",
  });

const wordsOf = (left: readonly { name: string; sentence: string }[]): string =>
  left.map(({ name, sentence }) => `${name}: ${sentence}`).join(" ");

const ENDS: Readonly<Record<PairingEnd, [code: string, sentence: string]>> = {
  refused: ["INTRODUCING_REFUSED", "The device was refused. Nothing was kept."],
  expired: ["INTRODUCING_EXPIRED", "Nobody came in time: the code is of no use any more. Nothing was kept."],
  cancelled: ["INTRODUCING_CANCELLED", "The introduction was given up. Nothing was kept."],
  left: ["INTRODUCING_LEFT", "The device went away before it had kept anything. No machine lets it in."],
  failed: ["INTRODUCING_FAILED", "The device is not who it says. Nothing was kept."],
};

export function ended(how: PairingEnd): WarrenError {
  const [code, sentence] = ENDS[how];
  return new WarrenError(code, sentence, { fix: AGAIN });
}
