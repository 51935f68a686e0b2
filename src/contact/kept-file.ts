import { fromHex } from "../sealing/bytes.ts";
import { KEY_BYTES } from "../sealing/crypto.ts";
import { FINGERPRINT_BYTES } from "../sealing/login.ts";

/**
 * What a member of hubs keeps of them and of others, as one small JSON text. Keys are lowercase hex. It is taken whole or not at all: a list that is half
 * understood would let in whom it should not, or be another device.
 */
export interface KeptFile {
  format: 1;
  oldest_reader: 1;
  hubs: readonly HubRecord[];
}

/** A hub, and who we are there. */
export interface HubRecord {
  fingerprint: string;
  /** Its Ed25519 key. */
  key: string;
  /** The one that was used last first. */
  addresses: readonly string[];
  label: string;
  /** The secret of our login key there, which no other hub knows. */
  login_secret: string;
  added_at: string;
  /** Of the last login; absent: the hub may not know our key yet. */
  used_at?: string;
}

export const writeKept = (file: KeptFile): string => `${JSON.stringify(file, null, 1)}\n`;

/** The file, or why not. @param problemIn what is wrong with the parts that are its own; undefined: nothing */
export function readKept<File extends KeptFile>(
  text: string,
  problemIn: (file: File) => string | undefined,
): File | string {
  let file: File;
  try {
    file = JSON.parse(text) as File;
  } catch {
    return "it is no JSON";
  }
  if (typeof file !== "object" || file === null || typeof file.oldest_reader !== "number") return "it has another form";
  if (file.oldest_reader > 1) return "it was written by a newer Warren";
  if (!areAll(file.hubs, isHub)) return "a hub in it has another form";
  return problemIn(file) ?? file;
}

/** Whether it is a list of objects of that form. */
export const areAll = <T>(values: readonly T[], isOne: (value: T) => boolean): boolean =>
  Array.isArray(values) && values.every((value) => typeof value === "object" && value !== null && isOne(value));

export const isHex = (value: unknown, bytes: number): boolean =>
  typeof value === "string" && value === value.toLowerCase() && fromHex(value)?.length === bytes;
export const isKey = (value: unknown): boolean => isHex(value, KEY_BYTES);
export const isFingerprint = (value: unknown): boolean => isHex(value, FINGERPRINT_BYTES);
export const areTexts = (values: readonly unknown[]): boolean =>
  Array.isArray(values) && values.every((value) => typeof value === "string");
export const isTime = (value: unknown): boolean => typeof value === "string" && !Number.isNaN(Date.parse(value));

/** Whether these are keys by the fingerprints of the hubs at which they count. */
export const areKeysAtHubs = (keys: unknown): boolean =>
  typeof keys === "object" &&
  Object.entries(keys ?? {}).every(([fingerprint, key]) => isFingerprint(fingerprint) && isKey(key));

const isHub = (hub: HubRecord): boolean =>
  isFingerprint(hub.fingerprint) &&
  isKey(hub.key) &&
  isKey(hub.login_secret) &&
  areTexts(hub.addresses) &&
  hub.addresses.length > 0 &&
  typeof hub.label === "string" &&
  isTime(hub.added_at) &&
  (hub.used_at === undefined || isTime(hub.used_at));
