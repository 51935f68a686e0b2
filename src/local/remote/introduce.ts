import { hostname } from "node:os";
import { Coordinator } from "../../client/remote/coordinator.ts";
import { machineNotFound } from "../../client/remote/errors.ts";
import type { HubConnection } from "../../client/remote/hub-connection.ts";
import { Introducing, type IntroducingEvents } from "../../client/remote/introducing.ts";
import type { MachineClient } from "../../client/remote/introductions.ts";
import { DEVICE_LIMITS } from "../../client/remote/limits.ts";
import type { MachineLink } from "../../client/remote/machine-link.ts";
import { isSettled } from "../../contact/standing-contact.ts";
import { nodeCrypto } from "../../platform/node-crypto.ts";
import type { Places } from "../../platform/paths.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { fromHex } from "../../sealing/bytes.ts";
import { fingerprintText } from "../../sealing/fingerprint.ts";
import type { Scope } from "../../sealing/scopes.ts";
import { commandClock, deviceStoreOf } from "./device.ts";
import { trustingNetwork } from "./trusting-network.ts";

export interface IntroduceOptions {
  places: Pick<Places, "remoteDir">;
  /** By name, or by the first digits of their keys. */
  machines: readonly string[];
  /** Its label, fingerprint or address; default: one at which all of them are met, the one that was used last first. */
  hub?: string | undefined;
  scopes: readonly Scope[];
  clientOf(machine: MachineLink): MachineClient;
  events: IntroducingEvents;
}

export interface Introduction {
  introducing: Introducing;
  hub: HubConnection["entry"];
  machines: readonly MachineLink["machine"][];
  close(): void;
}

/**
 * A code by which this home, as a device, introduces another device to machines of its own.
 * @throws MACHINE_NOT_FOUND, MACHINE_AMBIGUOUS, HUB_NOT_FOUND, HUB_MISSING, why no hub is connected, and what `Introducing.offer` throws
 */
export async function introduce(options: IntroduceOptions): Promise<Introduction> {
  const { places, machines: names, scopes, clientOf, events } = options;
  const store = deviceStoreOf(places);
  const keys = await store.keys();
  if (!keys) throw machineNotFound(names[0] ?? "", undefined, []);
  const parts = { crypto: nodeCrypto(), clock: commandClock, limits: DEVICE_LIMITS };
  const coordinator = await Coordinator.open({
    ...parts,
    keys,
    store,
    network: trustingNetwork(places),
    random: Math.random,
  });
  try {
    const machines = [...new Set(names.map((name) => coordinator.machineNamed(name)))];
    const hubs = hubsFor(coordinator, machines, options.hub);
    coordinator.start();
    const hub = await firstReady(coordinator, hubs);
    const introducing = await Introducing.offer({
      ...parts,
      name: hostname(),
      hub,
      machines,
      scopes,
      clientOf,
      events,
    });
    return {
      introducing,
      hub: hub.entry,
      machines: machines.map(({ machine }) => machine),
      close: () => coordinator.close(),
    };
  } catch (error) {
    coordinator.close();
    throw error;
  }
}

/** @throws HUB_NOT_FOUND, HUB_MISSING */
function hubsFor(
  coordinator: Coordinator,
  machines: readonly MachineLink[],
  wanted: string | undefined,
): HubConnection[] {
  const all = coordinator
    .hubs()
    .filter(({ entry }) => entry.isOff !== true)
    .sort((a, b) => (b.entry.usedMs ?? 0) - (a.entry.usedMs ?? 0))
    .map(({ entry }) => coordinator.hub(entry.fingerprint)!);
  const named = wanted === undefined ? all : all.filter(({ entry }) => isNamed(entry, wanted));
  const labels = all.map(({ entry }) => entry.label);
  if (named.length === 0) throw hubNotFound(wanted ?? "", labels);
  if (wanted !== undefined) return named;
  const shared = named.filter(({ entry }) =>
    machines.every(({ machine }) => machine.spaces[entry.fingerprint] !== undefined),
  );
  if (shared.length === 0) throw hubMissing(machines.map(({ machine }) => machine.name));
  return shared;
}

const isNamed = ({ label, fingerprint, addresses }: HubConnection["entry"], wanted: string): boolean =>
  label === wanted ||
  addresses.includes(wanted.replace(/\/+$/, "")) ||
  fingerprintText(fromHex(fingerprint)!) === wanted;

/** @throws why the last of them is not connected */
function firstReady(coordinator: Coordinator, hubs: readonly HubConnection[]): Promise<HubConnection> {
  const { promise, resolve, reject } = Promise.withResolvers<HubConnection>();
  const look = (): void => {
    const ready = hubs.find(({ state }) => state.kind === "ready");
    if (ready) return resolve(ready);
    const last = hubs.at(-1)!.state;
    if (hubs.every(({ state }) => state.kind !== "off" && isSettled(state)) && "error" in last) reject(last.error);
  };
  const { close } = coordinator.subscribe(look);
  look();
  return promise.finally(close);
}

const hubNotFound = (wanted: string, known: readonly string[]): WarrenError =>
  new WarrenError("HUB_NOT_FOUND", `This home, as a device, knows no hub ${wanted}; it knows ${known.join(", ")}.`, {
    fix: "leave out --hub",
  });

const hubMissing = (machines: readonly string[]): WarrenError =>
  new WarrenError("HUB_MISSING", `No hub is known here at which all of ${machines.join(", ")} are met.`, {
    fix: "introduce the device to each with a code of its own",
  });
