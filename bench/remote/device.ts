import { Coordinator } from "../../src/client/remote/coordinator.ts";
import { DEVICE_LIMITS } from "../../src/client/remote/limits.ts";
import type { RecordChange } from "../../src/client/remote/record-store.ts";
import { MemoryRecords } from "../../src/client/remote/testing/memory-records.ts";
import { MemoryStore } from "../../src/client/remote/testing/memory-store.ts";
import type { DeviceKeys, HubEntry, MachineEntry } from "../../src/client/remote/world.ts";
import type { HubNetwork } from "../../src/contact/network.ts";
import { commandClock } from "../../src/local/remote/device.ts";
import { socketNetwork } from "../../src/local/remote/socket-network.ts";
import { RECORD_KINDS } from "../../src/sealing/record.ts";
import { within } from "../deadline.ts";
import { crypto } from "./guests.ts";

const DEADLINE_MS = 30_000;

/** A device in the benchmark's process: the product's own library on real sockets, with a store in memory that tells of what it has taken. */
export interface BenchDevice extends Disposable {
  coordinator: Coordinator;
  /** Tells when a change is in the store. */
  onStored(listener: (hub: string, change: RecordChange) => void): void;
}

class TellingRecords extends MemoryRecords {
  onStored: (hub: string, change: RecordChange) => void = () => {};

  override async commit(hub: string, change: RecordChange): Promise<void> {
    await super.commit(hub, change);
    this.onStored(hub, change);
  }
}

/** What a device keeps while it does not run. */
export class BenchHome {
  readonly keys: DeviceKeys;
  readonly #store = new MemoryStore(crypto);
  readonly #records = new TellingRecords();

  private constructor(keys: DeviceKeys) {
    this.keys = keys;
  }

  static async make(): Promise<BenchHome> {
    return new BenchHome({ signing: await crypto.newSigningKey(), exchange: await crypto.newExchangeKey() });
  }

  async join(hub: HubEntry, machine?: MachineEntry): Promise<void> {
    await this.#store.putHub(hub);
    if (machine) await this.#store.putMachine(machine);
  }

  /** The device runs; nothing is connected to before its `start`. */
  async open(network: HubNetwork = socketNetwork): Promise<BenchDevice> {
    const records = this.#records;
    const coordinator = await Coordinator.open({
      keys: this.keys,
      store: this.#store,
      network,
      crypto,
      clock: commandClock,
      limits: DEVICE_LIMITS,
      random: Math.random,
      records,
    });
    return {
      coordinator,
      onStored: (listener) => {
        records.onStored = listener;
      },
      [Symbol.dispose]: () => coordinator.close(),
    };
  }
}

/** Waits for what comes into a device's store, of each hub one thing of a kind at a time. */
export class Arrivals {
  readonly #waiting = new Map<string, (atMs: number) => void>();

  constructor(device: BenchDevice) {
    device.onStored((hub, { period, row }) => {
      const kind = period ? "period" : row?.kind === RECORD_KINDS.item ? "item" : "other";
      const key = `${hub} ${kind}`;
      this.#waiting.get(key)?.(performance.now());
      this.#waiting.delete(key);
    });
  }

  /** When the next one came. Ask before it is sent. */
  next(hub: string, kind: "period" | "item"): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#waiting.set(`${hub} ${kind}`, resolve);
    return within(DEADLINE_MS, `the ${kind} of hub ${hub}`, promise);
  }
}
