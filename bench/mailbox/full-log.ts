import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Case } from "../cases/case.ts";
import { gap } from "./failover.ts";
import { startMembers } from "./members.ts";
import { openMailbox } from "./warren.ts";

const MESSAGES = 1_000_000;
const SMALL_MESSAGES = 20_000;
/** Each recipient's mailbox takes 10,000 unread ones. */
const EACH = 9_000;
const IN_FLIGHT = 256;
const KILLS = 20;
const QUICK_KILLS = 3;
const GAP_MS = 50;
const BODY = "m".repeat(200);

/** A leader dies that has a million messages (`--full`; otherwise a few), all unread. */
export const fullLog: Case = {
  name: "full-log",
  async run(bench) {
    await using ending = new AsyncDisposableStack();
    const dir = join(bench.stage.dir, "mail-full");
    await mkdir(dir, { recursive: true });
    const box = await openMailbox({ stage: bench.stage, dir, ending });
    ending.use(await startMembers(1, { env: box.env, dist: join(bench.stage.checkout, "dist") }));
    const client = box.client();
    const count = bench.full ? MESSAGES : SMALL_MESSAGES;
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count) {
        const to = [`store${Math.floor(next++ / EACH)}`];
        await client.request("mail.send", { as: "filler", to, body: BODY });
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
    const gaps: number[] = [];
    for (let at = 0; at < (bench.quick ? QUICK_KILLS : KILLS); at++) gaps.push(await gap(box, client, "SIGKILL"));
    return {
      title: "The leader of a full log dies",
      rows: [
        {
          what: `killed, ${count} messages`,
          unit: "ms",
          target: { atMost: GAP_MS, of: "p99" },
          measured: [{ subject: "warren", samples: gaps }],
        },
      ],
      peers: [],
    };
  },
};
