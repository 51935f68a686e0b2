import type { DeviceKeys, DeviceStore, HubEntry, MachineEntry } from "../../../client/remote/world.ts";
import type { SealingCrypto, SigningKey } from "../../../sealing/crypto.ts";
import type { Change, Shelf } from "./shelf.ts";

/** Who this browser is to its machines and hubs. The private keys are WebCrypto's, which nobody can read out; the browser keeps the handles. */
const OWN_KEYS = "keys";

export class DeviceShelf implements DeviceStore {
  readonly #shelf: Shelf;
  readonly #crypto: SealingCrypto;
  #made: Promise<DeviceKeys> | undefined;
  /** By hub: the same for as long as the page is open, as with the device's own. */
  readonly #logins = new Map<string, Promise<SigningKey>>();

  constructor(shelf: Shelf, crypto: SealingCrypto) {
    this.#shelf = shelf;
    this.#crypto = crypto;
  }

  keys(): Promise<DeviceKeys | undefined> {
    return this.#shelf.get<DeviceKeys>("device", OWN_KEYS);
  }

  /** The same ones for as long as the page is open: what was started before the first pairing goes on after it. */
  newKeys(): Promise<DeviceKeys> {
    this.#made ??= this.#make();
    return this.#made;
  }

  newLoginKey(hub: string): Promise<SigningKey> {
    const made = this.#logins.get(hub) ?? this.#crypto.newSigningKey();
    this.#logins.set(hub, made);
    return made;
  }

  async hubs(): Promise<HubEntry[]> {
    const all = await this.#shelf.all<HubEntry>("hubs");
    return all.map(({ value }) => value).sort((a, b) => a.addedMs - b.addedMs);
  }

  async machines(): Promise<MachineEntry[]> {
    const all = await this.#shelf.all<MachineEntry>("machines");
    return all.map(({ value }) => value).sort((a, b) => a.addedMs - b.addedMs);
  }

  join({ keys, hub, machine }: { keys: DeviceKeys; hub: HubEntry; machine: MachineEntry }): Promise<void> {
    return this.#shelf.write([
      { table: "device", key: OWN_KEYS, value: keys },
      { table: "hubs", key: hub.fingerprint, value: hub },
      { table: "machines", key: machine.id, value: machine },
    ]);
  }

  putHub(hub: HubEntry): Promise<void> {
    return this.#shelf.write([{ table: "hubs", key: hub.fingerprint, value: hub }]);
  }

  putMachine(machine: MachineEntry): Promise<void> {
    return this.#shelf.write([{ table: "machines", key: machine.id, value: machine }]);
  }

  async removeHub(fingerprint: string): Promise<void> {
    this.#logins.delete(fingerprint);
    const changes: Change[] = [{ table: "hubs", remove: fingerprint }];
    for (const machine of await this.machines()) {
      if (machine.spaces[fingerprint] === undefined) continue;
      const { [fingerprint]: _, ...spaces } = machine.spaces;
      if (Object.keys(spaces).length === 0) changes.push({ table: "machines", remove: machine.id });
      else changes.push({ table: "machines", key: machine.id, value: { ...machine, spaces } });
    }
    await this.#shelf.write(changes);
  }

  removeMachine(id: string): Promise<void> {
    return this.#shelf.write([{ table: "machines", remove: id }]);
  }

  async #make(): Promise<DeviceKeys> {
    const [signing, exchange] = await Promise.all([this.#crypto.newSigningKey(), this.#crypto.newExchangeKey()]);
    return { signing, exchange };
  }
}
