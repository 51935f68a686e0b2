import { type Case, measuredOf } from "../cases/case.ts";
import { idleCpu, memoryOf, sleep } from "../processes.ts";
import { withMailPeers } from "./peers.ts";

const BODY = "m".repeat(1_024);
const MESSAGES = 1_000;
const SETTLE_MS = 15_000;
const IDLE_MS = 60_000;
const IDLE_PERCENT = 0.2;
const QUICK_MS = 1_000;

/** What each needs that has 1,000 messages and nothing to do. Of Warren: leader and standby, with this process connected. */
export const mailFootprint: Case = {
  name: "mail-footprint",
  run: (bench) =>
    withMailPeers(bench, "footprint", async (peers) => {
      for (const { send } of peers) for (let at = 0; at < MESSAGES; at++) await send(BODY);
      await sleep(bench.quick ? QUICK_MS : SETTLE_MS);
      const groups = peers.map(({ pids }) => pids);
      const percents = await idleCpu(groups, bench.quick ? QUICK_MS : IDLE_MS);
      const cpu = new Map(peers.map(({ name }, at) => [name, [percents[at]!]]));
      const memory = new Map<string, number[]>();
      for (const { name, pids } of peers) memory.set(name, [(await memoryOf(pids)).pssMB]);
      return {
        title: "Idle mailbox",
        rows: [
          { what: "PSS", unit: "MB", measured: measuredOf(memory) },
          {
            what: "CPU, of one core",
            unit: "%",
            target: { atMost: IDLE_PERCENT, of: "p50" },
            measured: measuredOf(cpu),
          },
        ],
      };
    }),
};
