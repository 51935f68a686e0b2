import type { Clock } from "../../platform/clock.ts";
import {
  type Directory,
  type Fact,
  FLEETING_MS,
  type ReceivedPacket,
  type Shelf,
  type Transport,
  type TransportState,
} from "./transport.ts";

/** A network between machines in memory, that does what networks do when a test tells it to, with chance and time of the test's own. */

interface Kept {
  from: string;
  bytes: Uint8Array;
  id: string;
  isOut: boolean;
}

interface Put extends Fact {
  atMs: number;
}

/** What goes wrong, one in so many; 0: never. */
export interface Weather {
  /** A publish fails, and nothing was kept. */
  lost: number;
  /** A publish fails, although it was kept. */
  unheard: number;
  /** A packet is delivered again although it was confirmed. */
  doubled: number;
  /** A packet is delivered before an earlier one. */
  early: number;
  /** A packet is kept, and vanishes. */
  vanished: number;
}

export const FAIR: Weather = { lost: 0, unheard: 0, doubled: 0, early: 0, vanished: 0 };

export class ModelNetwork {
  weather: Weather = FAIR;
  readonly clock: Clock;
  readonly #below: (n: number) => number;
  readonly #boxes = new Map<string, Kept[]>();
  #shelves: Record<Shelf, Map<string, Put>> = { lasting: new Map(), fleeting: new Map() };
  readonly #ends = new Set<ModelTransport>();
  #revision = 0;
  /** Another one is another server: what was kept is gone. */
  #serverCount = 1;
  publishedCount = 0;

  constructor(below: (n: number) => number, clock: Clock) {
    this.#below = below;
    this.clock = clock;
  }

