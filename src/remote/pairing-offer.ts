import { guestBroken, type ProvenGuest } from "../contact/pairing-guest.ts";
import type { SealingCrypto } from "../sealing/crypto.ts";
import { isProof, makeOffer, type Offer } from "../sealing/pairing.ts";
import type { MachineKeys } from "./machine-keys.ts";

export interface OfferOptions {
  crypto: SealingCrypto;
  machine: MachineKeys;
  offer: Omit<Offer, "signingKey" | "exchangeKey">;
}

/** What this machine answers to a guest's proof, signed for its handshake. @throws PAIRING_BROKEN: it does not hold the key that it introduced */
export async function offerTo(
  { crypto, machine, offer }: OfferOptions,
  text: Uint8Array,
  { signingKey, handshakeHash }: ProvenGuest,
): Promise<Uint8Array> {
  if (!(await isProof(crypto, { text, signingKey, handshakeHash }))) throw guestBroken();
  return makeOffer(crypto, { offer: { ...offer, ...publicKeys(machine) }, key: machine.signing, handshakeHash });
}

/** Who it is, for its devices. */
export const publicKeys = ({ signing, exchange }: MachineKeys): Pick<Offer, "signingKey" | "exchangeKey"> => ({
  signingKey: signing.publicKey,
  exchangeKey: exchange.publicKey,
});
