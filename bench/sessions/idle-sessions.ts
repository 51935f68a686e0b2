import type { Case } from "../cases/case.ts";
import { memoryOf, sleep } from "../processes.ts";
import type { Row } from "../result.ts";
import { withHosts } from "./hosts.ts";

const EACH_MB = 1.5;
const COUNTS = [0, 100, 500];
/** Buffers are given back, screens that nobody looks at are put away. */
const SETTLE_MS = 45_000;

/** Memory of the host for sessions that do nothing, their programs not counted. */
export const idleSessions: Case = {
  name: "idle-sessions",
  run: (bench) =>
    withHosts(bench.stage, "idle", async (hosts) => {
      const counts = bench.quick ? [0, 20] : COUNTS;
      const rows: Row[] = [];
      const empty = new Map<string, number>();
      let started = 0;
      for (const host of hosts) await host.start("first", ["sleep", "10000"]);
      for (const count of counts) {
        for (; started < count; started++)
          for (const host of hosts) await host.start(`s${started}`, ["sh", "-c", "echo hello; exec sleep 10000"]);
        await sleep(bench.quick ? 1_000 : SETTLE_MS);
        const measured = [];
        for (const host of hosts) {
          const { pssMB } = await memoryOf(await host.pids());
          measured.push({ subject: host.name, samples: [pssMB] });
          if (count === 0) empty.set(host.name, pssMB);
        }
        rows.push({ what: `PSS with ${count + 1} sessions`, unit: "MB", measured });
        if (count === 0) continue;
        rows.push({
          what: `of it for each of ${count}`,
          unit: "MB",
          target: { atMost: EACH_MB, of: "p50" },
          measured: measured.map(({ subject, samples }) => ({
            subject,
            samples: samples.map((pssMB) => (pssMB - (empty.get(subject) ?? 0)) / count),
          })),
        });
      }
      return { title: "Idle sessions", rows };
    }),
};
