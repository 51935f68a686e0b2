import { concat, utf8 } from "./bytes.ts";
import { KEY_BYTES, type SealingCrypto, SIGNATURE_BYTES, type SigningKey } from "./crypto.ts";
import { encodeWith, type Field, fixed, flag, type Layout, layout, str8, struct } from "./layout.ts";
import { FINGERPRINT_BYTES } from "./login.ts";
import { CODE_VERSION, type PairingCode } from "./pairing-code.ts";
import { type Scope, scopes } from "./scopes.ts";

/**
 * What a pairing says inside its Noise XKpsk3 session (docs/remote-design.md, Pairing): the device's introduction in the third message, then in
 * the session the device's proof and the machine's offer. Both sign the handshake's hash, so that a key which somebody else introduces is found out.
 */

export interface Rendezvous {
  id: Uint8Array;
  psk: Uint8Array;
  prologue: Uint8Array;
}

/** What both ends make of a code: where they meet, and what their handshake is bound to. */
export async function rendezvousOf(crypto: SealingCrypto, code: Omit<PairingCode, "address">): Promise<Rendezvous> {
  const id = (await crypto.sha256(code.pairingKey)).slice(0, FINGERPRINT_BYTES);
  const info = utf8("warren pair 1");
  const psk = await crypto.hkdf({ secret: code.secret, salt: new Uint8Array(0), info, length: KEY_BYTES });
  const prologue = encodeWith("pairing", (writer) => {
    writer.raw(utf8("warren pair 1\0"));
    writer.integer(CODE_VERSION, 1);
    fixed(FINGERPRINT_BYTES).write(code.hub, writer);
    writer.raw(id);
    writer.integer(code.expires, 4);
    scopes.write(code.scopes, writer);
  });
  return { id, psk, prologue };
}

/** In the device's third message. Its X25519 key is the handshake's static key. */
export interface Introduction {
  /** Ed25519. */
  signingKey: Uint8Array;
  /** At this hub. */
  loginKey: Uint8Array;
  /** As its owner calls it: `Pixel 9`. */
  name: string;
  /** `android`, `ios`, `linux`, … */
  platform: string;
}
export const INTRODUCTION: Layout<Introduction> = layout("introduction", {
  signingKey: fixed(KEY_BYTES),
  loginKey: fixed(KEY_BYTES),
  name: str8,
  platform: str8,
});

/** The first text of the session, the device's. */
export const PROOF: Layout<{ signature: Uint8Array }> = layout("proof", { signature: fixed(SIGNATURE_BYTES) });

/** The machine's text, signed. */
export interface Offer {
  /** Ed25519, by which it signs records. */
  signingKey: Uint8Array;
  /** X25519, for live sessions. The pairing's own key is forgotten. */
  exchangeKey: Uint8Array;
  /** Its login key at this hub, which names the space. */
  space: Uint8Array;
  name: string;
  /** Who asks, in words: `anna@laptop`. */
  words: string;
  scopes: readonly Scope[];
}
export const OFFER: Field<Offer> = struct({
  signingKey: fixed(KEY_BYTES),
  exchangeKey: fixed(KEY_BYTES),
  space: fixed(KEY_BYTES),
  name: str8,
  words: str8,
  scopes,
});
const SIGNED_OFFER = layout("offer", { offer: OFFER, signature: fixed(SIGNATURE_BYTES) });

export const makeProof = async (
  crypto: SealingCrypto,
  key: SigningKey,
  handshakeHash: Uint8Array,
): Promise<Uint8Array> => PROOF.encode({ signature: await crypto.sign(key, proofText(handshakeHash)) });

/** Whether the device holds the signing key that it introduced. @throws FORM_INVALID */
export const isProof = (
  crypto: SealingCrypto,
  { text, signingKey, handshakeHash }: { text: Uint8Array; signingKey: Uint8Array; handshakeHash: Uint8Array },
): Promise<boolean> => crypto.verify(signingKey, proofText(handshakeHash), PROOF.decode(text).signature);

export async function makeOffer(
  crypto: SealingCrypto,
  { offer, key, handshakeHash }: { offer: Offer; key: SigningKey; handshakeHash: Uint8Array },
): Promise<Uint8Array> {
  const signature = await crypto.sign(key, offerText(offer, handshakeHash));
  return SIGNED_OFFER.encode({ offer, signature });
}

/** The offer, if the key in it signed it in this very session; else undefined. @throws FORM_INVALID */
export async function openOffer(
  crypto: SealingCrypto,
  { text, handshakeHash }: { text: Uint8Array; handshakeHash: Uint8Array },
): Promise<Offer | undefined> {
  const { offer, signature } = SIGNED_OFFER.decode(text);
  return (await crypto.verify(offer.signingKey, offerText(offer, handshakeHash), signature)) ? offer : undefined;
}

/** The last text of the session, the machine's: its person has said yes, and the device is let in; or no. */
export const VERDICT: Layout<{ isJoined: boolean }> = layout("verdict", { isJoined: flag });

const proofText = (handshakeHash: Uint8Array): Uint8Array => concat(utf8("warren pair device 1\0"), handshakeHash);

const offerText = (offer: Offer, handshakeHash: Uint8Array): Uint8Array =>
  encodeWith("offer", (writer) => {
    writer.raw(utf8("warren pair machine 1\0"));
    writer.raw(handshakeHash);
    OFFER.write(offer, writer);
  });
