import assert from "node:assert/strict";
import { decodeFrame, encodeFrame, type Frame } from "../../../src/sealing/frames.ts";
import { World } from "../remote-sim/world.ts";
import type { Attack } from "./attack.ts";

/** A hub between a device and its machine, which changes, keeps back and invents what it likes. */
export class Steered {
  readonly world: World;
  /** What the machine has sent to hubs, and what devices have. */
  readonly heard: { member: string; to: "hub" | "member"; frame: Frame }[] = [];
  /** Instead of a frame: others. */
  change: (frame: Frame, about: { to: "hub" | "member"; member: string }) => Frame[] | undefined = () => undefined;
  #number = 0;

  /** Two devices that have steered the machine once, each through both hubs. */
  static async open(): Promise<Steered> {
    const world = await World.open({ seed: 1, cipher: "real" });
    const [machine] = world.machines;
    for (const device of world.devices) {
      for (const hub of world.hubs) await world.pair(device, machine!, hub);
      await world.finish(device.start());
    }
    const steered = new Steered(world);
    for (const device of [0, 1]) await steered.ask(device);
    await steered.comeTrue();
    return steered;
  }

  private constructor(world: World) {
    this.world = world;
    world.network.meddle = (bytes, about) => {
      let frame: Frame;
      try {
        frame = decodeFrame(bytes);
      } catch {
        return [bytes];
      }
      this.heard.push({ ...about, frame });
      return this.change(frame, about)?.map(encodeFrame) ?? [bytes];
    };
  }

  get machine() {
    return this.world.machines[0]!;
  }

  /** Something that a device wants done. */
  async ask(device = 0): Promise<number> {
    const { coordinator } = this.world.devices[device]!;
    const machine = coordinator!.machines()[0]!.machine.id;
    const number = ++this.#number;
    await this.world.finish(coordinator!.outbox!.add({ machine, type: "stop", payload: { number } }));
    return number;
  }

  get done(): number[] {
    return this.machine.effects.map(({ number }) => number);
  }

  statesOf(device = 0): string[] {
    return this.world.devices[device]!.coordinator!.outbox!.items().map(({ state }) => state.kind);
  }

  pass(ms = 60_000): Promise<void> {
    return this.world.time.runUntil(this.world.time.nowMs + ms);
  }

  /** The hub stops it; then everything that was asked has been done, once, and in order. */
  async comeTrue(): Promise<void> {
    this.change = () => undefined;
    this.world.network.cut();
    const isDone = (): boolean => this.done.length >= this.#number;
    await this.world.time.runUntil(this.world.time.nowMs + 20 * 60_000, isDone);
    await this.pass(2_000);
    assert.deepEqual(
      this.done.toSorted((a, b) => a - b),
      Array.from({ length: this.#number }, (_, index) => index + 1),
    );
  }

  /** As the hub that carries a device's session. */
  hubOf(device = 0): string {
    const { coordinator } = this.world.devices[device]!;
    const { liveHub } = coordinator!.machines()[0]!;
    return coordinator!.hubs().find(({ entry }) => entry.fingerprint === liveHub)!.entry.label;
  }

  async loginOf(device: number, label: string): Promise<Uint8Array> {
    const hub = (await this.world.devices[device]!.store.hubs()).find((one) => one.label === label)!;
    return hub.login.publicKey;
  }
}

/** After it the hub stops, and everything that was asked has been done once. */
export const live = (name: string, how: string, run: (steered: Steered) => Promise<void>, who = "hub"): Attack => ({
  name: `${who}, live: ${name}`,
  how,
  async run() {
    const steered = await Steered.open();
    await using _world = steered.world;
    await run(steered);
    await steered.comeTrue();
  },
});

export const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, index) => (index === at % bytes.length ? byte ^ 0x20 : byte));
