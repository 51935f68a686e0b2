import { fromHex, isEqual } from "../sealing/bytes.ts";
import { parseFingerprint } from "../sealing/fingerprint.ts";
import { isLoopback } from "../sealing/pairing-code.ts";
import { addressBad } from "./errors.ts";
import type { RosterHub } from "./roster.ts";

/** A code's bytes hold no longer one. */
const ADDRESS_BYTES_MAX = 255;

/** The address in the one way to write it; a bare name means https, but on this machine http. @throws HUB_ADDRESS_BAD */
export function hubAddress(text: string): string {
  const trimmed = text.trim();
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed);
  const whole = hasScheme ? trimmed : `https://${trimmed}`;
  if (!URL.canParse(whole)) throw addressBad(text, "it is no URL");
  const url = new URL(whole);
  if (!hasScheme && isLoopback(url.hostname)) url.protocol = "http:";
  if (url.protocol !== "https:" && url.protocol !== "http:") throw addressBad(text, "it is neither https nor http");
  if (url.username !== "" || url.password !== "") throw addressBad(text, "it holds a name or a password");
  if (url.search !== "" || url.hash !== "" || /[?#]/.test(whole))
    throw addressBad(text, "it has a query or a fragment");
  const address = `${url.origin}${url.pathname}`.replace(/\/+$/, "");
  if (Buffer.byteLength(address) > ADDRESS_BYTES_MAX) throw addressBad(text.slice(0, 60), "it is too long");
  return address;
}

export const isLocalAddress = (address: string): boolean => isLoopback(new URL(address).hostname);

/** Whether a person means that hub: by its fingerprint, or by an address of it. */
export function isHubOf(hub: RosterHub, reference: string): boolean {
  const fingerprint = parseFingerprint(reference);
  if (fingerprint) return isEqual(fingerprint, fromHex(hub.fingerprint)!);
  try {
    return hub.addresses.includes(hubAddress(reference));
  } catch {
    return false; // no address either
  }
}

/** Whether the reference is that address, in whatever way it is written; a label is not. */
export function isAddressOf(address: string, reference: string): boolean {
  try {
    return hubAddress(reference) === address;
  } catch {
    return false; // a label
  }
}
