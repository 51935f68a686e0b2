import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makePeers, withRunning } from "../peers/all.ts";
import type { Peer } from "../peers/peer.ts";
import { cpuSeconds, type MemoryAt, watchMemory } from "../processes.ts";
import type { Measured, Section } from "../result.ts";
import { slope } from "../series.ts";
import { time } from "../timed.ts";
import type { Bench, Case } from "./case.ts";

const MB_PER_SECOND = 50;
const FLOOD_MS = 60_000;
/** The slope is taken behind the start, in which buffers and code find their size. */
const RISE_MINUTES = 1 / 6;
const PSS_TARGET_MB = 110;
/** "Flat": less than this much a minute, about a twentieth of the whole. */
const FLAT_MB_PER_MINUTE = 5;

/**
 * Writes MB_PER_SECOND of 71-byte lines, paced by the clock, for as long as its second argument says, and leaves in the file of its first how many
 * megabytes its log took.
 */
const WRITER = `
const { writeFileSync, writeSync } = require("node:fs");
const [, , report, duration] = process.argv;
const line = "x".repeat(70) + "\\n";
const block = Buffer.from(line.repeat(Math.ceil(500000 / line.length)));
const start = performance.now();
let written = 0;
const tick = () => {
  const elapsedMs = performance.now() - start;
  if (elapsedMs > Number(duration)) return;
  while (written < elapsedMs * ${MB_PER_SECOND * 1_000} && performance.now() - start < Number(duration)) {
    try { written += writeSync(1, block); } catch (error) { if (error.code !== "EAGAIN") throw error; break; }
  }
  setTimeout(tick, 5);
};
setInterval(() => writeFileSync(report, String(written / 1e6 / ((performance.now() - start) / 1e3))), 500).unref();
tick();
`;

interface Flood {
  subject: string;
  memory: MemoryAt[];
  cpuPercent: number;
  /** What the writer got rid of: less than MB_PER_SECOND where the tool holds it up. */
  mbPerSecond: number;
}

/** Memory and CPU of the tool while one job writes 50 MB/s: one tool after the other, since they would share the disk. */
export const flood: Case = {
  name: "flood",
  async run(bench): Promise<Section> {
    const peers = await makePeers(bench.stage, "flood", { apart: true });
    const floodMs = bench.quick ? 5_000 : FLOOD_MS;
    const floods: Flood[] = [];
    for (const peer of peers.all) floods.push(await withRunning([peer], () => run(bench, peer, floodMs)));
    const measured = (take: (one: Flood) => number[]): Measured[] =>
      floods.map((one) => ({ subject: one.subject, samples: take(one) }));
    const behindRise = ({ memory }: Flood) => memory.filter(({ minute }) => bench.quick || minute >= RISE_MINUTES);
    const growth = (one: Flood): number => slope(behindRise(one).map(({ minute, ownMB }) => ({ x: minute, y: ownMB })));
    return {
      title: `${MB_PER_SECOND} MB/s of job output for ${floodMs / 1_000} s`,
      rows: [
        {
          what: "PSS",
          unit: "MB",
          target: { atMost: PSS_TARGET_MB, of: "max" },
          measured: measured(({ memory }) => memory.map(({ pssMB }) => pssMB)),
        },
        {
          what: "growth of their own data behind the first 10 s",
          unit: "MB/min",
          target: { atMost: FLAT_MB_PER_MINUTE, of: "p50", wording: `flat: ≤ ${FLAT_MB_PER_MINUTE}` },
          measured: measured((one) => [growth(one)]),
        },
        { what: "CPU meanwhile", unit: "%", measured: measured(({ cpuPercent }) => [cpuPercent]) },
        { what: "what the job could write", unit: "MB/s", measured: measured(({ mbPerSecond }) => [mbPerSecond]) },
      ],
    };
  },
};

async function run({ stage }: Bench, peer: Peer, floodMs: number): Promise<Flood> {
  const writer = join(stage.dir, "writer.cjs");
  const written = join(stage.dir, `written-${peer.name}`);
  await writeFile(writer, WRITER);
  const job = { name: "flood", command: [stage.node, writer, written, String(floodMs + 5_000)] as const };
  await peer.define?.([job]);
  await time(peer.add(job));
  const pids = await peer.daemonPids();
  const cpuBefore = await cpuSeconds(pids);
  const startMs = performance.now();
  const memory = await watchMemory(pids, floodMs);
  const cpuPercent = (((await cpuSeconds(pids)) - cpuBefore) / (performance.now() - startMs)) * 100_000;
  return { subject: peer.name, memory, cpuPercent, mbPerSecond: Number(await readFile(written, "utf8")) };
}
