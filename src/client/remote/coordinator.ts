import type { HubNetwork, RemoteClock } from "../../contact/network.ts";
import type { HubState } from "../../contact/standing-contact.ts";
import { toHex } from "../../sealing/bytes.ts";
import type { SealingCrypto } from "../../sealing/crypto.ts";
import { type DeviceSides, openOutbox, openReader } from "./device-records.ts";
import { HubConnection } from "./hub-connection.ts";
import type { DeviceLimits } from "./limits.ts";
import { MachineLink } from "./machine-link.ts";
import { machineNamed } from "./machine-named.ts";
import type { Outbox } from "./outbox.ts";
import type { OutboxItem, OutboxStore } from "./outbox-item.ts";
import type { RecordReader } from "./record-reader.ts";
import type { RecordStore } from "./record-store.ts";
import { Refusals } from "./refusals.ts";
import type { HubRow, MachineRow, RemoteEvent } from "./remote-events.ts";
import type { DeviceKeys, DeviceStore, HubEntry, MachineEntry } from "./world.ts";

/**
 * All hubs and machines of this device together. A hub is known by its key and a machine by its own: a machine that is met at two hubs is one, since the
 * same key has signed both pairings. What a hub says counts for the ways through that hub alone.
 *
 * 1. Nothing that one hub does, and nothing that is done with it (disconnect, remove), touches another's connection.
 * 2. Disconnected: everything of the hub stays, as last confirmed. Removed: nothing of it stays.
 * 3. After `start` everything that is not disconnected connects by itself, the hubs used last first, one after another.
 * 4. It changes the store one thing after another, each from what is there in its turn, so that nothing comes back behind its removal. What the store refuses
 *    has not been done here either.
 */
export interface CoordinatorOptions {
  keys: DeviceKeys;
  store: DeviceStore;
  network: HubNetwork;
  crypto: SealingCrypto;
  clock: RemoteClock;
  limits: DeviceLimits;
  /** 0–1. */
  random: () => number;
  /** What machines leave for this device while it is away; default: it is not read. */
  records?: RecordStore;
  /** What waits for machines; default: there is no outbox. */
  outbox?: OutboxStore;
}

