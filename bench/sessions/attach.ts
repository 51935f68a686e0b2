import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Case, measuredOf, rounds } from "../cases/case.ts";
import { median, runSeries } from "../series.ts";
import { time } from "../timed.ts";
import { withHosts } from "./hosts.ts";
import { Terminal } from "./terminal.ts";

const MARGIN_MS = 40;
/** Fills the screen, and says last what the first full frame must show. */
const SCREEN = "for i in $(seq 1 23); do echo line $i of the screen; done; printf THE-END; exec sleep 10000";

/** From the command to the first frame that shows the whole screen. */
export const attach: Case = {
  name: "attach",
  run: (bench) =>
    withHosts(bench.stage, "attach", async (hosts) => {
      for (const host of hosts) await host.start("fox", ["sh", "-c", SCREEN]);
      const empty = join(bench.stage.dir, "empty.cjs");
      await writeFile(empty, "");
      const bare = { file: bench.stage.node, args: [empty], cwd: bench.stage.dir, env: bench.stage.env };
      const samples = await runSeries(
        [
          { name: "bare", sample: () => time(bare) },
          ...hosts.map((host) => ({
            name: host.name,
            sample: async () => {
              const startMs = performance.now();
              using terminal = new Terminal(host.attach("fox"));
              await terminal.shows("THE-END");
              return performance.now() - startMs;
            },
          })),
        ],
        rounds(bench, { roundCountMin: 30, roundCountMax: 60, warmUpCount: 3 }),
      );
      const bareMs = median(samples.get("bare") ?? []);
      return {
        title: "Attach",
        rows: [
          {
            what: "command → first full frame",
            unit: "ms",
            target: { atMost: bareMs + MARGIN_MS, of: "p50", wording: `bare (${bareMs.toFixed(1)}) + ${MARGIN_MS} ms` },
            measured: measuredOf(
              samples,
              hosts.map(({ name }) => name),
            ),
          },
        ],
      };
    }),
};
