import type { SealingCrypto, SigningKey } from "../../../sealing/crypto.ts";
import type { DeviceKeys, DeviceStore, HubEntry, MachineEntry } from "../world.ts";

/** What a device keeps, without a disk. */
export class MemoryStore implements DeviceStore {
  readonly #crypto: SealingCrypto;
  #keys: DeviceKeys | undefined;
  readonly #logins = new Map<string, Promise<SigningKey>>();
  readonly #hubs = new Map<string, HubEntry>();
  readonly #machines = new Map<string, MachineEntry>();
  /** How often something was kept. */
  writeCount = 0;

  constructor(crypto: SealingCrypto) {
    this.#crypto = crypto;
  }

  keys = async (): Promise<DeviceKeys | undefined> => this.#keys;
  newKeys = async (): Promise<DeviceKeys> => ({
    signing: await this.#crypto.newSigningKey(),
    exchange: await this.#crypto.newExchangeKey(),
  });
  newLoginKey = (hub: string): Promise<SigningKey> => {
    const made = this.#logins.get(hub) ?? this.#crypto.newSigningKey();
    this.#logins.set(hub, made);
    return made;
  };
  hubs = async (): Promise<HubEntry[]> => [...this.#hubs.values()];
  machines = async (): Promise<MachineEntry[]> => [...this.#machines.values()];

  async join({ keys, hub, machine }: { keys: DeviceKeys; hub: HubEntry; machine: MachineEntry }): Promise<void> {
    this.#keys = keys;
    await this.putHub(hub);
    await this.putMachine(machine);
  }

  async putHub(hub: HubEntry): Promise<void> {
    this.writeCount += 1;
    this.#hubs.set(hub.fingerprint, hub);
  }

  async putMachine(machine: MachineEntry): Promise<void> {
    this.writeCount += 1;
    this.#machines.set(machine.id, machine);
  }

  async removeHub(fingerprint: string): Promise<void> {
    this.#logins.delete(fingerprint);
    this.#hubs.delete(fingerprint);
    for (const machine of [...this.#machines.values()]) {
      const { [fingerprint]: _, ...spaces } = machine.spaces;
      if (Object.keys(spaces).length === 0) this.#machines.delete(machine.id);
      else this.#machines.set(machine.id, { ...machine, spaces });
    }
  }

  async removeMachine(id: string): Promise<void> {
    this.#machines.delete(id);
  }
}
