import { type Bench, type Case, rounds } from "../cases/case.ts";
import type { Row } from "../result.ts";
import { runSeries } from "../series.ts";
import { SMALL_PATH } from "./backend.ts";
import { runLoad } from "./load.ts";
import { withProxies } from "./proxies.ts";
import type { RunningProxy } from "./proxy.ts";

const ADDED_US = 100;
const SATURATING_CONNECTIONS = 64;
/** Tried one after the other, until they bring half of what the proxy can do. */
const CONNECTION_COUNTS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32];
const RUN_S = 2;
const ROUNDS = { roundCountMin: 7, roundCountMax: 12, warmUpCount: 1 };

/**
 * What a proxy adds to a small answer when it is half busy: as few connections as bring half of its most requests a second, beside as many connections to the
 * backend without it, in the same rounds.
 */
export const halfLoad: Case = {
  name: "half-load",
  run: (bench) =>
    withProxies(bench, { label: "half-load" }, async (proxies, backend) => {
      const p50Us = async (port: number, connectionCount: number, seconds: number): Promise<number> =>
        (await runLoad(bench.stage, port, { path: SMALL_PATH, connectionCount }, seconds)).p50Ms * 1_000;
      const counts = new Map<string, number>();
      for (const proxy of proxies) counts.set(proxy.name, await halfBusy(bench, proxy));
      const seconds = bench.quick ? 1 : RUN_S;
      const added = await runSeries(
        proxies.map(({ name, port }) => ({
          name,
          sample: async () => {
            const connectionCount = counts.get(name)!;
            const direct = await p50Us(backend.port, connectionCount, seconds);
            return (await p50Us(port, connectionCount, seconds)) - direct;
          },
        })),
        rounds(bench, ROUNDS),
      );
      const rows: Row[] = [
        {
          what: "added to the median",
          unit: "µs",
          target: { atMost: ADDED_US, of: "p50" },
          measured: [...added].map(([subject, samples]) => ({ subject, samples })),
          note: `connections that bring half: ${[...counts].map(([name, count]) => `${name} ${count}`).join(", ")}.`,
        },
      ];
      return { title: "Added at half load, small answers", rows };
    }),
};

async function halfBusy({ stage }: Bench, { port }: RunningProxy): Promise<number> {
  const rate = async (connectionCount: number): Promise<number> =>
    (await runLoad(stage, port, { path: SMALL_PATH, connectionCount }, 1)).requestsPerS;
  await rate(SATURATING_CONNECTIONS); // warm
  const half = (await rate(SATURATING_CONNECTIONS)) / 2;
  for (const count of CONNECTION_COUNTS) if ((await rate(count)) >= half) return count;
  return SATURATING_CONNECTIONS;
}
