import { existsSync } from "node:fs";
import { join } from "node:path";
import { Coordinator } from "../../client/remote/coordinator.ts";
import { machineNotFound } from "../../client/remote/errors.ts";
import { DEVICE_LIMITS } from "../../client/remote/limits.ts";
import type { MachineLink } from "../../client/remote/machine-link.ts";
import type { DeviceStore } from "../../client/remote/world.ts";
import type { RemoteClock } from "../../contact/network.ts";
import { nodeCrypto } from "../../platform/node-crypto.ts";
import type { Places } from "../../platform/paths.ts";
import { deviceStore } from "./device-store.ts";
import { trustingNetwork } from "./trusting-network.ts";

/** This home as a device: what its commands steer other machines with. */

/** Somebody waits for what these timers do, so they keep the process alive. */
export const commandClock: RemoteClock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  timer(delayMs, task) {
    const handle = setTimeout(task, delayMs);
    return () => clearTimeout(handle);
  },
};

export const deviceDirectory = ({ remoteDir }: Pick<Places, "remoteDir">): string => join(remoteDir, "device");

export const deviceStoreOf = (places: Pick<Places, "remoteDir">): DeviceStore =>
  deviceStore(deviceDirectory(places), nodeCrypto());

/** Something was asked with `--later`, at some time. */
const hasOutbox = (dir: string): boolean => existsSync(join(dir, "device.db"));

/** What a coordinator of this home is made of, as far as it is the same whatever it is for. `wanted`: whom it is for. @throws MACHINE_NOT_FOUND before the first pairing */
export async function ownParts(places: Pick<Places, "remoteDir">, wanted: string) {
  const store = deviceStoreOf(places);
  const keys = await store.keys();
  if (!keys) throw machineNotFound(wanted, undefined, []);
  const network = trustingNetwork(places);
  return {
    keys,
    store,
    network,
    crypto: nodeCrypto(),
    clock: commandClock,
    limits: DEVICE_LIMITS,
    random: Math.random,
  };
}

/**
 * The machine of that name, through its hubs, which are connected to from now on; `close` ends all of it. What waits for it goes first.
 * @throws MACHINE_NOT_FOUND, MACHINE_AMBIGUOUS, DEVICE_FILE_OPEN, DEVICE_FILE_BAD, and of what waits OUTBOX_BUSY, DEVICE_STATE_…
 */
export async function machineOn(
  places: Pick<Places, "remoteDir">,
  name: string,
): Promise<{ link: MachineLink; close(): void }> {
  const coordinator = await Coordinator.open(await ownParts(places, name));
  const link = coordinator.machineNamed(name);
  if (hasOutbox(deviceDirectory(places))) {
    const { bringWaiting } = await import("./device-outbox.ts"); // with a database
    await bringWaiting(places, link.machine.id);
  }
  coordinator.start(link.machine.id);
  return { link, close: () => coordinator.close() };
}
