import {
  areAll,
  areKeysAtHubs,
  areTexts,
  type HubRecord,
  isHex,
  isKey,
  isTime,
  type KeptFile,
  readKept,
} from "../../contact/kept-file.ts";
import { fromHex } from "../../sealing/bytes.ts";
import { KEY_BYTES } from "../../sealing/crypto.ts";

/** What a command line keeps as a device, as one small JSON text: its keys, its hubs, its machines. */
export interface DeviceFile extends KeptFile {
  /** Ed25519, then X25519. */
  secret: string;
  hubs: readonly DeviceHub[];
  machines: readonly MachineRecord[];
}

export interface DeviceHub extends HubRecord {
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

/** Why not, or the file. */
export const readDeviceFile = (text: string): DeviceFile | string =>
  readKept<DeviceFile>(text, ({ secret, machines }) => {
    if (!isHex(secret, 2 * KEY_BYTES)) return "its key has another form";
    if (!areAll(machines, isMachine)) return "a machine in it has another form";
    return undefined;
  });

const isMachine = (value: MachineRecord): boolean =>
  isKey(value.signing_key) &&
  isKey(value.exchange_key) &&
  areTexts(value.scopes) &&
  areTexts([value.name, value.words]) &&
  areKeysAtHubs(value.spaces) &&
  isTime(value.added_at);

/** Bytes that were checked by {@link readDeviceFile}. */
export const bytesOf = (hex: string): Uint8Array => fromHex(hex)!;
