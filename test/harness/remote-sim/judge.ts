import type { OutboxItem } from "../../../src/client/remote/outbox-item.ts";
import type { DeviceActor } from "./device-actor.ts";
import { isHoleShown } from "./spoken.ts";
import type { World } from "./world.ts";

/**
 * What may not happen, whatever happens:
 *
 * 1. lost: what a device's outbox has taken is not done in the end.
 * 2. doubled: it is done more than once.
 * 3. reordered: something of a device is done before what it asked earlier.
 * 4. stuck: everything is whole again, and it is still waited for.
 * 5. revoked: a device does something after its revocation was answered.
 * 6. told: of a conversation at the machine, and of its mail, a device has, by each of its hubs, everything as it was last; where a hub has meddled, it may lack something, and
 *    knows that. Nothing of it comes twice, or in another order.
 *
 * A machine whose clock has jumped may say that it does not know of a request which it had begun when it died (`REQUEST_UNSURE`): that is told, not lost.
 */
export class Judge {
  readonly #world: World;
  readonly #acknowledged: { device: DeviceActor; number: number }[] = [];
  readonly #revokedAtMs = new Map<DeviceActor, number>();
  readonly #asked = new Set<DeviceActor>();
  readonly #told = new Map<DeviceActor, { seen: string; untold: string | undefined }>();
  #hasJumped = false;
  #isMeddled = false;

  constructor(world: World) {
    this.#world = world;
  }

  acknowledged(device: DeviceActor, number: number): void {
    this.#acknowledged.push({ device, number });
  }

  /** A hub has dropped or changed something, or was put back. */
  meddled(): void {
    this.#isMeddled = true;
  }

  machineClockJumped(): void {
    this.#hasJumped = true;
  }

  /** Its revocation was asked for. */
  revoking(device: DeviceActor): void {
    this.#asked.add(device);
  }

  revoked(device: DeviceActor): void {
    this.#revokedAtMs.set(device, this.#world.time.nowMs);
  }

  isRevoking(device: DeviceActor): boolean {
    return this.#asked.has(device);
  }

  /** Everybody who may has got what they asked for. */
  isOver(): boolean {
    const { devices } = this.#world;
    return devices.every(
      (device) => this.#isMaybeRevoked(device) || (this.#open(device).length === 0 && !this.#untold(device)),
    );
  }

  verdict(): string | undefined {
    const effects = this.#world.machines.flatMap((machine) => machine.effects);
    const numbers = effects.map(({ number }) => number);
    const doubled = numbers.find((number, index) => numbers.indexOf(number) !== index);
    if (doubled !== undefined) return `doubled: ${doubled}`;
    const late = effects.find(({ number, atMs }) => atMs > (this.#revokedAtMs.get(this.#deviceOf(number)) ?? Infinity));
    if (late) return `revoked: ${late.number} at ${late.atMs}`;
    for (const device of this.#world.devices) {
      const own = numbers.filter((number) => this.#deviceOf(number) === device);
      const at = own.findIndex((number, index) => index > 0 && number < own[index - 1]!);
      if (at !== -1) return `reordered: ${own[at]} after ${own[at - 1]}`;
      if (this.#isMaybeRevoked(device)) continue;
      const [open] = this.#open(device);
      if (open) return `stuck: ${device.name} has ${open.payload.number} as ${open.state.kind}; ${this.#ways(device)}`;
      const failed = this.#items(device).find((item) => item.state.kind !== "done" && !this.#isUnsure(item));
      if (failed) return `failed: ${JSON.stringify(failed.state)}`;
      const told = this.#untold(device);
      if (told) return `told: ${device.name} ${told}`;
    }
    const unsure = this.#world.devices.flatMap((device) => this.#items(device)).filter((item) => this.#isUnsure(item));
    const done = new Set([...numbers, ...unsure.map(({ payload }) => payload.number as number)]);
    const lost = this.#acknowledged.find(({ device, number }) => !this.#isMaybeRevoked(device) && !done.has(number));
    return lost && `lost: ${lost.number}`;
  }

  /** What is wrong with what it has of the machine's conversation and mail. */
  #untold(device: DeviceActor): string | undefined {
    const { rows, gaps } = device.records;
    const seen = `${rows.length} ${gaps.length} ${device.coordinator?.hubs().length}`;
    const known = this.#told.get(device);
    if (known?.seen === seen) return known.untold;
    const { spoken, written } = this.#world.machines[0]!;
    const untold = device.coordinator?.hubs().flatMap(({ entry: { fingerprint } }) => {
      const wrong = spoken.wrong(device, fingerprint) ?? written.wrong(device, fingerprint);
      if (wrong) return [`by ${fingerprint}: ${wrong}`];
      const isWhole = spoken.isWhole(device, fingerprint) && written.isWhole(device, fingerprint);
      return isWhole || (this.#isMeddled && isHoleShown(device, fingerprint)) ? [] : [`by ${fingerprint}: not all`];
    })[0];
    this.#told.set(device, { seen, untold });
    return untold;
  }

  /** How it stands with its hubs and machines. */
  #ways({ coordinator }: DeviceActor): string {
    const hubs = coordinator
      ?.hubs()
      .map(({ entry, state }) => `${entry.label} ${state.kind} ${"error" in state ? state.error.code : ""}`);
    const machines = coordinator?.machines().map(({ liveHub, presence }) => `${liveHub} ${JSON.stringify(presence)}`);
    const links = this.#world.machines[0]!.remote?.hubs().map(({ label, state }) => `${label} ${state}`);
    return [...(hubs ?? ["off"]), ...(machines ?? []), "and the machine", ...(links ?? ["off"])].join(", ");
  }

  #items({ coordinator }: DeviceActor): OutboxItem[] {
    return coordinator?.outbox?.items() ?? [];
  }

  #isUnsure({ state }: OutboxItem): boolean {
    return this.#hasJumped && state.kind === "failed" && state.error.code === "REQUEST_UNSURE";
  }

  #open(device: DeviceActor) {
    return this.#items(device).filter(
      ({ state }) => state.kind === "queued" || state.kind === "sent" || state.kind === "delivered",
    );
  }

  /** It may have been written down although the machine died before it said so. */
  #isMaybeRevoked(device: DeviceActor): boolean {
    if (!this.#asked.has(device)) return false;
    const devices = this.#world.machines[0]!.remote?.devices();
    return (
      this.#revokedAtMs.has(device) ||
      (devices !== undefined && !devices.some(({ name }) => name.startsWith(device.name)))
    );
  }

  #deviceOf(number: number): DeviceActor {
    return this.#world.devices[Math.floor(number / 1_000_000)]!;
  }
}
