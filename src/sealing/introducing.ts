import { concat, utf8 } from "./bytes.ts";
import { KEY_BYTES, type SealingCrypto, SIGNATURE_BYTES, type SigningKey } from "./crypto.ts";
import { formInvalid } from "./errors.ts";
import { encodeWith, type Field, fixed, flag, type Layout, layout, str8, str16, struct } from "./layout.ts";
import { OFFER, type Offer, PROOF } from "./pairing.ts";
import { type Scope, scopes } from "./scopes.ts";

/**
 * What is said where a device, and not a machine, has made the code, to introduce another device to machines of its own (docs/remote-design.md,
 * Pairing). The new device signs for the machines, and each machine for the new device, over the handshake between the two devices: so that who
 * introduces can put nobody else's key in the place of either.
 */

/** Past it: several codes. */
export const INTRODUCED_MACHINES_MAX = 16;

/** In the second message of the handshake, where a machine says nothing: who introduces, and to whom. */
export interface Introducer {
  /** As the device that introduces calls itself. */
  name: string;
  machines: readonly IntroducedMachine[];
}
export interface IntroducedMachine {
  /** Ed25519: who it is, on the word of the one that introduces. */
  signingKey: Uint8Array;
  name: string;
  words: string;
}

const many = <T>(field: Field<T>): Field<readonly T[]> => ({
  write(values, writer) {
    if (values.length > INTRODUCED_MACHINES_MAX) throw tooMany(writer.what);
    writer.integer(values.length, 1);
    for (const value of values) field.write(value, writer);
  },
  read(reader) {
    const count = reader.integer(1);
    if (count > INTRODUCED_MACHINES_MAX) throw tooMany(reader.what);
    return Array.from({ length: count }, () => field.read(reader));
  },
});

const tooMany = (what: string) => formInvalid(what, `more than ${INTRODUCED_MACHINES_MAX} machines are in it`);

const MACHINE: Field<IntroducedMachine> = struct({ signingKey: fixed(KEY_BYTES), name: str8, words: str8 });
export const INTRODUCER: Layout<Introducer> = layout("introducer", { name: str8, machines: many(MACHINE) });

/** What both signatures are about. */
export interface IntroductionFacts {
  /** The hub's fingerprint. */
  hub: Uint8Array;
  /** Of the handshake between the two devices. */
  handshakeHash: Uint8Array;
  /** The new device's: Ed25519, X25519, and its login key at that hub. */
  signingKey: Uint8Array;
  exchangeKey: Uint8Array;
  loginKey: Uint8Array;
}

/** The new device's first text: these keys are its own, and it wants to come with these scopes. */
export const makeIntroductionProof = async (
  crypto: SealingCrypto,
  { facts, scopes, key }: { facts: IntroductionFacts; scopes: readonly Scope[]; key: SigningKey },
): Promise<Uint8Array> => PROOF.encode({ signature: await crypto.sign(key, proofText(facts, scopes)) });

/** @throws FORM_INVALID */
export const isIntroductionProof = (
  crypto: SealingCrypto,
  { facts, scopes, text }: { facts: IntroductionFacts; scopes: readonly Scope[]; text: Uint8Array },
): Promise<boolean> => crypto.verify(facts.signingKey, proofText(facts, scopes), PROOF.decode(text).signature);

/** A machine's offer, signed for this one device. */
export interface SignedOffer {
  offer: Offer;
  signature: Uint8Array;
}
const SIGNED_OFFER: Field<SignedOffer> = struct({ offer: OFFER, signature: fixed(SIGNATURE_BYTES) });
export const INTRODUCTION_OFFER: Layout<{ signed: SignedOffer }> = layout("introduction's offer", {
  signed: SIGNED_OFFER,
});

export const signOffer = async (
  crypto: SealingCrypto,
  { facts, offer, key }: { facts: IntroductionFacts; offer: Offer; key: SigningKey },
): Promise<SignedOffer> => ({ offer, signature: await crypto.sign(key, offerText(facts, offer)) });

/** Whether the key in the offer has signed it for this device, here and now. */
export const isOfferSigned = (
  crypto: SealingCrypto,
  { facts, signed: { offer, signature } }: { facts: IntroductionFacts; signed: SignedOffer },
): Promise<boolean> => crypto.verify(offer.signingKey, offerText(facts, offer), signature);

/** The last text of the one that introduces: which machines have let the device in, and why the others have not. */
export interface Outcome {
  /** As in a verdict: 1, and what follows. */
  isJoined: boolean;
  joined: readonly SignedOffer[];
  left: readonly { signingKey: Uint8Array; sentence: string }[];
}
export const OUTCOME: Layout<Outcome> = layout("outcome", {
  isJoined: flag,
  joined: many(SIGNED_OFFER),
  left: many(struct({ signingKey: fixed(KEY_BYTES), sentence: str16 })),
});

const keysOf = ({ hub, handshakeHash, signingKey, exchangeKey, loginKey }: IntroductionFacts): Uint8Array =>
  concat(hub, handshakeHash, signingKey, exchangeKey, loginKey);

const proofText = (facts: IntroductionFacts, asked: readonly Scope[]): Uint8Array =>
  encodeWith("introduction", (writer) => {
    writer.raw(utf8("warren introduce device 1\0"));
    writer.raw(keysOf(facts));
    scopes.write(asked, writer);
  });

const offerText = (facts: IntroductionFacts, offer: Offer): Uint8Array =>
  encodeWith("introduction", (writer) => {
    writer.raw(utf8("warren introduce machine 1\0"));
    writer.raw(keysOf(facts));
    OFFER.write(offer, writer);
  });
