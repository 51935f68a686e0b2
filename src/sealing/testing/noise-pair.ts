import type { ExchangeKey, SealingCrypto } from "../crypto.ts";
import { Handshake } from "../noise/handshake.ts";
import type { Transport } from "../noise/transport.ts";
import { counting } from "./fixed.ts";

export type Pattern = "IK" | "XKpsk3";

export interface Sides {
  pattern: Pattern;
  initiator: ExchangeKey;
  responder: ExchangeKey;
}

export const PROLOGUE = counting(20, 7);
export const PSK = counting(32, 100);

/** Both ends of a handshake that has not begun. */
export async function handshakePair(crypto: SealingCrypto, { pattern, initiator, responder }: Sides) {
  const common = { pattern, prologue: PROLOGUE, ...(pattern === "XKpsk3" ? { psk: PSK } : {}) };
  const theirs = responder.publicKey;
  return {
    initiator: await Handshake.start(crypto, { ...common, isInitiator: true, own: initiator, theirs }),
    responder: await Handshake.start(crypto, { ...common, isInitiator: false, own: responder }),
  };
}

/** Lets two handshakes speak with each other until they are over. `change` may change a message on its way. */
export async function shakeHands(
  pair: { initiator: Handshake; responder: Handshake },
  change: (message: Uint8Array, index: number) => Uint8Array = (message) => message,
): Promise<{ initiator: Transport; responder: Transport }> {
  for (let index = 0; !pair.initiator.isOver; index++) {
    const [from, to] = index % 2 === 0 ? [pair.initiator, pair.responder] : [pair.responder, pair.initiator];
    await to.read(change(await from.write(counting(3, index)), index));
  }
  return { initiator: await pair.initiator.transport(), responder: await pair.responder.transport() };
}

export async function sidesOf(crypto: SealingCrypto, pattern: Pattern): Promise<Sides> {
  return { pattern, initiator: await crypto.newExchangeKey(), responder: await crypto.newExchangeKey() };
}
