import { fromHex } from "../../sealing/bytes.ts";
import { KEY_BYTES } from "../../sealing/crypto.ts";

/** What a command line keeps as a device, as one small JSON text: its keys, its hubs, its machines. Keys are lowercase hex. */
export interface DeviceFile {
  format: 1;
  oldest_reader: 1;
  /** Ed25519, then X25519. */
  secret: string;
  hubs: readonly HubRecord[];
  machines: readonly MachineRecord[];
}

export interface HubRecord {
  fingerprint: string;
  key: string;
  addresses: readonly string[];
  label: string;
  login_secret: string;
  added_at: string;
  used_at?: string;
  is_off?: true;
}

export interface MachineRecord {
  signing_key: string;
  exchange_key: string;
  name: string;
  words: string;
  scopes: readonly string[];
  spaces: Readonly<Record<string, string>>;
  added_at: string;
  confirmed_at?: string;
}

export const writeDeviceFile = (file: DeviceFile): string => `${JSON.stringify(file, null, 1)}\n`;

/** Why not, or the file. Half of it would be another device: it is taken whole. */
export function readDeviceFile(text: string): DeviceFile | string {
  let value: DeviceFile;
  try {
    value = JSON.parse(text) as DeviceFile;
  } catch {
    return "it is no JSON";
  }
  if (typeof value !== "object" || value === null || typeof value.oldest_reader !== "number")
    return "it has another form";
  if (value.oldest_reader > 1) return "it was written by a newer Warren";
  if (!isHex(value.secret, 2 * KEY_BYTES)) return "its key has another form";
  if (!Array.isArray(value.hubs) || !value.hubs.every(isHub)) return "a hub in it has another form";
  if (!Array.isArray(value.machines) || !value.machines.every(isMachine)) return "a machine in it has another form";
  return value;
}

const isHex = (value: unknown, bytes: number): boolean =>
  typeof value === "string" && value === value.toLowerCase() && fromHex(value)?.length === bytes;
const areTexts = (values: readonly unknown[]): boolean => values.every((value) => typeof value === "string");
const isTime = (value: unknown): boolean => typeof value === "string" && !Number.isNaN(Date.parse(value));

const isHub = (value: HubRecord): boolean =>
  typeof value === "object" &&
  value !== null &&
  isHex(value.fingerprint, 16) &&
  isHex(value.key, KEY_BYTES) &&
  isHex(value.login_secret, KEY_BYTES) &&
  Array.isArray(value.addresses) &&
  value.addresses.length > 0 &&
  areTexts([...value.addresses, value.label]) &&
  isTime(value.added_at);

const isMachine = (value: MachineRecord): boolean =>
  typeof value === "object" &&
  value !== null &&
  isHex(value.signing_key, KEY_BYTES) &&
  isHex(value.exchange_key, KEY_BYTES) &&
  Array.isArray(value.scopes) &&
  areTexts([value.name, value.words, ...value.scopes]) &&
  typeof value.spaces === "object" &&
  Object.entries(value.spaces ?? {}).every(([hub, space]) => isHex(hub, 16) && isHex(space, KEY_BYTES)) &&
  isTime(value.added_at);

/** Bytes that were checked by {@link readDeviceFile}. */
export const bytesOf = (hex: string): Uint8Array => fromHex(hex)!;
