import type { Client } from "../../src/client/client.ts";
import type { Coordinator } from "../../src/client/remote/coordinator.ts";
import type { RemoteEvent } from "../../src/client/remote/remote-events.ts";
import { type Case, measuredOf } from "../cases/case.ts";
import { within } from "../deadline.ts";
import { connect } from "../peers/client.ts";
import type { Row } from "../result.ts";
import { type Homes, joinByCommand, openHomeDevice, openHomes, showCode } from "./paired-homes.ts";

const REVOKED_MS = 1_000;
const PRESENCE_MS = 10_000;
const REVOCATIONS = 20;
const HANGS = 3;
const DEADLINE_MS = 30_000;

/** How soon a device that was revoked is cut off, and how long a device believes what is not true any more. */
export const cutOff: Case = {
  name: "cut-off",
  async run(bench) {
    await using homes = await openHomes(bench.stage, "cut-off");
    const client = await connect(homes.machine);
    try {
      const revoked: number[] = [];
      for (let at = 0; at < (bench.quick ? 2 : REVOCATIONS); at++) revoked.push(await revocation(homes, client));
      const hangs = bench.quick ? 1 : HANGS;
      const machine = await hanging(homes, hangs, () => primaryPid(homes));
      const hub = await hanging(homes, hangs, async () => homes.hub.pid);
      return {
        title: "Revocation and presence, as a device sees them",
        peers: [],
        rows: [
          row("a device is revoked → its connection is closed", revoked, REVOKED_MS),
          row("the machine's server hangs (SIGSTOP) → the device hears that it is gone", machine, PRESENCE_MS),
          row("the hub hangs (SIGSTOP) → the device has given it up", hub, PRESENCE_MS),
        ],
      };
    } finally {
      client.close();
    }
  },
};

const row = (what: string, samples: number[], atMost: number): Row => ({
  what,
  unit: "ms",
  target: { atMost, of: "max" },
  measured: measuredOf(new Map([["warren", samples]])),
});

/** Lets it in, connects it, and takes it off the list again. */
async function revocation(homes: Homes, client: Client): Promise<number> {
  const shown = await showCode(homes);
  await joinByCommand(homes, shown.code);
  const { name } = await shown.joined;
  const device = await openHomeDevice(homes);
  try {
    await live(device);
    const closed = nextEvent(device, (event) => event.kind === "hub" && event.state.kind !== "ready");
    const startMs = performance.now();
    const [atMs] = await Promise.all([closed, client.request("remote.revoke", { device: name })]);
    return atMs - startMs;
  } finally {
    device.close();
  }
}

/** Its server hears nothing for a while, and everything afterwards. */
async function hanging(homes: Homes, count: number, pidOf: () => Promise<number>): Promise<number[]> {
  const shown = await showCode(homes);
  await joinByCommand(homes, shown.code);
  const samples: number[] = [];
  for (let at = 0; at < count; at++) {
    const device = await openHomeDevice(homes);
    const pid = await pidOf();
    try {
      await live(device);
      const gone = nextEvent(device, () => !isThere(device));
      const startMs = performance.now();
      process.kill(pid, "SIGSTOP");
      samples.push((await gone) - startMs);
    } finally {
      process.kill(pid, "SIGCONT");
      device.close();
    }
  }
  return samples;
}

const isThere = (device: Coordinator): boolean =>
  device.machines().some(({ presence }) => Object.values(presence).some((isPresent) => isPresent));

/** Connected, with a live session: its machine has come, and has answered. */
async function live(device: Coordinator): Promise<void> {
  const [known] = device.machines();
  const there = nextEvent(device, () => isThere(device));
  device.start();
  await there;
  const link = device.connectionForMachine(known!.machine.id)!;
  const stream = await link.stream("primary", { onBytes() {}, onClosed() {} });
  stream.close();
}

function nextEvent(device: Coordinator, isIt: (event: RemoteEvent) => boolean): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const { close } = device.subscribe((event) => {
    if (isIt(event)) resolve(performance.now());
  });
  return within(DEADLINE_MS, "what a device is to notice", promise).finally(close);
}

async function primaryPid({ machine }: Homes): Promise<number> {
  const pids = await machine.daemonPids();
  return pids.at(-1)!; // the keeper is the first
}
