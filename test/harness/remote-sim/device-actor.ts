import { Client } from "../../../src/client/client.ts";
import { Coordinator } from "../../../src/client/remote/coordinator.ts";
import { type Candidate, Introducing } from "../../../src/client/remote/introducing.ts";
import { DEVICE_LIMITS } from "../../../src/client/remote/limits.ts";
import { Pairing, readCard } from "../../../src/client/remote/pairing.ts";
import { MemoryOutbox, MemoryRecords } from "../../../src/client/remote/testing/memory-records.ts";
import { MemoryStore } from "../../../src/client/remote/testing/memory-store.ts";
import { toHex } from "../../../src/sealing/bytes.ts";
import type { SealingCrypto } from "../../../src/sealing/crypto.ts";
import type { Introducer } from "../../../src/sealing/introducing.ts";
import type { Scope } from "../../../src/sealing/scopes.ts";
import type { Random } from "../random.ts";
import { ToldRows } from "./told-rows.ts";
import type { VirtualNetwork } from "./virtual-network.ts";
import { Life, type VirtualTime } from "./virtual-time.ts";

/** A device: what it keeps outlives its crashes. */
export class DeviceActor {
  readonly name: string;
  readonly wall = { offsetMs: 0 };
  readonly store: MemoryStore;
  readonly outbox = new MemoryOutbox();
  readonly records = new MemoryRecords();
  readonly told = new ToldRows(this.records);
  readonly #options: DeviceOptions;
  #life: Life;
  /** At the next write of its outbox it dies: before or after it is on the disk. */
  dieAtWrite: "before" | "after" | undefined;
  coordinator: Coordinator | undefined;

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.name = options.name;
    this.store = new MemoryStore(options.crypto);
    this.#life = new Life(options.time, this.wall);
  }

  async start(): Promise<void> {
    if (this.coordinator) return;
    const { time, network, crypto, name, random } = this.#options;
    const keys = await this.store.keys();
    if (!keys) return; // it was paired with nobody
    const life = new Life(time, this.wall);
    this.#life = life;
    const coordinator = await Coordinator.open({
      keys,
      store: living(this.store, life),
      network: network.of(name, life),
      crypto,
      clock: life.clock,
      limits: DEVICE_LIMITS,
      random: random.next,
      records: living(this.records, life),
      outbox: living(this.outbox, life, ["put", "remove"], (isOver) => this.#dies(isOver)),
    });
    if (life.isOver) return;
    this.coordinator = coordinator;
    coordinator.start();
  }

  crash(): void {
    this.coordinator = undefined;
    this.dieAtWrite = undefined;
    this.#life.end();
  }

  /** Reads a code, and joins. */
  async join(code: string, events: JoinEvents): Promise<void> {
    const { crypto, network, time } = this.#options;
    const life = new Life(time, this.wall);
    const card = await readCard(code, this.store, { nowSeconds: life.clock.wallMs() / 1_000 });
    const pairing: Pairing = new Pairing(card, {
      name: this.name,
      platform: "test",
      store: this.store,
      network: network.of(this.name, life),
      crypto,
      clock: life.clock,
      limits: DEVICE_LIMITS,
      onState: (state) => {
        if (state.kind === "shown" || state.kind === "awaiting") events.onCheck(state.check);
        if (state.kind !== "asked") return;
        if (events.agrees?.(state.introducer) ?? true) queueMicrotask(() => pairing.agree());
        else queueMicrotask(() => pairing.cancel());
      },
    });
    const { hub, machines } = await pairing.connect();
    await this.coordinator?.addHub(hub);
    for (const machine of machines) await this.coordinator?.addMachine(machine);
  }

  /** Introduces another device to all of its machines, at its first hub. */
  introduce(scopes: readonly Scope[], onMet: (candidate: Candidate) => void): Promise<Introducing> {
    const { crypto, name } = this.#options;
    const coordinator = this.coordinator!;
    return Introducing.offer({
      name,
      hub: coordinator.hub(coordinator.hubs()[0]!.entry.fingerprint)!,
      machines: coordinator.machines().map(({ machine }) => coordinator.machineNamed(machine.id)),
      scopes,
      crypto,
      clock: this.#life.clock,
      limits: DEVICE_LIMITS,
      clientOf: (link) =>
        new Client({
          dial: link.dialLines(),
          name,
          version: "0",
          randomId: () => toHex(crypto.random(16)),
          redialCountMax: 1,
        }),
      events: { onMet },
    });
  }

  #dies(when: "before" | "after"): boolean {
    if (this.dieAtWrite !== when) return false;
    this.crash();
    return true;
  }
}

/** The store as one life sees it: a dead one changes nothing, and hears nothing. */
function living<Store extends object>(
  store: Store,
  life: Life,
  writes: readonly string[] = [],
  dies: (when: "before" | "after") => boolean = () => false,
): Store {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      return (...args: unknown[]) =>
        life.of(async () => {
          const isWrite = writes.includes(String(name));
          if (isWrite && dies("before")) return new Promise(() => {});
          const result = await (value as (...all: unknown[]) => unknown).apply(target, args);
          if (isWrite) dies("after");
          return result;
        });
    },
  });
}

interface JoinEvents {
  onCheck(check: string): void;
  /** To the machines to which another device introduces it; default: yes. */
  agrees?(introducer: Introducer): boolean;
}

export interface DeviceOptions {
  name: string;
  time: VirtualTime;
  network: VirtualNetwork;
  crypto: SealingCrypto;
  random: Random;
}
