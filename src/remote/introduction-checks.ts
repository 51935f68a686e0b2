import type { PayloadOf } from "../protocol/messages.ts";
import { fromHex } from "../sealing/bytes.ts";
import type { IntroductionFacts } from "../sealing/introducing.ts";
import type { Scope } from "../sealing/scopes.ts";
import type { HubPlace } from "./hubs.ts";
import { introducerGone, introducerMayNot } from "./introduction-errors.ts";
import { deviceBySigningKey, type Roster, type RosterDevice } from "./roster.ts";

/** A device as another one introduces it, looked at; nothing is done. */
export type Wanted = PayloadOf<"remote.introduce">;

/** Whether who introduces may give that, as the list is now. @throws FORBIDDEN, INTRODUCER_REVOKED */
export function checkIntroducer(now: Roster, introducer: RosterDevice | undefined, given: readonly Scope[]): void {
  if (!introducer) return;
  const found = deviceBySigningKey(now, introducer.signing_key);
  if (!found?.scopes.includes("admin")) throw introducerGone();
  const missing = given.filter((scope) => !found.scopes.includes(scope));
  if (missing.length > 0) throw introducerMayNot(found.name, missing);
}

export const factsOf = (wanted: Wanted, place: HubPlace): IntroductionFacts => ({
  hub: place.fingerprint,
  handshakeHash: fromHex(wanted.handshake_hash)!,
  signingKey: fromHex(wanted.signing_key)!,
  exchangeKey: fromHex(wanted.exchange_key)!,
  loginKey: fromHex(wanted.login_key)!,
});

/** With the same keys, here, and with just these scopes. */
export function isIn(now: Roster, { signing_key, exchange_key, login_key, scopes }: Wanted, hub: string): boolean {
  const found = deviceBySigningKey(now, signing_key);
  if (found?.exchange_key !== exchange_key || found.logins[hub] !== login_key) return false;
  return found.scopes.length === new Set(["view", ...scopes]).size && scopes.every((one) => found.scopes.includes(one));
}

export function isSame(a: Wanted, b: Wanted): boolean {
  const { wait_ms: _a, ...one } = a;
  const { wait_ms: _b, ...other } = b;
  return JSON.stringify(one) === JSON.stringify(other);
}
