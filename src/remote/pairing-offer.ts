import { guestBroken, type ProvenGuest } from "../contact/pairing-guest.ts";
import type { SealingCrypto } from "../sealing/crypto.ts";
import { isProof, makeOffer, type Offer } from "../sealing/pairing.ts";
import type { HubPlace } from "./hubs.ts";
import type { MachineKeys } from "./machine-keys.ts";

/** This machine, as devices get to know it. */
export interface OfferingMachine {
  machine: MachineKeys;
  /** What devices call this machine, and who asks: `laptop`, `anna@laptop`. */
  name: string;
  words: string;
}

/** What a device is offered at this hub. */
export const offerAt = (
  { loginKey }: HubPlace,
  { machine: { signing, exchange }, name, words }: OfferingMachine,
  scopes: Offer["scopes"],
): Offer => ({
  signingKey: signing.publicKey,
  exchangeKey: exchange.publicKey,
  space: loginKey.publicKey,
  name,
  words,
  scopes,
});

export interface OfferOptions {
  crypto: SealingCrypto;
  machine: MachineKeys;
  offer: Offer;
}

/** What this machine answers to a guest's proof, signed for its handshake. @throws PAIRING_BROKEN: it does not hold the key that it introduced */
export async function offerTo(
  { crypto, machine, offer }: OfferOptions,
  text: Uint8Array,
  { signingKey, handshakeHash }: ProvenGuest,
): Promise<Uint8Array> {
  if (!(await isProof(crypto, { text, signingKey, handshakeHash }))) throw guestBroken();
  return makeOffer(crypto, { offer, key: machine.signing, handshakeHash });
}
