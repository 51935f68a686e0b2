import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { withRunning } from "../peers/all.ts";
import { addBy, connect } from "../peers/client.ts";
import type { JobSpec } from "../peers/peer.ts";
import { type WarrenPeer, warrenPeer } from "../peers/warren.ts";
import type { Section } from "../result.ts";
import { type Candidate, runSeries } from "../series.ts";
import { wallClock } from "../wall-clock.ts";
import { type Case, rounds } from "./case.ts";

const TARGET_MS = 5;
/** The waiter waits before the job ends: a command needs longer to get there than a connected client. */
const COMMAND_LEAD = "0.3";
const CLIENT_LEAD = "0.06";

/**
 * From the job's last instruction to the return of whoever waits for it. The job becomes `date`, whose last act is to write its reading of the clock
 * into a file; the time in which it then ends, its shell writes down the status and the server hears of it is part of the figure.
 */
export const exitNotice: Case = {
  name: "exit-notice",
  async run(bench): Promise<Section> {
    const warren = await warrenPeer(bench.stage, "exit");
    return withRunning([warren], async () => {
      const client = await connect(warren);
      const byClient: Candidate = {
        name: "client",
        sample: async (round) => {
          const job = lastWord(warren, `client-${round + 10}`, CLIENT_LEAD);
          const id = await addBy(client, warren, job.spec);
          const clock = wallClock();
          const { result } = await client.request("wait", { job_id: id, conditions: [{ kind: "exit" }] });
          const nowNs = clock.nowNs();
          if (result !== "met") throw new Error(`the wait ended with ${result}`);
          return sinceMs(nowNs, await job.endedAtNs());
        },
      };
      const byCommand: Candidate = {
        name: "command",
        sample: async (round) => {
          const job = lastWord(warren, `command-${round + 10}`, COMMAND_LEAD);
          const { file, args, cwd, env } = warren.command(
            "run",
            "--quiet",
            "--name",
            job.spec.name,
            "--",
            ...job.spec.command,
          );
          const clock = wallClock();
          const child = spawn(file, args, { cwd, env, stdio: "ignore" });
          const [status] = await once(child, "exit");
          const nowNs = clock.nowNs();
          if (status !== 0) throw new Error(`warren run ended with ${status}`);
          return sinceMs(nowNs, await job.endedAtNs());
        },
      };
      try {
        const counts = rounds(bench, { roundCountMin: 100, roundCountMax: 200, warmUpCount: 5 });
        const samples = await runSeries([byClient, byCommand], counts);
        const measured = (name: string) => [{ subject: "warren", samples: samples.get(name) ?? [] }];
        return {
          title: "Exit notice: the job's last instruction to its waiter's return",
          rows: [
            {
              what: "connected client (`wait`), median",
              unit: "ms",
              target: { atMost: TARGET_MS, of: "p50" },
              measured: measured("client"),
            },
            {
              what: "the same, 99 of 100",
              unit: "ms",
              target: { atMost: TARGET_MS, of: "p99" },
              measured: measured("client"),
            },
            {
              what: "`warren run`, to the end of its process, median",
              unit: "ms",
              target: { atMost: TARGET_MS, of: "p50" },
              measured: measured("command"),
            },
            {
              what: "the same, 99 of 100",
              unit: "ms",
              target: { atMost: TARGET_MS, of: "p99" },
              measured: measured("command"),
            },
          ],
        };
      } finally {
        client.close();
      }
    });
  },
};

function lastWord(warren: WarrenPeer, name: string, lead: string): { spec: JobSpec; endedAtNs(): Promise<bigint> } {
  const file = join(warren.project, `${name}.clock`);
  return {
    spec: { name, command: ["/bin/sh", "-c", `sleep ${lead}; exec date +%s%N >"$0"`, file] },
    endedAtNs: async () => BigInt((await readFile(file, "utf8")).trim()),
  };
}

const sinceMs = (nowNs: bigint, thenNs: bigint): number => Number(nowNs - thenNs) / 1e6;