  connect(machine: string): ModelTransport {
    const end = new ModelTransport(this, machine);
    this.#ends.add(end);
    end.connected(this.#serverCount);
    return end;
  }

  disconnect(end: ModelTransport): void {
    end.disconnected();
    for (const kept of this.#boxes.get(end.machine) ?? []) kept.isOut = false;
  }

  reconnect(end: ModelTransport): void {
    end.connected(this.#serverCount);
  }

  /** The server loses everything. */
  wipe(): void {
    this.#serverCount += 1;
    this.#boxes.clear();
    this.#shelves = { lasting: new Map(), fleeting: new Map() };
    for (const end of this.#ends) end.disconnected();
    for (const end of this.#ends) end.connected(this.#serverCount);
  }

  forget(end: ModelTransport): void {
    this.#ends.delete(end);
    for (const kept of this.#boxes.get(end.machine) ?? []) kept.isOut = false;
  }

  get isEmpty(): boolean {
    return [...this.#boxes.values()].every((box) => box.length === 0);
  }

  keep(to: string, from: string, bytes: Uint8Array, id: string): void {
    this.publishedCount += 1;
    const { lost, unheard, vanished } = this.weather;
    if (this.#isOneIn(lost)) throw new Error("not kept");
    const box = this.#boxes.get(to) ?? [];
    this.#boxes.set(to, box);
    if (!this.#isOneIn(vanished) && !box.some((kept) => kept.id === id && kept.from === from))
      box.push({ from, bytes, id, isOut: false });
    if (this.#isOneIn(unheard)) throw new Error("not heard");
  }

  /** Delivers one packet to one machine. Whether there was one. */
  deliver(): boolean {
    const ready = [...this.#ends].filter((end) => end.isReceiving && this.#next(end.machine) !== undefined);
    if (ready.length === 0) return false;
    const end = ready[this.#below(ready.length)]!;
    const box = this.#boxes.get(end.machine)!;
    const waiting = box.filter(({ isOut }) => !isOut);
    const kept = this.#isOneIn(this.weather.early) ? waiting[this.#below(waiting.length)]! : waiting[0]!;
    kept.isOut = true;
    const done = (): void => {
      if (this.#isOneIn(this.weather.doubled)) kept.isOut = false;
      else if (box.includes(kept)) box.splice(box.indexOf(kept), 1);
    };
    end.take({ from: kept.from, bytes: kept.bytes, done });
    return true;
  }

  directory(): Directory {
    const shelf = (name: Shelf): Map<string, Put> => {
      const facts = this.#shelves[name];
      const oldMs = this.clock.monotonicMs() - FLEETING_MS;
      if (name === "fleeting") for (const [key, { atMs }] of facts) if (atMs < oldMs) facts.delete(key);
      return facts;
    };
    return {
      get: async (name, key) => shelf(name).get(key),
      put: async (name, key, value, expected) => {
        const now = shelf(name).get(key)?.revision ?? 0;
        if (expected !== undefined && expected !== now) return false;
        shelf(name).set(key, { value, revision: ++this.#revision, atMs: this.clock.monotonicMs() });
        for (const end of this.#ends) end.tell(name, key, value);
        return true;
      },
      remove: async (name, key) => {
        shelf(name).delete(key);
        for (const end of this.#ends) end.tell(name, key, undefined);
      },
      watch: async () => {},
    };
  }

  factsOf(name: Shelf): [string, string][] {
    return [...this.#shelves[name]].map(([key, { value }]) => [key, value]);
  }

  #next(machine: string): Kept | undefined {
    return this.#boxes.get(machine)?.find(({ isOut }) => !isOut);
  }

  #isOneIn(n: number): boolean {
    return n > 0 && this.#below(n) === 0;
  }
}

export class ModelTransport implements Transport {
  readonly machine: string;
  readonly directory: Directory;
  readonly #network: ModelNetwork;
  #state: TransportState = { kind: "connecting" };
  #serverSeen: number | undefined;
  #onState: (state: TransportState) => void = () => {};
  #onPacket: ((packet: ReceivedPacket) => void) | undefined;
  readonly #watchers = new Map<Shelf, (key: string, value: string | undefined) => void>();

  constructor(network: ModelNetwork, machine: string) {
    this.#network = network;
    this.machine = machine;
    const all = network.directory();
    this.directory = {
      ...all,
      put: async (shelf, key, value, expected) => {
        if (this.#state.kind !== "connected") throw new Error("not connected");
        return all.put(shelf, key, value, expected);
      },
      watch: async (shelf, onFact) => {
        this.#watchers.set(shelf, onFact);
        for (const [key, value] of network.factsOf(shelf)) onFact(key, value);
      },
    };
  }

  get state(): TransportState {
    return this.#state;
  }

  get isReceiving(): boolean {
    return this.#state.kind === "connected" && this.#onPacket !== undefined;
  }

  onState(listener: (state: TransportState) => void): void {
    this.#onState = listener;
  }

  receive(_machine: string, onPacket: (packet: ReceivedPacket) => void): void {
    this.#onPacket = onPacket;
  }

  async publish(to: string, packet: Uint8Array, id: string): Promise<void> {
    if (this.#state.kind !== "connected") throw new Error("not connected");
    this.#network.keep(to, this.machine, packet, id);
  }

  async close(): Promise<void> {
    this.#onPacket = undefined;
    this.#watchers.clear();
    this.#onState = () => {};
    this.#network.forget(this);
  }

  take(packet: ReceivedPacket): void {
    this.#onPacket?.(packet);
  }

  tell(shelf: Shelf, key: string, value: string | undefined): void {
    if (this.#state.kind === "connected") this.#watchers.get(shelf)?.(key, value);
  }

  connected(server: number): void {
    if (this.#state.kind === "connected") return;
    const isFresh = this.#serverSeen !== undefined && this.#serverSeen !== server;
    this.#serverSeen = server;
    this.#state = { kind: "connected", sinceMs: this.#network.clock.wallMs(), isFresh };
    this.#onState(this.#state);
  }

  disconnected(): void {
    if (this.#state.kind !== "connected") return;
    this.#state = { kind: "connecting", problem: "cut" };
    this.#onPacket = undefined;
    this.#watchers.clear();
    this.#onState(this.#state);
  }
}
