import { rm } from "node:fs/promises";
import { join } from "node:path";
import { makePeers } from "../peers/all.ts";
import { sleeper } from "../peers/peer.ts";
import type { Section } from "../result.ts";
import { type Candidate, runSeries } from "../series.ts";
import { type Command, time } from "../timed.ts";
import { type Case, measuredOf, rounds } from "./case.ts";

const TARGET_MS = 150;

/**
 * Nothing runs; one command is typed; it is answered. Usually the home has been used before (there is a kept build and a compile cache); the very
 * first start on a machine, which has neither, stands beside it.
 */
export const coldStart: Case = {
  name: "cold-start",
  async run(bench): Promise<Section> {
    const { warren, pm2 } = await makePeers(bench.stage, "cold");
    const pm2Home = join(bench.stage.dir, "pm2-home-cold");
    const from = (name: string, command: Command | undefined, down: () => Promise<void>, before = down): Candidate[] =>
      command === undefined
        ? []
        : [
            {
              name,
              sample: async () => {
                await before();
                const elapsedMs = await time(command);
                await down();
                return elapsedMs;
              },
            },
          ];
    const nothing = async (): Promise<void> => {};
    const firstEver = {
      warren: () => warren.forget(),
      pm2: () => rm(pm2Home, { recursive: true, force: true }),
    };
    const job = sleeper("first");
    const counts = rounds(bench, { roundCountMin: 15, roundCountMax: 40, warmUpCount: 2 });
    const run = (candidates: Candidate[]) => runSeries(candidates, counts);
    try {
      const ping = await run([
        ...from("warren", warren.ping, warren.down, nothing),
        ...from("pm2", pm2?.ping, pm2?.down ?? nothing, nothing),
      ]);
      const add = await run([
        ...from("warren", warren.add(job), warren.down, nothing),
        ...from("pm2", pm2?.add(job), pm2?.down ?? nothing, nothing),
      ]);
      const first = await run([
        ...from("warren", warren.ping, warren.down, firstEver.warren),
        ...from("pm2", pm2?.ping, pm2?.down ?? nothing, firstEver.pm2),
      ]);
      const target = { atMost: TARGET_MS, of: "p50" } as const;
      return {
        title: "Cold start: nothing runs, to the first answer",
        rows: [
          { what: "`ping`", unit: "ms", target, measured: measuredOf(ping) },
          { what: "`add`", unit: "ms", target, measured: measuredOf(add) },
          { what: "`ping`, first ever in this home", unit: "ms", measured: measuredOf(first) },
        ],
      };
    } finally {
      await warren.down().catch(() => {});
      await pm2?.down().catch(() => {});
    }
  },
};
