import { shownName, shownSentence } from "../../contact/shown-text.ts";
import { isEqual } from "../../sealing/bytes.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import {
  INTRODUCER,
  type Introducer,
  type IntroductionFacts,
  isOfferSigned,
  OUTCOME,
} from "../../sealing/introducing.ts";
import { pairingBroken } from "./errors.ts";
import { introducedNowhere } from "./introducing-errors.ts";
import type { IntroductionOutcome, PairingCard } from "./pair.ts";
import { copyOf } from "./pairing-kept.ts";

/** What a device hears that another one introduces to its machines, and what it takes of it. */

/** Who introduces, and to whom. @throws FORM_INVALID, PAIRING_BROKEN: to nobody, or to one twice */
export function readIntroducer(payload: Uint8Array): Introducer {
  const { name, machines } = INTRODUCER.decode(payload);
  const isTwice = machines.some(({ signingKey }, index) =>
    machines.slice(0, index).some((one) => isEqual(one.signingKey, signingKey)),
  );
  if (machines.length === 0 || isTwice) throw pairingBroken();
  return {
    name: shownName(name, "device"),
    machines: machines.map((machine) => ({
      signingKey: machine.signingKey.slice(),
      name: shownName(machine.name, "machine"),
      words: shownName(machine.words, ""),
    })),
  };
}

/**
 * The machines that have let this device in. Undefined: one of them is none of those that were agreed to, offers more than the code, or has not signed
 * for this device's own keys, in this handshake. @throws FORM_INVALID; PAIRING_REFUSED: no machine has let it in
 */
export async function openOutcome(
  crypto: SealingCrypto,
  {
    text,
    introducer,
    card,
    facts,
  }: { text: Uint8Array; introducer: Introducer; card: PairingCard; facts: IntroductionFacts },
): Promise<IntroductionOutcome | undefined> {
  const { isJoined, joined, left } = OUTCOME.decode(text);
  const leftOf = (all: typeof left) =>
    all.map(({ signingKey, sentence }) => ({
      name: agreedTo(signingKey)?.name ?? "machine",
      sentence: shownSentence(sentence),
    }));
  const agreedTo = (key: Uint8Array) => introducer.machines.find(({ signingKey }) => isEqual(signingKey, key));
  if (!isJoined) throw introducedNowhere(leftOf(left));
  if (joined.length + left.length !== introducer.machines.length) return undefined;
  for (const signed of joined) {
    const { signingKey, scopes } = signed.offer;
    const isWanted = agreedTo(signingKey) && scopes.every((scope) => card.code.scopes.includes(scope));
    if (!isWanted || !(await isOfferSigned(crypto, { facts, signed }))) return undefined;
  }
  return {
    offers: joined.map(({ offer }) => copyOf(offer)),
    left: leftOf(left),
  };
}
