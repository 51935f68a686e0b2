import assert from "node:assert/strict";
import { isWarrenError } from "../../../src/protocol/errors.ts";
import { decodePairingCode, encodePairingCode, type PairingCode } from "../../../src/sealing/pairing-code.ts";
import type { DeviceActor } from "../remote-sim/device-actor.ts";
import { World } from "../remote-sim/world.ts";
import type { Attack } from "./attack.ts";

/** A code on a machine's screen: whom it is for, and who has photographed it. */
export class Table {
  readonly world: World;
  /** What the person at the machine says when somebody is shown; by default no. */
  isYes = false;
  pairing = "";
  code = "";
  /** Checks as the devices show them. */
  readonly checks = new Map<string, string>();

  static async open(): Promise<Table> {
    const table = new Table(await World.open({ seed: 3, cipher: "real", hubs: 2 }));
    await table.show();
    return table;
  }

  private constructor(world: World) {
    this.world = world;
  }

  get owner(): DeviceActor {
    return this.world.devices[0]!;
  }

  get thief(): DeviceActor {
    return this.world.devices[1]!;
  }

  get remote() {
    return this.world.machines[0]!.remote!;
  }

  async show(): Promise<void> {
    const { world, remote } = this;
    const { address } = world.hubs[0]!;
    const { fingerprint } = await world.finish(remote.look(address));
    await world.finish(remote.addHub({ address, fingerprint }));
    const { pairing, code } = await world.finish(remote.pair(address, ["view", "type"], new AbortController().signal));
    this.pairing = pairing.pairing;
    this.code = code;
  }

  get read(): PairingCode {
    return decodePairingCode(this.code, { nowSeconds: this.nowSeconds });
  }

  get nowSeconds(): number {
    return (Date.UTC(2026, 10, 1) + this.world.time.nowMs) / 1_000;
  }

  /** The check that the machine shows, once somebody is there. */
  get shown(): string | undefined {
    return this.remote.snapshot().snapshot.pairings[0]?.candidate?.check;
  }

  /** `joined`, or the code of why not. */
  async joins(device: DeviceActor, code: string | Partial<PairingCode> = this.code): Promise<string> {
    const text = typeof code === "string" ? code : encodePairingCode({ ...this.read, ...code }).warren;
    const joining = device.join(text, { onCheck: (check) => this.#onCheck(device, check) }).then(
      () => "joined",
      (error: unknown) => (isWarrenError(error) ? error.code : String(error)),
    );
    return this.world.finish(joining);
  }

  #onCheck(device: DeviceActor, check: string): void {
    this.checks.set(device.name, check);
    if (this.isYes) void this.remote.confirm(this.pairing).catch(() => {});
    else this.remote.cancel(this.pairing);
  }

  async left(devices: number): Promise<void> {
    await this.world.time.runUntil(this.world.time.nowMs + 15_000);
    assert.equal(this.remote.devices().length, devices, "on the machine's list");
    for (const device of this.world.devices) {
      const kept = (await device.store.machines()).length + (await device.store.hubs()).length;
      assert.equal(kept === 0, (await device.store.keys()) === undefined, "all of it or nothing");
    }
  }
}

/** After it so many devices are on the machine's list, and the others have kept nothing. */
export const pairing = (
  who: string,
  name: string,
  how: string,
  run: (table: Table) => Promise<void>,
  devices = 0,
): Attack => ({
  name: `${who}, pairing: ${name}`,
  how,
  async run() {
    const table = await Table.open();
    await using _world = table.world;
    await run(table);
    await table.left(devices);
  },
});

export const changed = (bytes: Uint8Array, at = 0): Uint8Array =>
  bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
