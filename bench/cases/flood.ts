import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makePeers, withRunning } from "../peers/all.ts";
import type { Peer } from "../peers/peer.ts";
import { cpuSeconds, pssMB, sleep } from "../processes.ts";
import type { Section } from "../result.ts";
import { type Point, slope } from "../series.ts";
import { time } from "../timed.ts";
import type { Bench, Case } from "./case.ts";

const MB_PER_SECOND = 50;
const FLOOD_MS = 60_000;
const SAMPLE_MS = 1_000;
/** The slope is taken behind the start, in which buffers and code find their size. */
const RISE_MS = 10_000;
const PSS_TARGET_MB = 110;
/** "Flat": less than this much a minute, about a twentieth of the whole. */
const FLAT_MB_PER_MINUTE = 5;

/** Writes MB_PER_SECOND of 71-byte lines, paced by the clock, for as long as its argument says; never more, so that a slow reader slows nothing else. */
const WRITER = `
const { writeSync } = require("node:fs");
const line = "x".repeat(70) + "\\n";
const block = Buffer.from(line.repeat(Math.ceil(500000 / line.length)));
const start = performance.now(), endMs = Number(process.argv[2]);
let written = 0;
const tick = () => {
  const elapsedMs = performance.now() - start;
  if (elapsedMs > endMs) return;
  while (written < elapsedMs * ${MB_PER_SECOND * 1_000} && performance.now() - start < endMs) {
    try { written += writeSync(1, block); } catch (error) { if (error.code !== "EAGAIN") throw error; break; }
  }
  setTimeout(tick, 5);
};
tick();
`;

interface Flood {
  pss: Point[];
  cpuPercent: number;
}

/** Memory and CPU of the tool while one job writes 50 MB/s: one tool after the other, since they would share the disk. */
export const flood: Case = {
  name: "flood",
  async run(bench): Promise<Section> {
    const peers = await makePeers(bench.stage, "flood");
    const floodMs = bench.quick ? 5_000 : FLOOD_MS;
    const writer = join(bench.stage.dir, "writer.cjs");
    await writeFile(writer, WRITER);
    const floods = new Map<string, Flood>();
    for (const peer of peers.all)
      floods.set(peer.name, await withRunning([peer], () => run(bench, peer, writer, floodMs)));
    const of = (take: (flood: Flood) => number[]) =>
      [...floods].map(([subject, one]) => ({ subject, samples: take(one) }));
    const seconds = floodMs / 1_000;
    return {
      title: `${MB_PER_SECOND} MB/s of job output for ${seconds} s`,
      rows: [
        {
          what: "PSS, highest",
          unit: "MB",
          target: { atMost: PSS_TARGET_MB, of: "max" },
          measured: of(({ pss }) => pss.map(({ y }) => y)),
        },
        {
          what: "slope of PSS behind the first 10 s",
          unit: "MB/min",
          target: { atMost: FLAT_MB_PER_MINUTE, of: "p50", wording: `flat: ≤ ${FLAT_MB_PER_MINUTE}` },
          measured: of(({ pss }) => [slope(pss.filter(({ x }) => x * 60_000 >= RISE_MS || bench.quick))]),
        },
        { what: "CPU of server and keeper meanwhile", unit: "%", measured: of(({ cpuPercent }) => [cpuPercent]) },
      ],
    };
  },
};

/** Points: minutes since the start, megabytes. */
async function run(bench: Bench, peer: Peer, writer: string, floodMs: number): Promise<Flood> {
  const job = { name: "flood", command: [bench.stage.node, writer, String(floodMs + 5_000)] as [string, ...string[]] };
  await peer.define?.([job]);
  await time(peer.add(job));
  const pids = await peer.daemonPids();
  const pss: Point[] = [];
  const cpuBefore = await cpuSeconds(pids);
  const startMs = performance.now();
  while (performance.now() - startMs < floodMs) {
    pss.push({ x: (performance.now() - startMs) / 60_000, y: await pssMB(pids) });
    await sleep(SAMPLE_MS);
  }
  const cpuPercent = (((await cpuSeconds(pids)) - cpuBefore) / (performance.now() - startMs)) * 100_000;
  return { pss, cpuPercent };
}
