import type { RemoteClock } from "../../contact/network.ts";
import { fromHex } from "../../sealing/bytes.ts";
import type { ExchangeKey, SealingCrypto } from "../../sealing/crypto.ts";
import { type Rendezvous, rendezvousOf } from "../../sealing/pairing.ts";
import { type CodeTexts, encodePairingCode, PAIRING_SECRET_BYTES } from "../../sealing/pairing-code.ts";
import type { Scope } from "../../sealing/scopes.ts";
import type { HubConnection } from "./hub-connection.ts";
import type { DeviceLimits } from "./limits.ts";

/** A code that this device shows, and what it alone knows of it. */
export interface NewCode {
  key: ExchangeKey;
  rendezvous: Rendezvous;
  texts: CodeTexts;
  /** Seconds since 1970. */
  expires: number;
}

interface CodeOptions {
  hub: HubConnection;
  scopes: readonly Scope[];
  crypto: SealingCrypto;
  clock: RemoteClock;
  limits: DeviceLimits;
}

/** @throws CODE_ADDRESS */
export async function newCode({ hub, scopes, crypto, clock, limits }: CodeOptions): Promise<NewCode> {
  const key = await crypto.newExchangeKey();
  const { fingerprint, addresses } = hub.entry;
  const code = {
    hub: fromHex(fingerprint)!,
    pairingKey: key.publicKey,
    secret: crypto.random(PAIRING_SECRET_BYTES),
    expires: Math.floor((clock.wallMs() + limits.codeMs) / 1_000),
    scopes,
    address: addresses[0]!,
  };
  return { key, rendezvous: await rendezvousOf(crypto, code), texts: encodePairingCode(code), expires: code.expires };
}
