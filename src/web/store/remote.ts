import { Coordinator } from "../../client/remote/coordinator.ts";
import { DEVICE_LIMITS } from "../../client/remote/limits.ts";
import type { OutboxItem } from "../../client/remote/outbox-item.ts";
import type { RemoteEvent } from "../../client/remote/remote-events.ts";
import type { HubEntry, MachineEntry } from "../../client/remote/world.ts";
import type { HubNetwork, RemoteClock } from "../../contact/network.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { Settings } from "../../protocol/settings.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import { RECORD_KINDS } from "../../sealing/record.ts";
import { AwayMachine } from "../link/away-machine.ts";
import { HubMachine } from "../link/hub-machine.ts";
import { DeviceShelf } from "./device/device-shelf.ts";
import { OutboxShelf } from "./device/outbox-shelf.ts";
import { type KeptRow, RecordShelf } from "./device/record-shelf.ts";
import type { Shelf } from "./device/shelf.ts";
import type { FleetStore } from "./fleet-store.ts";
import { KeptTalks } from "./kept-talks.ts";
import { KnownHubs } from "./known-hubs.ts";
import { Missing } from "./missing.ts";
import { factsOf, hubOf, keptSettings, NOTHING_HEARD, recordedOf } from "./remote-facts.ts";
import { Store } from "./store.ts";
import type { TabOwner, TabOwnerEvents } from "./tab-owner.ts";

/**
 * This browser as a device of machines behind hubs: keeps the fleet's store true by the coordinator of `client/remote`, in the one tab that speaks with the hubs.
 * The other tabs show what is remembered, and may take over.
 */
export interface RemoteOptions {
  fleet: FleetStore;
  shelf: Shelf;
  network: HubNetwork;
  crypto: SealingCrypto;
  clock: RemoteClock;
  /** 0–1. */
  random: () => number;
  own: (events: TabOwnerEvents) => TabOwner;
  /** A machine has said which settings of the app it has. */
  onSettings: (machine: string, settings: Settings) => void;
}

/** Of what is over the newest are kept, to be looked at. */
const OVER_COUNT_MAX = 100;
const OTHER_TAB = "Another tab of this browser speaks with the hubs.";

export class Remote {
  readonly device: DeviceShelf;
  /** What this browser has asked of machines. */
  readonly items = new Store<readonly OutboxItem[], readonly OutboxItem[]>([], (_before, now) => now);
  /** What machines have left of their conversations. */
  readonly talks: KeptTalks;
  readonly hubs: KnownHubs;
  readonly #options: RemoteOptions;
  readonly #records: RecordShelf;
  readonly #machines = new Map<string, HubMachine>();
  readonly #missing: Missing;
  readonly #owner: TabOwner;
  #coordinator: Coordinator | undefined;
  #owned = Promise.withResolvers<Coordinator>();
  #isClosed = false;

