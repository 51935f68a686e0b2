import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Case, measuredOf, rounds } from "../cases/case.ts";
import { runSeries } from "../series.ts";
import { time } from "../timed.ts";
import { withHosts } from "./hosts.ts";

const SERVERS = 64;
const SESSIONS = 2_000;
const LIST_MS = 100;

/** `sessions` over many servers and sessions. tmux has one server: its figure is for the same number of sessions. */
export const manySessions: Case = {
  name: "many-sessions",
  run: (bench) =>
    withHosts(bench.stage, "many", async (hosts, warren) => {
      const [servers, each] = bench.quick ? [4, 5] : [SERVERS, Math.floor(SESSIONS / SERVERS)];
      for (let server = 0; server < servers; server++) {
        const checkout = join(bench.stage.dir, `build-${server}`);
        await cp(bench.stage.checkout, checkout, { recursive: true, verbatimSymlinks: true });
        const stamp = { format: 1, hash: `many${server}`, version: "0.1.0", built_at_ms: Date.now() + server };
        await writeFile(join(checkout, "dist", "build.json"), JSON.stringify(stamp));
        const command = {
          ...warren.command("new", "-d", "--quiet", "--", "sleep", "10000"),
          file: join(checkout, "bin", "warren"),
        };
        for (let at = 0; at < each; at += 4)
          await Promise.all(Array.from({ length: Math.min(4, each - at) }, () => time(command)));
      }
      const tmux = hosts.find(({ name }) => name === "tmux");
      for (let count = 0; tmux && count < servers * each; count++) await tmux.start(`s${count}`, ["sleep", "10000"]);
      const list = tmux && { ...tmux.attach("s0"), args: [...tmux.attach("s0").args.slice(0, -3), "list-sessions"] };
      const samples = await runSeries(
        [
          { name: "warren", sample: () => time(warren.command("sessions")) },
          ...(list ? [{ name: "tmux", sample: () => time(list) }] : []),
        ],
        rounds(bench, { roundCountMin: 20, roundCountMax: 40 }),
      );
      return {
        title: `${servers} servers, ${servers * each} sessions`,
        rows: [
          { what: "`sessions`", unit: "ms", target: { atMost: LIST_MS, of: "p50" }, measured: measuredOf(samples) },
        ],
      };
    }),
};
