import { makePeers, type Peers, withRunning } from "../peers/all.ts";
import { type Peer, sleepers } from "../peers/peer.ts";
import { cpuSeconds, cpuSecondsByTicks, pssMB, sleep } from "../processes.ts";
import type { Measured, Section } from "../result.ts";
import { time } from "../timed.ts";
import type { Case } from "./case.ts";

const PSS_TARGET_MB = 110;
const IDLE_TARGET_PERCENT = 0.2;
const COUNT = 100;
const IDLE_MS = 60_000;
/** After a start there is housekeeping to do (ours comes after 30 s); idleness is measured behind it. */
const SETTLE_MS = 45_000;
const PSS_SAMPLE_COUNT = 5;

/** Memory and idle CPU of the tool's own processes (server and keeper together), with no job and with a hundred; all tools idle at the same time. */
export const footprint: Case = {
  name: "footprint",
  async run(bench): Promise<Section> {
    const peers = await makePeers(bench.stage, "footprint");
    const settleMs = bench.quick ? 1_000 : SETTLE_MS;
    const idleMs = bench.quick ? 3_000 : IDLE_MS;
    return withRunning(peers.all, async () => {
      await sleep(settleMs);
      const emptyPss = await eachPeer(peers, pssSamples);
      const emptyCpu = await idleCpu(peers, idleMs);
      const jobs = sleepers(COUNT);
      for (const peer of peers.all) {
        await peer.define?.(jobs);
        await time((await peer.addAll?.(jobs))!);
      }
      await sleep(settleMs);
      const fullPss = await eachPeer(peers, pssSamples);
      const fullCpu = await idleCpu(peers, idleMs);
      const pss = { unit: "MB", target: { atMost: PSS_TARGET_MB, of: "p50" } } as const;
      const cpu = { unit: "%", target: { atMost: IDLE_TARGET_PERCENT, of: "p50" } } as const;
      const seconds = idleMs / 1_000;
      return {
        title: "Footprint: server and keeper together",
        rows: [
          { what: "PSS, no job", ...pss, measured: emptyPss },
          { what: `PSS, ${COUNT} jobs`, ...pss, measured: fullPss },
          {
            what: `CPU over ${seconds} idle seconds, no job`,
            ...cpu,
            measured: emptyCpu.exact,
            note: tickNote(emptyCpu.ticks),
          },
          {
            what: `CPU over ${seconds} idle seconds, ${COUNT} jobs`,
            ...cpu,
            measured: fullCpu.exact,
            note: tickNote(fullCpu.ticks),
          },
        ],
      };
    });
  },
};

const tickNote = (measured: readonly Measured[]): string =>
  `By utime + stime (steps of 10 ms): ${measured.map(({ subject, samples }) => `${subject} ${samples[0]!.toFixed(3)} %`).join(", ")}.`;

const eachPeer = async ({ all }: Peers, take: (peer: Peer) => Promise<number[]>): Promise<Measured[]> => {
  const measured: Measured[] = [];
  for (const peer of all) measured.push({ subject: peer.name, samples: await take(peer) });
  return measured;
};

async function pssSamples(peer: Peer): Promise<number[]> {
  const pids = await peer.daemonPids();
  const samples: number[] = [];
  for (let count = 0; count < PSS_SAMPLE_COUNT; count++) samples.push(await pssMB(pids));
  return samples;
}

/** Per cent of one core. */
async function idleCpu({ all }: Peers, idleMs: number): Promise<{ exact: Measured[]; ticks: Measured[] }> {
  const watched = await Promise.all(all.map(async (peer) => ({ peer, pids: await peer.daemonPids() })));
  const read = () =>
    Promise.all(
      watched.map(async ({ pids }) => ({ exact: await cpuSeconds(pids), ticks: await cpuSecondsByTicks(pids) })),
    );
  const startMs = performance.now();
  const before = await read();
  await sleep(idleMs);
  const after = await read();
  const elapsedSeconds = (performance.now() - startMs) / 1_000;
  const percent = (kind: "exact" | "ticks"): Measured[] =>
    watched.map(({ peer }, at) => ({
      subject: peer.name,
      samples: [((after[at]![kind] - before[at]![kind]) / elapsedSeconds) * 100],
    }));
  return { exact: percent("exact"), ticks: percent("ticks") };
}
