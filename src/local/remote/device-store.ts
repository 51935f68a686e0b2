import { join } from "node:path";
import type { DeviceKeys, DeviceStore, HubEntry, MachineEntry } from "../../client/remote/world.ts";
import { writeKept } from "../../contact/kept-file.ts";
import { makeDirectories } from "../../platform/directories.ts";
import { waitForLock } from "../../platform/lock.ts";
import { readPrivateFile, writePrivateFile } from "../../platform/private-file.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import { concat, toHex } from "../../sealing/bytes.ts";
import { KEY_BYTES, type SealingCrypto, type SigningKey } from "../../sealing/crypto.ts";
import { bytesOf, type DeviceFile, type DeviceHub, type MachineRecord, readDeviceFile } from "./device-file.ts";

/**
 * This home as a device of other machines: `<home>/remote/device/device.json` (0600). Commands that run at once change it one after another, each from
 * what is there then; readers see the old text or the new one.
 */
const FILE = "device.json";
const LOCK_TIMEOUT_MS = 5_000;

/** @param dir `<home>/remote/device` */
export function deviceStore(dir: string, crypto: SealingCrypto): DeviceStore {
  return new FileDeviceStore(dir, crypto);
}

class FileDeviceStore implements DeviceStore {
  readonly #dir: string;
  readonly #crypto: SealingCrypto;
  /** Of keys that were made or read here: a handle does not tell its secret. */
  readonly #secrets = new WeakMap<SigningKey, Uint8Array>();
  readonly #deviceSecrets = new WeakMap<DeviceKeys, Uint8Array>();
  /** Signing keys are made once of each secret: that takes a while. */
  readonly #logins = new Map<string, Promise<SigningKey>>();

  constructor(dir: string, crypto: SealingCrypto) {
    this.#dir = dir;
    this.#crypto = crypto;
  }

  async keys(): Promise<DeviceKeys | undefined> {
    const file = await this.#read();
    return file && this.#keysOf(bytesOf(file.secret));
  }

  newKeys(): Promise<DeviceKeys> {
    return this.#keysOf(this.#crypto.random(2 * KEY_BYTES));
  }

  newLoginKey(): Promise<SigningKey> {
    return this.#login(toHex(this.#crypto.random(KEY_BYTES)));
  }

  async hubs(): Promise<HubEntry[]> {
    const { hubs = [] } = (await this.#read()) ?? {};
    return Promise.all(hubs.map(async (hub) => this.#hubOf(hub, await this.#login(hub.login_secret))));
  }

  async machines(): Promise<MachineEntry[]> {
    return ((await this.#read())?.machines ?? []).map(machineOf);
  }

  join({ keys, hub, machine }: { keys: DeviceKeys; hub: HubEntry; machine: MachineEntry }): Promise<void> {
    const secret = toHex(this.#deviceSecrets.get(keys)!);
    const record = this.#hubRecord(hub);
    return this.#change((file) => {
      const { hubs, machines } = file ?? { hubs: [], machines: [] };
      const known = hubs.find(({ fingerprint }) => fingerprint === hub.fingerprint);
      // Two first pairings at once, of this device or at that hub: the machine of the other one knows a key that would be lost.
      if (file && file.secret !== secret) throw otherKeys();
      if (known && known.login_secret !== record.login_secret) throw otherKeys();
      return {
        format: 1,
        oldest_reader: 1,
        secret,
        hubs: replaced(hubs, record, "fingerprint"),
        machines: replaced(machines, machineRecord(machine), "signing_key"),
      };
    });
  }

  putHub(hub: HubEntry): Promise<void> {
    return this.#change((file) => file && { ...file, hubs: replaced(file.hubs, this.#hubRecord(hub), "fingerprint") });
  }

  putMachine(machine: MachineEntry): Promise<void> {
    return this.#change(
      (file) => file && { ...file, machines: replaced(file.machines, machineRecord(machine), "signing_key") },
    );
  }

  removeHub(fingerprint: string): Promise<void> {
    return this.#change((file) => {
      if (!file) return undefined;
      const machines = file.machines.flatMap((machine) => {
        if (machine.spaces[fingerprint] === undefined) return [machine];
        const { [fingerprint]: _, ...spaces } = machine.spaces;
        return Object.keys(spaces).length === 0 ? [] : [{ ...machine, spaces }];
      });
      return { ...file, hubs: file.hubs.filter((hub) => hub.fingerprint !== fingerprint), machines };
    });
  }

  removeMachine(id: string): Promise<void> {
    return this.#change(
      (file) => file && { ...file, machines: file.machines.filter(({ signing_key }) => signing_key !== id) },
    );
  }

  async #read(): Promise<DeviceFile | undefined> {
    const path = join(this.#dir, FILE);
    const text = await readPrivateFile(path, fileOpen);
    if (text === undefined) return undefined;
    const file = readDeviceFile(text);
    if (typeof file === "string") throw fileBad(path, file);
    return file;
  }

