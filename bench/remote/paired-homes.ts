import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Coordinator } from "../../src/client/remote/coordinator.ts";
import { DEVICE_LIMITS } from "../../src/client/remote/limits.ts";
import { commandClock, deviceStoreOf } from "../../src/local/remote/device.ts";
import { joinByCode } from "../../src/local/remote/join-by-code.ts";
import { socketNetwork } from "../../src/local/remote/socket-network.ts";
import { type WarrenPeer, warrenPeer } from "../peers/warren.ts";
import type { Stage } from "../stage.ts";
import { output } from "../timed.ts";
import { crypto } from "./guests.ts";
import { endHub, type HubHost, startHub } from "./hub-process.ts";

/** A hub, a home that is a machine, and a home that is to be its device: real processes, by the commands that people type. */
export interface Homes extends AsyncDisposable {
  hub: HubHost;
  machine: WarrenPeer;
  device: WarrenPeer;
}

export async function openHomes(stage: Stage, label: string): Promise<Homes> {
  const hub = await startHub(stage, { label: `of-${label}` });
  const machine = await warrenPeer(stage, `${label}-machine`);
  const device = await warrenPeer(stage, `${label}-device`);
  await machine.up();
  return {
    hub,
    machine,
    device,
    async [Symbol.asyncDispose]() {
      await machine.down().catch(() => {}); // what stays is swept with the stage
      await device.down().catch(() => {});
      await endHub(hub);
    },
  };
}

/** A code that the machine shows, until somebody has joined by it. */
export interface ShownCode {
  code: string;
  shownAtMs: number;
  /** When the machine has said who joined, and as what. */
  joined: Promise<{ atMs: number; name: string }>;
}

export async function showCode({ hub, machine }: Homes, scopes = "view,type"): Promise<ShownCode> {
  const { file, args, cwd, env } = machine.command("pair", "--hub", hub.address, "--scopes", scopes, "--yes", "--json");
  const child = spawn(file, args, { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout! });
  const shown = Promise.withResolvers<{ code: string; atMs: number }>();
  const joined = Promise.withResolvers<{ atMs: number; name: string }>();
  lines.on("line", (line) => {
    const told = JSON.parse(line) as { event: string; code: string; device: { name: string } };
    const atMs = performance.now();
    if (told.event === "code") shown.resolve({ code: told.code, atMs });
    if (told.event === "joined") joined.resolve({ atMs, name: told.device.name });
  });
  void once(child, "exit").then(([status]) => {
    const failed = new Error(`warren pair ended with ${status}`);
    shown.reject(failed);
    joined.reject(failed);
  });
  joined.promise.catch(() => {}); // asked for later, or never
  const { code, atMs } = await shown.promise;
  return { code, shownAtMs: atMs, joined: joined.promise };
}

/** `warren pair CODE` in the device's home: a process from its start to its end. Answers what it calls the machine. */
export async function joinByCommand({ device }: Homes, code: string): Promise<string> {
  const text = await output(device.command("pair", code, "--yes", "--json"));
  return (JSON.parse(text.slice(text.indexOf("\n"))) as { machine: string }).machine; // behind the line that says who is there
}

/** The same by the library, in this process: what an app that runs already needs. */
export async function joinHere(homes: Homes, code: string): Promise<void> {
  await joinByCode({ places: remotePlaces(homes.device), code, name: "here", onCard: async () => true });
}

/** The device's home in this process: with its keys, on real sockets. The caller starts and closes it. */
export async function openHomeDevice({ device }: Homes): Promise<Coordinator> {
  const store = deviceStoreOf(remotePlaces(device));
  const keys = await store.keys();
  if (!keys) throw new Error("this home is no device yet");
  return Coordinator.open({
    keys,
    store,
    network: socketNetwork,
    crypto,
    clock: commandClock,
    limits: DEVICE_LIMITS,
    random: Math.random,
  });
}

const remotePlaces = ({ home }: WarrenPeer) => ({ remoteDir: join(home, "remote") });
