import { hash } from "node:crypto";
import type { SealingCrypto } from "../../../src/sealing/crypto.ts";
import { standInCrypto } from "../../../src/sealing/testing/stand-in.ts";
import { webCrypto } from "../../../src/sealing/webcrypto.ts";
import { type Random, randomOf } from "../random.ts";
import { DeviceActor } from "./device-actor.ts";
import { HubActor } from "./hub-actor.ts";
import { HubDatabases } from "./hub-databases.ts";
import { MachineActor, type Plants } from "./machine-actor.ts";
import { VirtualNetwork } from "./virtual-network.ts";
import { inOneOrder, VirtualTime } from "./virtual-time.ts";

/** Hubs, machines and devices with their real code, on one virtual time and network. */
export interface WorldOptions {
  seed: number;
  cipher?: "stand-in" | "real";
  plants?: Plants;
  hubs?: number;
  machines?: number;
  devices?: number;
  /** Hubs' stores are files, so that they can be put back. */
  hasFiles?: boolean;
  /** Those of schedules before. */
  databases?: HubDatabases;
}

export class World implements AsyncDisposable {
  readonly random: Random;
  readonly time = new VirtualTime();
  readonly network: VirtualNetwork;
  readonly crypto: SealingCrypto;
  readonly plants: Plants;
  readonly hubs: HubActor[] = [];
  readonly machines: MachineActor[] = [];
  readonly devices: DeviceActor[] = [];
  readonly #setTimeout = globalThis.setTimeout;
  readonly #clearTimeout = globalThis.clearTimeout;

  static async open(options: WorldOptions): Promise<World> {
    const world = new World(options);
    const { time, network, crypto, random, plants } = world;
    const { hubs = 2, machines = 1, devices = 2, hasFiles = false, databases = new HubDatabases() } = options;
    for (let index = 0; index < hubs; index++) {
      const key = await crypto.newSigningKey();
      const hub = new HubActor({ name: `hub${index}`, time, crypto, key, hasFiles, databases });
      world.hubs.push(hub);
      network.add(hub);
    }
    for (let index = 0; index < machines; index++)
      world.machines.push(new MachineActor({ name: `machine${index}`, time, network, crypto, random, plants }));
    for (let index = 0; index < devices; index++)
      world.devices.push(new DeviceActor({ name: `device${index}`, time, network, crypto, random }));
    for (const machine of world.machines) await machine.start();
    return world;
  }

  private constructor({ seed, cipher = "stand-in", plants = {} }: WorldOptions) {
    this.random = randomOf(seed);
    this.network = new VirtualNetwork(this.time, this.random);
    this.plants = plants;
    const { crypto, isBusy } =
      cipher === "real" ? inOneOrder(webCrypto()) : { crypto: quick(seed), isBusy: () => false };
    this.crypto = crypto;
    this.time.isBusy = isBusy;
    // The protocol's client waits a little before it dials again: that, too, is virtual.
    const { time } = this;
    globalThis.setTimeout = ((task: () => void, delayMs = 0) => {
      const cancel = time.after(delayMs, task);
      return { cancel, ref() {}, unref() {}, hasRef: () => false };
    }) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((timer?: { cancel?: () => void }) =>
      timer?.cancel?.()) as unknown as typeof clearTimeout;
  }

  /** Lets time pass until it is over. @throws what it throws, or that it took longer than a virtual quarter of an hour */
  async finish<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    work.then(over, over);
    await this.time.runUntil(this.time.nowMs + 15 * 60_000, () => isOver);
    if (!isOver) throw new Error("it did not come to an end");
    return work;
  }

  /** The whole pairing; the machine's person says yes to the check that the device shows. */
  async pair(device: DeviceActor, machine: MachineActor, hub: HubActor): Promise<void> {
    await this.finish(this.pairing(device, machine, hub));
  }

  /** @param mayJoin asked when the check is shown; no: its person refuses it */
  async pairing(
    device: DeviceActor,
    machine: MachineActor,
    hub: HubActor,
    mayJoin: () => boolean = () => true,
  ): Promise<void> {
    const remote = machine.remote!;
    const { fingerprint } = await remote.look(hub.address);
    await remote.addHub({ address: hub.address, fingerprint });
    const { pairing, code } = await remote.pair(hub.address, ["view", "type"], new AbortController().signal);
    const say = (): void => {
      if (mayJoin()) remote.confirm(pairing.pairing).catch(() => {});
      else remote.cancel(pairing.pairing);
    };
    await device.join(code, { onCheck: say });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const device of this.devices) device.crash();
    for (const machine of this.machines) machine.crash();
    globalThis.setTimeout = this.#setTimeout;
    globalThis.clearTimeout = this.#clearTimeout;
    for (const hub of this.hubs) await hub.close();
  }
}

/** The hub makes fingerprints with Node's SHA-256, so everybody has to. */
const quick = (seed: number): SealingCrypto => ({
  ...standInCrypto(seed),
  sha256: async (bytes) => new Uint8Array(hash("sha256", bytes, "buffer")),
});