  /** `make` answers undefined to change nothing. */
  async #change(make: (file: DeviceFile | undefined) => DeviceFile | undefined): Promise<void> {
    makeDirectories(this.#dir, 0o700);
    const lock = await waitForLock(join(this.#dir, "lock"), { timeoutMs: LOCK_TIMEOUT_MS });
    if (!lock) throw busy(this.#dir);
    try {
      const file = make(await this.#read());
      if (file) await writePrivateFile(join(this.#dir, FILE), writeKept(file));
    } finally {
      lock.release();
    }
  }

  async #keysOf(secret: Uint8Array): Promise<DeviceKeys> {
    const keys: DeviceKeys = {
      signing: await this.#crypto.signingKeyOf(secret.subarray(0, KEY_BYTES)),
      exchange: await this.#crypto.exchangeKeyOf(secret.subarray(KEY_BYTES)),
    };
    this.#deviceSecrets.set(keys, concat(secret));
    return keys;
  }

  #login(secret: string): Promise<SigningKey> {
    let made = this.#logins.get(secret);
    if (!made) {
      const bytes = bytesOf(secret);
      made = this.#crypto.signingKeyOf(bytes).then((key) => {
        this.#secrets.set(key, bytes);
        return key;
      });
      this.#logins.set(secret, made);
    }
    return made;
  }

  #hubOf({ fingerprint, key, addresses, label, added_at, used_at, is_off }: DeviceHub, login: SigningKey): HubEntry {
    return {
      fingerprint,
      key: bytesOf(key),
      addresses,
      label,
      login,
      addedMs: Date.parse(added_at),
      ...(used_at === undefined ? {} : { usedMs: Date.parse(used_at) }),
      ...(is_off ? { isOff: true } : {}),
    };
  }

  #hubRecord({ fingerprint, key, addresses, label, login, addedMs, usedMs, isOff }: HubEntry): DeviceHub {
    return {
      fingerprint,
      key: toHex(key),
      addresses,
      label,
      login_secret: toHex(this.#secrets.get(login)!),
      added_at: new Date(addedMs).toISOString(),
      ...(usedMs === undefined ? {} : { used_at: new Date(usedMs).toISOString() }),
      ...(isOff ? { is_off: true } : {}),
    };
  }
}

function replaced<T, K extends keyof T>(list: readonly T[], one: T, by: K): readonly T[] {
  const isThere = list.some((other) => other[by] === one[by]);
  return isThere ? list.map((other) => (other[by] === one[by] ? one : other)) : [...list, one];
}

const machineOf = (machine: MachineRecord): MachineEntry => ({
  id: machine.signing_key,
  exchangeKey: bytesOf(machine.exchange_key),
  name: machine.name,
  words: machine.words,
  scopes: machine.scopes,
  spaces: Object.fromEntries(Object.entries(machine.spaces).map(([hub, space]) => [hub, bytesOf(space)])),
  addedMs: Date.parse(machine.added_at),
  ...(machine.confirmed_at === undefined ? {} : { confirmedMs: Date.parse(machine.confirmed_at) }),
});

const machineRecord = (machine: MachineEntry): MachineRecord => ({
  signing_key: machine.id,
  exchange_key: toHex(machine.exchangeKey),
  name: machine.name,
  words: machine.words,
  scopes: machine.scopes,
  spaces: Object.fromEntries(Object.entries(machine.spaces).map(([hub, space]) => [hub, toHex(space)])),
  added_at: new Date(machine.addedMs).toISOString(),
  ...(machine.confirmedMs === undefined ? {} : { confirmed_at: new Date(machine.confirmedMs).toISOString() }),
});

const fileOpen = (path: string, mode: number): WarrenError =>
  new WarrenError("DEVICE_FILE_OPEN", `This device's keys ${path} may be read by others (mode ${mode.toString(8)}).`, {
    fix: `chmod 600 ${quoteWord(path)}      # and pair anew, if somebody may have read it`,
  });

const fileBad = (path: string, why: string): WarrenError =>
  new WarrenError("DEVICE_FILE_BAD", `This device's keys ${path} cannot be used: ${why}.`, {
    fix: `put it back from a backup, or: mv ${quoteWord(path)} ${quoteWord(`${path}.bad`)}      # machines are paired with anew`,
  });

const otherKeys = (): WarrenError =>
  new WarrenError(
    "DEVICE_KEYS_CHANGED",
    "Another pairing was the first here, at the same time; this one was not kept.",
    {
      fix: "warren pair, on the machine, shows a new code",
    },
  );

const busy = (dir: string): WarrenError =>
  new WarrenError("DEVICE_FILE_BUSY", `Other commands hold ${dir} for more than ${LOCK_TIMEOUT_MS / 1_000} s.`, {
    fix: "try again",
  });