export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #hubs = new Map<string, HubConnection>();
  readonly #machines = new Map<string, MachineLink>();
  readonly #listeners = new Set<(event: RemoteEvent) => void>();
  readonly #cancelStarts = new Map<string, () => void>();

  readonly #readers = new Map<string, RecordReader>();
  #outbox: Outbox | undefined;
  readonly #refusals: Refusals;
  #lastChange: Promise<unknown> = Promise.resolve();

  private constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#refusals = new Refusals({
      linkOf: (machine) => this.#machines.get(machine),
      onChanged: (id, refusal) => {
        this.#tell({ kind: "refused", id, refusal });
        this.#tell({ kind: "machine", id });
        this.#outbox?.tellOf(id);
      },
    });
  }

  /** With what the store has; connects nothing yet. */
  static async open(options: CoordinatorOptions): Promise<Coordinator> {
    const coordinator = new Coordinator(options);
    if (options.outbox) coordinator.#outbox = await openOutbox(options.outbox, coordinator.#sides());
    for (const machine of await options.store.machines()) coordinator.#putMachine(machine);
    for (const entry of await options.store.hubs()) await coordinator.#put(entry);
    return coordinator;
  }

  /** @param onlyFor a machine's id: only the hubs at which it is met; default all */
  start(onlyFor?: string): void {
    const { clock, limits } = this.#options;
    const wanted = onlyFor === undefined ? undefined : this.#machines.get(onlyFor)?.machine.spaces;
    const hubs = [...this.#hubs.values()]
      .filter(({ entry }) => entry.isOff !== true && (wanted === undefined || wanted[entry.fingerprint] !== undefined))
      .sort((a, b) => (b.entry.usedMs ?? 0) - (a.entry.usedMs ?? 0));
    for (const [index, hub] of hubs.entries()) {
      if (index === 0) hub.start();
      else this.#startLater(hub, clock, index * limits.staggerMs);
    }
  }

  close(): void {
    for (const cancel of this.#cancelStarts.values()) cancel();
    this.#cancelStarts.clear();
    this.#outbox?.close();
    for (const link of this.#machines.values()) link.close();
    for (const hub of this.#hubs.values()) hub.stop();
  }

  /** For a face: what is there, and from then on what changes. The answer ends it. */
  subscribe(listener: (event: RemoteEvent) => void): { hubs: HubRow[]; machines: MachineRow[]; close(): void } {
    this.#listeners.add(listener);
    return { hubs: this.hubs(), machines: this.machines(), close: () => this.#listeners.delete(listener) };
  }

  get outbox(): Outbox | undefined {
    return this.#outbox;
  }

  /** What would be lost with the hub: of machines that are met nowhere else. To be said before `removeHub`. */
  unsentOf(fingerprint: string): OutboxItem[] {
    return this.#outbox?.unsentOf(new Set(this.#onlyAt(fingerprint))) ?? [];
  }

  hubs(): HubRow[] {
    return [...this.#hubs.values()].map(({ entry, state }) => ({ entry, state }));
  }

  machines(): MachineRow[] {
    return [...this.#machines.values()].map((link) => {
      const { machine, liveHub } = link;
      const presence: Record<string, boolean> = {};
      for (const [fingerprint, space] of Object.entries(machine.spaces)) {
        const isPresent = this.#hubs.get(fingerprint)?.isPresent(space);
        if (isPresent !== undefined) presence[fingerprint] = isPresent;
      }
      return { machine, liveHub, presence, refusal: this.#refusals.of(machine.id) };
    });
  }

  hasHub(fingerprint: string): boolean {
    return this.#hubs.has(fingerprint);
  }

  hub(fingerprint: string): HubConnection | undefined {
    return this.#hubs.get(fingerprint);
  }

  /** All that waited there when it let this device in. */
  hasRead(fingerprint: string): boolean {
    return this.#readers.get(fingerprint)?.hasRead !== false;
  }

  /** Of a hub that is there the entry is replaced; its connection goes on, and one that is not ready is made by a new first address at once: the hub has moved. */
  addHub(entry: HubEntry): Promise<HubConnection> {
    return this.#inTurn(async () => {
      const former = this.#hubs.get(entry.fingerprint)?.entry.addresses[0];
      await this.#options.store.putHub(entry);
      const hub = await this.#put(entry);
      if (former !== undefined && former !== entry.addresses[0]) hub.redial();
      if (entry.isOff !== true) hub.start();
      return hub;
    });
  }

  /** It stays known, and all that came from it; nothing is sent to it any more. */
  disconnect(fingerprint: string): Promise<void> {
    return this.#inTurn(async () => {
      const hub = this.#hubs.get(fingerprint);
      if (!hub) return;
      await this.#options.store.putHub({ ...hub.entry, isOff: true });
      hub.update({ ...hub.entry, isOff: true }); // it may have been used meanwhile
      this.#end(fingerprint, hub);
    });
  }

  connect(fingerprint: string): Promise<void> {
    return this.#inTurn(async () => {
      const hub = this.#hubs.get(fingerprint);
      if (!hub) return;
      const { isOff: _, ...entry } = hub.entry;
      await this.#options.store.putHub(entry);
      hub.update(entry);
      if (hub.state.kind === "off") hub.start();
      else hub.retry();
    });
  }

  /**
   * Its entry, login key and ways; machines that are met nowhere else go with it. The caller has said what is unsent: that is dropped first, and stays so where
   * the store refuses the rest. What was read is forgotten last; where that is refused the hub is gone all the same.
   */
  removeHub(fingerprint: string): Promise<void> {
    return this.#inTurn(async () => {
      const hub = this.#hubs.get(fingerprint);
      if (!hub) return;
      await this.#outbox?.drop(new Set(this.#onlyAt(fingerprint)));
      await this.#options.store.removeHub(fingerprint);
      const reader = this.#readers.get(fingerprint);
      this.#forgetHub(fingerprint, hub);
      await reader?.end(); // what it has in hand would come back behind what is forgotten
      await this.#options.records?.forget(fingerprint);
    });
  }

  /** A machine that has let this device in, or has at another hub. What it signs replaces what was known; ways are added. */
  addMachine(machine: MachineEntry): Promise<MachineLink> {
    return this.#inTurn(async () => {
      const known = this.#machines.get(machine.id)?.machine;
      const merged = known
        ? { ...machine, spaces: { ...known.spaces, ...machine.spaces }, addedMs: known.addedMs }
        : machine;
      await this.#options.store.putMachine(merged);
      return this.#putMachine(merged);
    });
  }

  removeMachine(id: string): Promise<void> {
    return this.#inTurn(async () => {
      const link = this.#machines.get(id);
      if (!link) return;
      await this.#outbox?.drop(new Set([id]));
      await this.#options.store.removeMachine(id);
      this.#drop(id, link);
    });
  }

  /** By the machine's key. */
  connectionForMachine(id: string): MachineLink | undefined {
    return this.#machines.get(id);
  }

  /** A session is known by its machine's key and its own id: the way to it is its machine's, by whichever hub. Undefined: no such machine. */
  connectionForSession({
    machine,
    id,
  }: {
    machine: string;
    id: string;
  }): { link: MachineLink; target: string } | undefined {
    const link = this.#machines.get(machine);
    return link && { link, target: id };
  }

  /** By name, or by at least 8 digits of its key. @throws MACHINE_NOT_FOUND, MACHINE_AMBIGUOUS */
  machineNamed(name: string): MachineLink {
    return machineNamed([...this.#machines.values()], name);
  }

  async #put(entry: HubEntry): Promise<HubConnection> {
    const { fingerprint } = entry;
    const reader = this.#hubs.has(fingerprint) ? undefined : await openReader(entry, this.#sides());
    const known = this.#hubs.get(fingerprint);
    if (known) {
      known.update(entry);
      return known;
    }
    const { network, crypto, clock, limits, random } = this.#options;
    if (reader) this.#readers.set(fingerprint, reader);
    const hub: HubConnection = new HubConnection({
      entry,
      network,
      crypto,
      clock,
      limits,
      random,
      events: {
        onState: (state) => this.#onHubState(hub, state),
        onPresence: (space) => this.#onPresence(fingerprint, space),
        ...(reader
          ? {
              onRecord: (place: number, record: Uint8Array) => reader.read(place, record),
              onMissed: (missed: { head: number; floor: number } | undefined) => this.#save(reader.missed(missed)),
            }
          : {}),
      },
      ...(reader ? { cursor: () => reader.place } : {}),
    });
    this.#hubs.set(fingerprint, hub);
    return hub;
  }

  #putMachine(machine: MachineEntry): MachineLink {
    const known = this.#machines.get(machine.id);
    if (known) {
      known.update(machine);
      this.#tell({ kind: "machine", id: machine.id });
      return known;
    }
    const { keys, crypto, clock, limits } = this.#options;
    const link: MachineLink = new MachineLink({
      machine,
      keys,
      hubOf: (fingerprint) => this.#hubs.get(fingerprint),
      crypto,
      clock,
      limits,
      events: { onLive: (hub) => this.#onLive(link, hub) },
    });
    this.#machines.set(machine.id, link);
    this.#tell({ kind: "machine", id: machine.id });
    return link;
  }

  #onHubState(hub: HubConnection, state: HubState): void {
    const { fingerprint } = hub.entry;
    if (this.#hubs.get(fingerprint) !== hub) return;
    if (state.kind === "ready") {
      const { addresses } = hub.entry;
      const usedFirst = [state.address, ...addresses.filter((address) => address !== state.address)];
      hub.update({ ...hub.entry, addresses: usedFirst, usedMs: state.sinceMs });
      this.#saveHub(hub);
    }
    this.#tell({ kind: "hub", hub: fingerprint, state });
    for (const [id, link] of this.#machines) {
      if (link.machine.spaces[fingerprint] === undefined) continue;
      this.#onWay(id, link);
    }
  }

  #onPresence(fingerprint: string, space: string): void {
    for (const [id, link] of this.#machines) {
      const own = link.machine.spaces[fingerprint];
      if (own === undefined || toHex(own) !== space) continue;
      this.#onWay(id, link);
    }
  }

  #onWay(id: string, link: MachineLink): void {
    link.changed();
    this.#flush(id);
    this.#refusals.look(id);
    this.#tell({ kind: "machine", id });
  }

  /** What could not be written down goes with the next change. */
  #flush(machine: string): void {
    this.#outbox?.flush(machine).catch(() => {});
  }

  #onlyAt(fingerprint: string): string[] {
    return [...this.#machines.values()].flatMap(({ machine: { id, spaces } }) =>
      spaces[fingerprint] !== undefined && Object.keys(spaces).length === 1 ? [id] : [],
    );
  }

  #sides(): DeviceSides {
    return {
      ...this.#options,
      machines: () => [...this.#machines.values()].map(({ machine }) => machine),
      linkOf: (machine) => this.#machines.get(machine),
      hubOf: (fingerprint) => this.#hubs.get(fingerprint),
      readerOf: (fingerprint) => this.#readers.get(fingerprint),
      outbox: () => this.#outbox,
      refusals: this.#refusals,
      tell: (event) => this.#tell(event),
      save: (saved) => this.#save(saved),
    };
  }

  #onLive(link: MachineLink, hub: string | undefined): void {
    const { id } = link.machine;
    if (this.#machines.get(id) !== link) return;
    if (hub === undefined) this.#refusals.look(id);
    else this.#refusals.letIn(id);
    link.update({ ...link.machine, confirmedMs: this.#options.clock.wallMs() });
    if (hub !== undefined) {
      this.#saveMachine(link);
      this.#flush(id);
    }
    this.#tell({ kind: "machine", id });
  }

  #startLater(hub: HubConnection, clock: RemoteClock, delayMs: number): void {
    const { fingerprint } = hub.entry;
    const cancel = clock.timer(delayMs, () => {
      this.#cancelStarts.delete(fingerprint);
      hub.start();
    });
    this.#cancelStarts.set(fingerprint, cancel);
  }

  #end(fingerprint: string, hub: HubConnection): void {
    this.#cancelStarts.get(fingerprint)?.();
    this.#cancelStarts.delete(fingerprint);
    for (const link of this.#machines.values()) link.leave(fingerprint);
    hub.stop();
  }

  /** At once, so that nothing is written down of half of it. */
  #forgetHub(fingerprint: string, hub: HubConnection): void {
    this.#hubs.delete(fingerprint);
    this.#readers.delete(fingerprint);
    this.#end(fingerprint, hub);
    this.#tell({ kind: "hub_removed", hub: fingerprint });
    for (const [id, link] of [...this.#machines]) {
      if (link.machine.spaces[fingerprint] === undefined) continue;
      const { [fingerprint]: _, ...spaces } = link.machine.spaces;
      if (Object.keys(spaces).length === 0) {
        this.#drop(id, link);
        continue;
      }
      link.update({ ...link.machine, spaces });
      this.#tell({ kind: "machine", id });
    }
  }

  #drop(id: string, link: MachineLink): void {
    this.#machines.delete(id);
    this.#refusals.forget(id);
    link.close();
    this.#tell({ kind: "machine_removed", id });
  }

  /** As it is in its turn, if it is there still. */
  #saveHub(hub: HubConnection): void {
    const saved = this.#inTurn(async () => {
      if (this.#hubs.get(hub.entry.fingerprint) === hub) await this.#options.store.putHub(hub.entry);
    });
    this.#save(saved);
  }

  #saveMachine(link: MachineLink): void {
    const saved = this.#inTurn(async () => {
      if (this.#machines.get(link.machine.id) === link) await this.#options.store.putMachine(link.machine);
    });
    this.#save(saved);
  }

  /** When it was last used is nice to know; that it cannot be written down stops nobody. */
  #save(saved: Promise<void>): void {
    saved.catch(() => {});
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lastChange.then(work);
    this.#lastChange = done.catch(() => {});
    return done;
  }

  #tell(event: RemoteEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
