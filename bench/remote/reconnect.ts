import { type Case, measuredOf, rounds } from "../cases/case.ts";
import { within } from "../deadline.ts";
import type { Row } from "../result.ts";
import { countingNetwork, type Traffic } from "./counting-network.ts";
import { type BenchDevice, BenchHome } from "./device.ts";
import { endHub, type HubHost, startHub } from "./hub-process.ts";
import { Teller } from "./teller.ts";

const MISSED = 1_000;
const STREAMS = 3;
const NOTHING_BYTES = 200;
const TEXT = "r".repeat(400);
const ROUNDS = { roundCountMin: 5, roundCountMax: 5, warmUpCount: 0 };
const DEADLINE_MS = 60_000;

/** What a device that comes back costs: bytes, waits, and the time until everything that it has missed is in its store. */
export const reconnect: Case = {
  name: "reconnect",
  async run(bench) {
    const host = await startHub(bench.stage, { label: "reconnect" });
    try {
      const { roundCountMin: count } = rounds(bench, ROUNDS);
      const missed = bench.quick ? 100 : MISSED;
      const nothing: Coming[] = [];
      const much: Coming[] = [];
      for (let at = 0; at < count; at++) {
        const back = await comeBack(host, missed);
        nothing.push(back.nothing);
        much.push(back.much);
      }
      const { nothing: first } = await comeBack(host, 0);
      return {
        title: "A device comes back to one hub",
        peers: [],
        rows: [
          row(
            "nothing missed: bytes of the hub's protocol, both ways",
            "",
            nothing.map(({ traffic }) => traffic.welcomeBytes),
            NOTHING_BYTES,
          ),
          row(
            "nothing missed: round trips",
            "",
            nothing.map(({ traffic }) => traffic.roundTrips),
            1,
          ),
          row(
            "nothing missed: connected",
            "ms",
            nothing.map(({ ms }) => ms),
          ),
          row(
            `${missed} records of 400 B missed: bytes, both ways`,
            "",
            much.map(({ traffic: { sentBytes, receivedBytes } }) => sentBytes + receivedBytes),
          ),
          row(
            `${missed} missed: round trips`,
            "",
            much.map(({ traffic }) => traffic.roundTrips),
          ),
          row(
            `${missed} missed: all of them checked, opened and in the store`,
            "ms",
            much.map(({ ms }) => ms),
          ),
          row("of a device without a cursor", "ms", [first.ms]),
        ],
      };
    } finally {
      await endHub(host);
    }
  },
};

interface Coming {
  ms: number;
  traffic: Traffic;
}

const row = (what: string, unit: Row["unit"], samples: number[], atMost?: number): Row => ({
  what,
  unit,
  measured: measuredOf(new Map([["warren", samples]])),
  ...(atMost === undefined ? {} : { target: { atMost, of: "max" as const } }),
});

/** Of one device: when nothing has come meanwhile, and when so much has. */
async function comeBack(host: HubHost, missed: number): Promise<{ nothing: Coming; much: Coming }> {
  const home = await BenchHome.make();
  const teller = await Teller.join(host, home, "m");
  try {
    await coming(host, home, (device) => stored(device, "period", 1));
    const nothing = await coming(host, home, (device) => ready(device, host));
    for (let at = 0; at < missed; at++) await teller.put(await teller.item(`stream ${at % STREAMS}`, TEXT));
    const much = await coming(host, home, (device) =>
      missed === 0 ? ready(device, host) : stored(device, "row", missed),
    );
    return { nothing, much };
  } finally {
    teller.guest.socket.terminate();
  }
}

async function coming(host: HubHost, home: BenchHome, until: (device: BenchDevice) => Promise<void>): Promise<Coming> {
  const { network, of } = countingNetwork();
  using device = await home.open(network);
  const come = until(device);
  const startMs = performance.now();
  device.coordinator.start();
  await come;
  return { ms: performance.now() - startMs, traffic: { ...of(host.address) } };
}

function stored(device: BenchDevice, kind: "period" | "row", count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = count;
  device.onStored((_hub, change) => {
    if (change[kind] && --left === 0) resolve();
  });
  return within(DEADLINE_MS, `${count} × ${kind} in the store`, promise);
}

function ready({ coordinator }: BenchDevice, host: HubHost): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  coordinator.subscribe((event) => {
    if (event.kind === "hub" && event.hub === host.fingerprint && event.state.kind === "ready") resolve();
  });
  return within(DEADLINE_MS, "the hub's welcome", promise);
}
