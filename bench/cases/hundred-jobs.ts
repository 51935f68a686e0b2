import { makePeers, type Peers, withRunning } from "../peers/all.ts";
import { addBy, connect } from "../peers/client.ts";
import { type Peer, sleepers } from "../peers/peer.ts";
import { commandLines, sleep } from "../processes.ts";
import type { Section } from "../result.ts";
import { type Candidate, runSeries } from "../series.ts";
import { markedPids, type Stage } from "../stage.ts";
import { time } from "../timed.ts";
import { type Case, measuredOf, rounds } from "./case.ts";

const COUNT = 100;
const TARGET_MS = 800;
const JOBS = sleepers(COUNT);
const COMMAND_LINE = JOBS[0]!.command.join(" ");
const START_TIMEOUT_MS = 5_000;
const POLL_MS = 20;
/** What a tool has looked up a moment ago it may show again; people and agents do not type that fast. */
const PAUSE_MS = 700;

/** A hundred jobs: from one file, by a hundred commands, and by one connected client; then `list` with all of them running. */
export const hundredJobs: Case = {
  name: "hundred-jobs",
  async run(bench): Promise<Section> {
    const peers = await makePeers(bench.stage, "hundred");
    const few = rounds(bench, { roundCountMin: 7, roundCountMax: 15, warmUpCount: 1 });
    const fewest = rounds(bench, { roundCountMin: 3, roundCountMax: 5, warmUpCount: 0 });
    const together = await runSeries(peers.all.map(allByOne(bench.stage)), few);
    const commands = await runSeries(
      peers.all.map(eachByOne(bench.stage)),
      bench.quick ? { ...fewest, roundCountMax: 1, roundCountMin: 1, warmUpCount: 0 } : fewest,
    );
    const clients = await runSeries([byClient(peers, "at once"), byClient(peers, "one by one")], few);
    const list = await listOfAll(peers, rounds(bench, { roundCountMin: 30, roundCountMax: 60, warmUpCount: 3 }));
    const target = { atMost: TARGET_MS, of: "p50" } as const;
    const ofClient = (order: string) => [{ subject: "warren", samples: clients.get(order) ?? [] }];
    return {
      title: `${COUNT} jobs`,
      rows: [
        {
          what: "start, one command and one file (`up`, `pm2 start FILE`, `start all`)",
          unit: "ms",
          target,
          measured: measuredOf(together),
        },
        {
          what: "start, one connected client, all requests at once",
          unit: "ms",
          target,
          measured: ofClient("at once"),
        },
        {
          what: "start, one connected client, one after the other",
          unit: "ms",
          target,
          measured: ofClient("one by one"),
        },
        { what: "start, 100 commands one after the other", unit: "ms", measured: measuredOf(commands) },
        { what: "`list`, each after a pause of 0.7 s", unit: "ms", measured: measuredOf(list) },
      ],
    };
  },
};

const allByOne =
  (stage: Stage) =>
  (peer: Peer): Candidate => ({
    name: peer.name,
    sample: () =>
      withRunning([peer], async () => {
        await peer.define?.(JOBS);
        const command = await peer.addAll?.(JOBS);
        if (!command) throw new Error(`${peer.name} starts one job at a time`);
        const elapsedMs = await time(command);
        await expectAllRun(stage);
        return elapsedMs;
      }),
  });

const eachByOne =
  (stage: Stage) =>
  (peer: Peer): Candidate => ({
    name: peer.name,
    sample: () =>
      withRunning([peer], async () => {
        await peer.define?.(JOBS);
        const startMs = performance.now();
        for (const job of JOBS) await time(peer.add(job));
        const elapsedMs = performance.now() - startMs;
        await expectAllRun(stage);
        return elapsedMs;
      }),
  });

const byClient = ({ warren }: Peers, order: "at once" | "one by one"): Candidate => ({
  name: order,
  sample: () =>
    withRunning([warren], async () => {
      const client = await connect(warren);
      try {
        await client.request("ping", {});
        const startMs = performance.now();
        if (order === "at once") await Promise.all(JOBS.map((job) => addBy(client, warren, job)));
        else for (const job of JOBS) await addBy(client, warren, job);
        return performance.now() - startMs;
      } finally {
        client.close();
      }
    }),
});

async function listOfAll({ all }: Peers, counts: ReturnType<typeof rounds>): Promise<Map<string, number[]>> {
  return withRunning(all, async () => {
    for (const peer of all) {
      await peer.define?.(JOBS);
      await time((await peer.addAll?.(JOBS))!);
    }
    return runSeries(
      all.map((peer) => ({
        name: peer.name,
        sample: async () => {
          await sleep(PAUSE_MS);
          return time(peer.list);
        },
      })),
      counts,
    );
  });
}

/** A start that was fast because it did not happen is no measurement: the processes must be there. */
async function expectAllRun(stage: Stage): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const count = commandLines(markedPids(stage.dir)).filter((line) => line === COMMAND_LINE).length;
    if (count === COUNT) return;
    if (count > COUNT || performance.now() > deadlineMs) throw new Error(`${count} of ${COUNT} jobs run`);
    await sleep(POLL_MS);
  }
}
