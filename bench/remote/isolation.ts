import { type Bench, type Case, measuredOf } from "../cases/case.ts";
import { sleep } from "../processes.ts";
import { type BadHub, startBadHubs } from "./bad-hubs.ts";
import { countingNetwork } from "./counting-network.ts";
import { Arrivals, BenchHome } from "./device.ts";
import { endHub, type HubHost, startHub } from "./hub-process.ts";
import { Teller } from "./teller.ts";

const GOOD = 5;
const BAD_EACH = 3;
const P99_MS = 20;
/** Updates of each good hub. */
const UPDATES = 400;
const QUICK_UPDATES = 20;
const PAUSE_MS = 25;
/** Until the bad ones have been dialled, and the flood runs. */
const SETTLE_MS = 3_000;
const ALONE = "without bad hubs";

/** From a machine's word to the device's store, through 5 real hubs, while 15 others are dead, slow, silent, lying or flooding. */
export const isolation: Case = {
  name: "isolation",
  async run(bench) {
    await using ending = new AsyncDisposableStack();
    const hosts = await Promise.all(
      Array.from({ length: GOOD }, (_, at) => startHub(bench.stage, { label: `good-${at}` })),
    );
    for (const host of hosts) ending.defer(() => endHub(host));
    const bad = await startBadHubs(bench.stage, BAD_EACH);
    ending.defer(() => void bad.child.kill("SIGKILL"));
    const alone = await updates(bench, hosts, []);
    const beside = await updates(bench, hosts, bad.hubs);
    return {
      title: `An update of a good hub, while ${bad.hubs.length} of ${GOOD + bad.hubs.length} hubs are bad`,
      peers: [ALONE],
      rows: [
        {
          what: "from the machine to the device's store",
          unit: "ms",
          target: { atMost: P99_MS, of: "p99" },
          measured: measuredOf(
            new Map([
              ["warren", beside.samples],
              [ALONE, alone.samples],
            ]),
          ),
          note: `the hub's sync to the disk is in it. The device read ${beside.floodedMB.toFixed(1)} MB of the flood meanwhile; the bad hubs ended as ${beside.states}.`,
        },
      ],
    };
  },
};

async function updates(
  { quick }: Bench,
  hosts: readonly HubHost[],
  bad: readonly BadHub[],
): Promise<{ samples: number[]; floodedMB: number; states: string }> {
  const home = await BenchHome.make();
  for (const { entry } of bad) await home.join(entry);
  const tellers = await Promise.all(hosts.map((host, at) => Teller.join(host, home, `m${at}`)));
  const { network, of } = countingNetwork();
  using device = await home.open(network);
  const arrivals = new Arrivals(device);
  device.coordinator.start();
  await Promise.all(tellers.map(({ hub }) => arrivals.next(hub.fingerprint, "period")));
  await sleep(quick ? 500 : SETTLE_MS);
  const samples: number[] = [];
  for (let count = 0; count < (quick ? QUICK_UPDATES : UPDATES); count++) {
    for (const teller of tellers) {
      const record = await teller.item("mail", `update ${count}`);
      const arrived = arrivals.next(teller.hub.fingerprint, "item");
      const startMs = performance.now();
      const [atMs] = await Promise.all([arrived, teller.put(record)]);
      samples.push(atMs - startMs);
    }
    await sleep(PAUSE_MS);
  }
  const kinds = bad.map(({ kind, entry }) => `${kind} ${device.coordinator.hub(entry.fingerprint)?.state.kind}`);
  for (const { guest } of tellers) guest.socket.terminate();
  const floodedMB = bad.reduce((sum, { entry }) => sum + of(entry.addresses[0]!).receivedBytes / 1e6, 0);
  return { samples, floodedMB, states: [...new Set(kinds)].sort().join(", ") };
}