  constructor(options: RemoteOptions) {
    this.#options = options;
    this.device = new DeviceShelf(options.shelf, options.crypto);
    this.hubs = new KnownHubs({
      ...options,
      device: this.device,
      coordinator: () => this.#coordinator,
      takeOver: () => this.takeOver(),
    });
    this.#records = new RecordShelf(options.shelf, options.clock.wallMs);
    this.talks = new KeptTalks(this.#records.talks, () => this.device.hubs());
    this.#missing = new Missing(this.#records);
    this.#owner = options.own({ onOwned: () => this.#start(), onLost: () => void this.#follow() });
  }

  /** Undefined while another tab is the one. */
  get coordinator(): Coordinator | undefined {
    return this.#coordinator;
  }

  /** This tab speaks with the hubs from now on. */
  async takeOver(): Promise<Coordinator> {
    if (this.#coordinator) return this.#coordinator;
    if (this.#options.fleet.get().tab === "other-tab") this.#owner.takeOver();
    return this.#owned.promise;
  }

  close(): void {
    this.#isClosed = true;
    this.#owner.close();
  }

  /** A pairing has ended well: what it has written down is taken up. */
  async joined({ hub, machines }: { hub: HubEntry; machines: readonly MachineEntry[] }): Promise<void> {
    const coordinator = await this.takeOver();
    for (const machine of machines) await coordinator.addMachine(machine);
    await coordinator.addHub(hub);
    await coordinator.connect(hub.fingerprint);
    this.hubs.tell();
  }

  async removeMachine(id: string): Promise<void> {
    const coordinator = await this.takeOver();
    const spaces = coordinator.connectionForMachine(id)?.machine.spaces ?? {};
    await coordinator.removeMachine(id);
    await this.#records.forgetMachine(id, Object.keys(spaces));
  }

  /** Every hub that is not connected is tried now, and every machine is looked for. */
  askAll(): void {
    for (const { entry } of this.#coordinator?.hubs() ?? [])
      if (entry.isOff !== true) this.#coordinator?.hub(entry.fingerprint)?.retry();
    this.#options.fleet.hurry();
  }

  async #start(): Promise<() => Promise<void>> {
    const { fleet } = this.#options;
    try {
      const coordinator = await this.#open();
      if (this.#isClosed) {
        coordinator.close();
        return async () => {};
      }
      this.#coordinator = coordinator;
      const [kept] = await Promise.all([
        this.#records.rows().catch(() => []), // what machines say next counts
        this.#missing.load(coordinator.hubs().map(({ entry }) => entry.fingerprint)),
      ]);
      const { close } = coordinator.subscribe((event) => this.#hear(coordinator, event));
      for (const { machine } of coordinator.machines()) this.#show(coordinator, machine.id, kept);
      const { onSettings, clock } = this.#options;
      for (const { machine, settings } of keptSettings(kept, clock.wallMs())) onSettings(machine, settings);
      this.#tellItems(coordinator);
      this.hubs.tell();
      fleet.dispatch({ type: "tab", tab: "owner" });
      fleet.added();
      coordinator.start();
      this.#owned.resolve(coordinator);
      return async () => {
        close();
        coordinator.close();
        this.#coordinator = undefined;
        this.#owned = Promise.withResolvers();
        for (const id of this.#machines.keys()) fleet.end(id);
        this.#machines.clear();
      };
    } catch (error) {
      const text = isWarrenError(error) ? error.message : `What the app keeps cannot be read: ${messageOf(error)}`;
      fleet.dispatch({ type: "storage", storage: { kind: "page", text } });
      fleet.added();
      this.#owned.reject(error);
      this.#owned.promise.catch(() => {});
      return async () => {};
    }
  }

  async #open(): Promise<Coordinator> {
    const { shelf, network, crypto, clock, random } = this.#options;
    const outbox = new OutboxShelf(shelf);
    await outbox.forgetOver(OVER_COUNT_MAX).catch(() => {}); // a store that is full keeps them until the next time
    return Coordinator.open({
      // Before the first pairing they are nobody's: it keeps the same ones.
      keys: (await this.device.keys()) ?? (await this.device.newKeys()),
      store: this.device,
      network,
      crypto,
      clock,
      random,
      limits: DEVICE_LIMITS,
      records: this.#records,
      outbox,
    });
  }

  /** Another tab is the one: here stands what is remembered. */
  async #follow(): Promise<void> {
    const { fleet, shelf } = this.#options;
    fleet.dispatch({ type: "tab", tab: "other-tab" });
    const known = [this.device.hubs(), this.device.machines(), new OutboxShelf(shelf).items()] as const;
    const [hubs, machines, items] = await Promise.all(known).catch(() => [[], [], []]);
    if (this.#coordinator || this.#isClosed) return;
    this.items.dispatch(items);
    fleet.dispatch({ type: "hubs", hubs: hubs.map((entry) => hubOf(entry, { kind: "off" })) });
    for (const machine of machines) {
      const { id, name } = machine;
      if (fleet.place(id) === undefined)
        fleet.add(new AwayMachine({ id, name, why: OTHER_TAB }), factsOf(machine, NOTHING_HEARD, false));
    }
    fleet.added();
  }

  #hear(coordinator: Coordinator, event: RemoteEvent): void {
    const { fleet } = this.#options;
    switch (event.kind) {
      case "hub":
      case "hub_removed":
        return this.hubs.tell();
      case "machine":
        return this.#show(coordinator, event.id, []);
      case "machine_removed":
        this.#tellItems(coordinator); // what waited for it was dropped before
        this.#machines.delete(event.id);
        return fleet.forget(event.id);
      case "record": {
        if (event.row.kind === RECORD_KINDS.item) return this.talks.heard();
        const unit = recordedOf(event.row);
        if (unit) fleet.place(event.row.machine)?.home.dispatch({ type: "recorded", units: [unit] });
        return;
      }
      case "listed": {
        const { hub, machine, streams } = event;
        return fleet.place(machine)?.home.dispatch({ type: "listed", hub, streams });
      }
      case "settings":
        return this.#options.onSettings(event.machine, event.settings);
      case "gap":
      case "mended":
        for (const id of this.#missing.hear(event, coordinator.machines())) this.#show(coordinator, id, []);
        return;
      case "refused":
        return this.#show(coordinator, event.id, []);
      case "item":
        return this.#tellItems(coordinator);
    }
  }

  #tellItems({ outbox }: Coordinator): void {
    this.items.dispatch(outbox?.items() ?? []);
  }

  /** As it is now: in the list, if it was not there. */
  #show(coordinator: Coordinator, id: string, kept: readonly KeptRow[]): void {
    const { fleet } = this.#options;
    const row = coordinator.machines().find(({ machine }) => machine.id === id);
    const link = coordinator.connectionForMachine(id);
    if (!row || !link) return;
    // Who is there knows better than what was left.
    if (row.liveHub !== undefined) this.#missing.isThere(row.machine);
    const facts = factsOf(row.machine, row, this.#missing.of(row.machine));
    const known = this.#machines.get(id);
    if (known) {
      fleet.dispatch({ type: "machine", machine: facts });
      return known.told(row);
    }
    const machine = new HubMachine(coordinator, link, row);
    this.#machines.set(id, machine);
    fleet.end(id); // as it stood while another tab was the one
    const own = kept.filter((one) => one.machine === id);
    fleet.add(machine, facts, (sinceMs) =>
      own.flatMap((one) => (one.receivedMs > sinceMs ? (recordedOf(one) ?? []) : [])),
    );
  }
}
