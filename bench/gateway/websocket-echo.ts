import { join } from "node:path";
import { type Case, rounds } from "../cases/case.ts";
import { runSeries } from "../series.ts";
import { output } from "../timed.ts";
import { LOAD_CORE } from "./process.ts";
import { withProxies } from "./proxies.ts";

const CONNECTIONS = 64;
const RUN_MS = 3_000;
const QUICK_RUN_MS = 1_000;
const ROUNDS = { roundCountMin: 5, roundCountMax: 7, warmUpCount: 1 };

interface Echoes {
  messages: number;
  p50Ms: number;
  p99Ms: number;
}

/** 64 WebSockets, each with one frame of 64 bytes on its way. Both ends of them are programs of Node on one core, which is what limits the fast ones. */
export const webSocketEcho: Case = {
  name: "websocket",
  run: (bench) =>
    withProxies(bench, { label: "websocket" }, async (proxies, backend) => {
      const runMs = bench.quick ? QUICK_RUN_MS : RUN_MS;
      const run = async (port: number): Promise<Echoes> => {
        const program = join(import.meta.dirname, "websocket-client.ts");
        const args = ["-c", String(LOAD_CORE), bench.stage.node, program, ...[port, CONNECTIONS, runMs].map(String)];
        return JSON.parse(await output({ file: "taskset", args, cwd: bench.stage.dir, env: bench.stage.env }));
      };
      const all = new Map<string, Echoes[]>();
      const candidates = [
        ...proxies.filter(({ hasWebSockets }) => hasWebSockets),
        { name: "direct", port: backend.webSocketPort },
      ];
      const rates = await runSeries(
        candidates.map(({ name, port }) => ({
          name,
          sample: async (round) => {
            const echoes = await run(port);
            if (round >= 0) all.set(name, [...(all.get(name) ?? []), echoes]);
            return echoes.messages / (runMs / 1_000);
          },
        })),
        rounds(bench, ROUNDS),
      );
      const measured = (take: (one: Echoes) => number) =>
        [...all].map(([subject, echoes]) => ({ subject, samples: echoes.map(take) }));
      const direct = (rates.get("direct") ?? []).map((rate) => rate.toFixed(0)).join(", ");
      return {
        title: "WebSocket echo: one core, 64 connections, 64 bytes",
        rows: [
          {
            what: "echoes",
            unit: "msg/s",
            measured: [...rates].map(([subject, samples]) => ({ subject, samples })),
            note: `without a proxy ${direct} msg/s.`,
          },
          { what: "echoed after, median", unit: "ms", measured: measured(({ p50Ms }) => p50Ms) },
          { what: "99 of 100", unit: "ms", measured: measured(({ p99Ms }) => p99Ms) },
        ],
      };
    }),
};
