import type { Case } from "../cases/case.ts";
import { median, percentile } from "../series.ts";
import { withHosts } from "./hosts.ts";
import { Terminal } from "./terminal.ts";

const ADDED_MS = 2;
/** Gives every key back in upper case, so that a terminal's own echo is not taken for it. */
const NODE_ECHO = `process.stdin.setRawMode(true);process.stdout.write("READY");process.stdin.on("data",d=>process.stdout.write(d.toString().toUpperCase()))`;

/** A key and what the program makes of it, seen at the terminal. */
export const echo: Case = {
  name: "echo",
  run: (bench) =>
    withHosts(bench.stage, "echo", async (hosts) => {
      const program = [bench.stage.node, "-e", NODE_ECHO];
      for (const host of hosts) await host.start("echo", program);
      const [file = "", ...args] = program;
      const direct = new Terminal({ file, args, cwd: bench.stage.dir, env: bench.stage.env });
      const terminals = new Map([
        ["direct", direct],
        ...hosts.map((host) => [host.name, new Terminal(host.attach("echo"))] as const),
      ]);
      const samples = new Map([...terminals.keys()].map((name) => [name, [] as number[]]));
      for (const terminal of terminals.values()) await terminal.shows("READY");
      const keys = bench.quick ? 50 : 1_000;
      for (let count = -20; count < keys; count++) {
        for (const [name, terminal] of terminals) {
          terminal.forget();
          const key = String.fromCharCode(97 + (Math.abs(count) % 26));
          const startMs = performance.now();
          terminal.type(key);
          await terminal.shows(key.toUpperCase());
          if (count >= 0) samples.get(name)!.push(performance.now() - startMs);
        }
      }
      for (const terminal of terminals.values()) terminal[Symbol.dispose]();
      const floorMs = median(samples.get("direct")!);
      const added = hosts.map(({ name }) => ({ subject: name, samples: samples.get(name)!.map((ms) => ms - floorMs) }));
      return {
        title: "Echo",
        rows: [
          {
            what: "added between a key and its echo",
            unit: "ms",
            target: { atMost: ADDED_MS, of: "p99" },
            measured: added,
            note: `over the same program in a terminal without anything in between: p50 ${floorMs.toFixed(2)} ms, p99 ${percentile(samples.get("direct")!, 99).toFixed(2)} ms.`,
          },
        ],
      };
    }),
};
