import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makePeers, withRunning } from "../peers/all.ts";
import { sleeper } from "../peers/peer.ts";
import type { Row, Section } from "../result.ts";
import { type Candidate, median, runSeries } from "../series.ts";
import { type Command, time } from "../timed.ts";
import { type Bench, type Case, measuredOf, rounds } from "./case.ts";

/** Over the bare start of the runtime (DESIGN §8). */
const MARGIN_MS = 15;
const JOB_COUNT = 5;

/** What a short command costs when the server runs: wall time from spawn to exit, beside the bare start of the runtime in the same rounds. */
export const commandLine: Case = {
  name: "command-line",
  async run(bench) {
    const peers = await makePeers(bench.stage, "cli");
    return withRunning(peers.all, async () => {
      for (const peer of peers.all) {
        const jobs = Array.from({ length: JOB_COUNT }, (_, at) => sleeper(`stays-${at}`));
        await peer.define?.(jobs);
        for (const job of jobs) await time(peer.add(job));
      }
      const bare = await bareStart(bench);
      const list = await series(bench, [bare, ...peers.all.map((peer) => timed(peer.name, peer.list))]);
      const add = await series(bench, [
        bare,
        ...peers.all.map((peer) => ({
          name: peer.name,
          sample: async (round: number) => {
            const job = sleeper(`added-${round + 1}`);
            await peer.define?.([job]);
            const elapsedMs = await time(peer.add(job));
            await peer.remove(job.name);
            return elapsedMs;
          },
        })),
      ]);
      return section(list, add);
    });
  },
};

function section(list: Map<string, number[]>, add: Map<string, number[]>): Section {
  const row = (what: string, samples: Map<string, number[]>): Row => {
    const bareMs = median(samples.get("bare") ?? []);
    const names = [...samples.keys()].filter((name) => name !== "bare");
    return {
      what,
      unit: "ms",
      target: { atMost: bareMs + MARGIN_MS, of: "p50", wording: `bare (${bareMs.toFixed(1)}) + ${MARGIN_MS} ms` },
      measured: measuredOf(samples, names),
    };
  };
  const floor = [...(list.get("bare") ?? []), ...(add.get("bare") ?? [])];
  return {
    title: "Command line, server running",
    rows: [
      {
        what: "bare start of the pinned runtime (an empty CommonJS file): the floor",
        unit: "ms",
        measured: [{ subject: "warren", samples: floor }],
      },
      row(`\`list\` (${JOB_COUNT} jobs)`, list),
      row("`add` of a named job", add),
    ],
  };
}

const series = (bench: Bench, candidates: readonly Candidate[]) =>
  runSeries(candidates, rounds(bench, { roundCountMin: 30, roundCountMax: 60, warmUpCount: 3 }));

const timed = (name: string, command: Command): Candidate => ({ name, sample: () => time(command) });

async function bareStart({ stage }: Bench): Promise<Candidate> {
  const file = join(stage.dir, "empty.cjs");
  await writeFile(file, "");
  return timed("bare", { file: stage.node, args: [file], cwd: stage.dir, env: stage.env });
}
