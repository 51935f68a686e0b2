import { open } from "node:fs/promises";
import { join } from "node:path";
import { type Case, measuredOf, rounds } from "../cases/case.ts";
import { median, runSeries } from "../series.ts";
import { withMailPeers } from "./peers.ts";

const BODY = "m".repeat(1_024);
const SEQUENTIAL_A_ROUND = 100;
const QUICK_SEQUENTIAL = 20;
const IN_FLIGHT = 64;
const QUICK_PIPELINED = 200;
/** Of one fdatasync. */
const SEQUENTIAL_FACTOR = 1.5;
const PIPELINED_A_SECOND = 40_000;
const ROUNDS = { roundCountMin: 10, roundCountMax: 20 };

/** Sends of 1 KB, each acknowledged: one after the other beside one fdatasync of as many bytes, and 64 in flight. */
export const sends: Case = {
  name: "sends",
  run: (bench) =>
    withMailPeers(bench, "sends", async (peers) => {
      await using file = await open(join(bench.stage.dir, "synced"), "w");
      const each = new Map<string, number[]>();
      const count = bench.quick ? QUICK_SEQUENTIAL : SEQUENTIAL_A_ROUND;
      const timed = async (name: string, round: number, work: () => Promise<unknown>): Promise<number> => {
        const ofRound: number[] = [];
        for (let at = 0; at < count; at++) {
          const startMs = performance.now();
          await work();
          ofRound.push(performance.now() - startMs);
        }
        if (round >= 0) each.set(name, [...(each.get(name) ?? []), ...ofRound]);
        return median(ofRound);
      };
      const sync = async (): Promise<void> => {
        await file.write(BODY);
        await file.datasync();
      };
      const floor = { name: "fdatasync", sample: (round: number) => timed("fdatasync", round, sync) };
      const candidates = peers.map(({ name, send }) => ({
        name,
        sample: (round: number) => timed(name, round, () => send(BODY)),
      }));
      await runSeries([floor, ...candidates], rounds(bench, ROUNDS));
      const rates = await runSeries(
        peers.flatMap(({ name, send, pipelinedCount }) =>
          pipelinedCount === undefined
            ? []
            : [{ name, sample: () => pipelined(send, bench.quick ? QUICK_PIPELINED : pipelinedCount) }],
        ),
        rounds(bench, ROUNDS),
      );
      const floorMs = median(each.get("fdatasync") ?? []);
      const names = peers.map(({ name }) => name);
      return {
        title: "Sends of 1 KB, acknowledged",
        rows: [
          {
            what: "one write and fdatasync: the floor",
            unit: "ms",
            measured: [{ subject: "warren", samples: each.get("fdatasync") ?? [] }],
          },
          {
            what: "one after the other",
            unit: "ms",
            target: {
              atMost: SEQUENTIAL_FACTOR * floorMs,
              of: "p50",
              wording: `${SEQUENTIAL_FACTOR} × fdatasync (${floorMs.toFixed(2)} ms)`,
            },
            measured: measuredOf(each, names),
          },
          {
            what: `${IN_FLIGHT} in flight`,
            unit: "msg/s",
            target: { atLeast: PIPELINED_A_SECOND, of: "p50" },
            measured: measuredOf(rates),
          },
        ],
      };
    }),
};

/** Messages a second. */
async function pipelined(send: (body: string) => Promise<void>, count: number): Promise<number> {
  let left = count;
  const startMs = performance.now();
  const lane = async (): Promise<void> => {
    while (left-- > 0) await send(BODY);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return count / ((performance.now() - startMs) / 1_000);
}
