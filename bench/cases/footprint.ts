import { makePeers, type Peers, withRunning } from "../peers/all.ts";
import { sleepers } from "../peers/peer.ts";
import { cpuSeconds, cpuSecondsByTicks, type MemoryAt, sleep, watchMemory } from "../processes.ts";
import type { Measured, Row, Section } from "../result.ts";
import { slope } from "../series.ts";
import { time } from "../timed.ts";
import type { Case } from "./case.ts";

const PSS_TARGET_MB = 110;
const IDLE_TARGET_PERCENT = 0.2;
/** A tenth of this would be a leak to mend; a minute cannot tell less from chance. */
const FLAT_MB_PER_MINUTE = 1;
const COUNT = 100;
const IDLE_MS = 60_000;
/** After a start there is housekeeping to do (ours comes after 30 s); idleness is measured behind it. */
const SETTLE_MS = 45_000;

/** Memory and CPU of the tool's own processes (server and keeper together), with no job and with a hundred; all tools idle at the same time. */
export const footprint: Case = {
  name: "footprint",
  async run(bench): Promise<Section> {
    const peers = await makePeers(bench.stage, "footprint", { apart: true });
    const settleMs = bench.quick ? 1_000 : SETTLE_MS;
    const idleMs = bench.quick ? 3_000 : IDLE_MS;
    return withRunning(peers.all, async () => {
      await sleep(settleMs);
      const empty = await idle(peers, idleMs);
      const jobs = sleepers(COUNT);
      for (const peer of peers.all) {
        await peer.define?.(jobs);
        await time((await peer.addAll?.(jobs))!);
      }
      await sleep(settleMs);
      const full = await idle(peers, idleMs);
      return {
        title: `Footprint: server and keeper together, idle for ${idleMs / 1_000} s`,
        rows: [...rows("no job", empty), ...rows(`${COUNT} jobs`, full)],
      };
    });
  },
};

interface Idleness {
  subject: string;
  memory: MemoryAt[];
  /** Per cent of one core; by the scheduler's count, and by utime + stime. */
  cpu: number;
  cpuByTicks: number;
}

const idle = ({ all }: Peers, idleMs: number): Promise<Idleness[]> =>
  Promise.all(
    all.map(async (peer) => {
      const pids = await peer.daemonPids();
      const read = async () => ({ exact: await cpuSeconds(pids), ticks: await cpuSecondsByTicks(pids) });
      const startMs = performance.now();
      const before = await read();
      const memory = await watchMemory(pids, idleMs);
      const after = await read();
      const percent = 100_000 / (performance.now() - startMs);
      return {
        subject: peer.name,
        memory,
        cpu: (after.exact - before.exact) * percent,
        cpuByTicks: (after.ticks - before.ticks) * percent,
      };
    }),
  );

function rows(what: string, all: readonly Idleness[]): Row[] {
  const measured = (take: (one: Idleness) => number[]): Measured[] =>
    all.map((one) => ({ subject: one.subject, samples: take(one) }));
  const growth = ({ memory }: Idleness): number => slope(memory.map(({ minute, ownMB }) => ({ x: minute, y: ownMB })));
  return [
    {
      what: `PSS, ${what}`,
      unit: "MB",
      target: { atMost: PSS_TARGET_MB, of: "p50" },
      measured: measured(({ memory }) => memory.map(({ pssMB }) => pssMB)),
    },
    {
      what: `of it data of their own, ${what}`,
      unit: "MB",
      measured: measured(({ memory }) => memory.map(({ ownMB }) => ownMB)),
    },
    {
      what: `its growth, ${what}`,
      unit: "MB/min",
      target: { atMost: FLAT_MB_PER_MINUTE, of: "p50", wording: `flat: ≤ ${FLAT_MB_PER_MINUTE}` },
      measured: measured((one) => [growth(one)]),
    },
    {
      what: `CPU, ${what}`,
      unit: "%",
      target: { atMost: IDLE_TARGET_PERCENT, of: "p50" },
      measured: measured(({ cpu }) => [cpu]),
      note: `by utime + stime (steps of 10 ms) ${all.map(({ subject, cpuByTicks }) => `${subject} ${cpuByTicks.toFixed(3)} %`).join(", ")}.`,
    },
  ];
}
