import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "../../src/client/client.ts";
import type { Case } from "../cases/case.ts";
import { gap } from "./failover.ts";
import { startMembers } from "./members.ts";
import { type Mailbox, openMailbox } from "./warren.ts";

const MESSAGES = 1_000_000;
const SMALL_MESSAGES = 20_000;
/** Each recipient's mailbox takes 10,000 unread ones. */
const EACH = 9_000;
const IN_FLIGHT = 256;
const KILLS = 20;
const QUICK_KILLS = 3;
const GAP_MS = 50;
const BODY = "m".repeat(200);
const RESTORES = 3;

/** A leader dies that has a million messages (`--full`; otherwise a few), all unread; and its log is copied, and put back. */
export const fullLog: Case = {
  name: "full-log",
  async run(bench) {
    await using ending = new AsyncDisposableStack();
    const dir = join(bench.stage.dir, "mail-full");
    await mkdir(dir, { recursive: true });
    const box = await openMailbox({ stage: bench.stage, dir, ending });
    const members = ending.use(await startMembers(1, { env: box.env, dist: join(bench.stage.checkout, "dist") }));
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
    await members[Symbol.asyncDispose]();
    const copies: number[] = [];
    const restores: number[] = [];
    for (let at = 0; at < (bench.quick ? 1 : RESTORES); at++) {
      const path = join(dir, `copy-${at}.db`);
      const startMs = performance.now();
      await client.request("mail.backup", { path });
      copies.push(performance.now() - startMs);
      restores.push(await restored(box, client, path));
    }
    return {
      title: "The leader of a full log dies; its log is copied, and put back",
      rows: [
        {
          what: `killed, ${count} messages`,
          unit: "ms",
          target: { atMost: GAP_MS, of: "p99" },
          measured: [{ subject: "warren", samples: gaps }],
        },
        { what: `backup, ${count} messages`, unit: "ms", measured: [{ subject: "warren", samples: copies }] },
        {
          what: `restored from it, until the next send is acknowledged`,
          unit: "ms",
          measured: [{ subject: "warren", samples: restores }],
        },
      ],
      peers: [],
    };
  },
};

/** Milliseconds, with the copying. The processes are ended first, as somebody does whose log is damaged; there is no member that would start others. */
async function restored(box: Mailbox, client: Client, copy: string): Promise<number> {
  const log = join(box.home, "mail", "log.db");
  const startMs = performance.now();
  for (const signal of ["SIGSTOP", "SIGKILL"] as const) for (const pid of box.pids()) process.kill(pid, signal);
  for (const suffix of ["-wal", "-shm"]) await rm(`${log}${suffix}`, { force: true });
  await copyFile(copy, log);
  await client.request("mail.send", { as: "bench", to: ["nobody"], body: "restored" });
  return performance.now() - startMs;
}
