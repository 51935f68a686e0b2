import type { Coordinator } from "../../client/remote/coordinator.ts";
import type { OutboxItem } from "../../client/remote/outbox-item.ts";
import type { HubNetwork, RemoteClock } from "../../contact/network.ts";
import { toHex } from "../../sealing/bytes.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import { fingerprintOf } from "../../sealing/login.ts";
import type { DeviceShelf } from "./device/device-shelf.ts";
import type { FleetStore } from "./fleet-store.ts";
import { type FoundHub, hubOf } from "./remote-facts.ts";

export interface KnownHubsOptions {
  fleet: FleetStore;
  device: DeviceShelf;
  network: HubNetwork;
  crypto: SealingCrypto;
  clock: RemoteClock;
  /** Undefined while another tab is the one that speaks with the hubs. */
  coordinator: () => Coordinator | undefined;
  /** Makes this tab that one. */
  takeOver: () => Promise<Coordinator>;
}

/**
 * The hubs that this browser knows: what a person does with them. Whatever changes one is done by the tab that speaks with the hubs, and is in the fleet when
 * it resolves.
 */
export class KnownHubs {
  readonly #options: KnownHubsOptions;

  constructor(options: KnownHubsOptions) {
    this.#options = options;
  }

  /** Who answers there; nothing is kept. @throws HUB_UNREACHABLE, HUB_NOT_THERE */
  async find(address: string, signal: AbortSignal): Promise<FoundHub> {
    const { network, crypto, device } = this.#options;
    const { key, label } = await network.claim(address, signal);
    const fingerprint = toHex(await fingerprintOf(crypto, key));
    const known = (await device.hubs()).find((hub) => hub.fingerprint === fingerprint);
    return { address, fingerprint, key, label: label || new URL(address).hostname, knownAs: known?.label };
  }

  /** One that is known gets the address, as its first; another waits for a machine of it to let this browser in. */
  add({ address, fingerprint, key, label }: FoundHub): Promise<void> {
    const { device, clock } = this.#options;
    return this.#change(async (coordinator) => {
      const known = coordinator.hub(fingerprint)?.entry;
      const addedMs = clock.wallMs();
      await coordinator.addHub(
        known
          ? { ...known, addresses: [address, ...known.addresses.filter((one) => one !== address)] }
          : {
              fingerprint,
              key,
              label,
              addresses: [address],
              login: await device.newLoginKey(fingerprint),
              addedMs,
              isOff: true,
            },
      );
    });
  }

  rename(fingerprint: string, label: string): Promise<void> {
    return this.#change(async (coordinator) => {
      const entry = coordinator.hub(fingerprint)?.entry;
      if (entry) await coordinator.addHub({ ...entry, label });
    });
  }

  disconnect(fingerprint: string): Promise<void> {
    return this.#change((coordinator) => coordinator.disconnect(fingerprint));
  }

  connect(fingerprint: string): Promise<void> {
    return this.#change((coordinator) => coordinator.connect(fingerprint));
  }

  /** What would be lost with it: known to the tab that speaks with the hubs alone, which this one becomes. */
  async unsentOf(fingerprint: string): Promise<OutboxItem[]> {
    return (await this.#options.takeOver()).unsentOf(fingerprint);
  }

  remove(fingerprint: string): Promise<void> {
    return this.#change((coordinator) => coordinator.removeHub(fingerprint));
  }

  /** As they are now. */
  tell(): void {
    const hubs = this.#options.coordinator()?.hubs();
    if (hubs) this.#options.fleet.dispatch({ type: "hubs", hubs: hubs.map(({ entry, state }) => hubOf(entry, state)) });
  }

  async #change(work: (coordinator: Coordinator) => Promise<unknown>): Promise<void> {
    await work(await this.#options.takeOver());
    this.tell();
  }
}
