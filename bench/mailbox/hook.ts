import { join } from "node:path";
import { type Case, measuredOf, rounds } from "../cases/case.ts";
import { runSeries } from "../series.ts";
import { time } from "../timed.ts";
import { openMailbox } from "./warren.ts";

const SERIES = { roundCountMin: 60, roundCountMax: 200, warmUpCount: 3 };
/** More than the runtime alone needs. */
const MORE_MS = 15;

/** What an agent's hook costs after each use of a tool while there is no mail, beside the runtime that starts and does nothing. Interleaved. */
export const hook: Case = {
  name: "mail-hook",
  async run(bench) {
    await using ending = new AsyncDisposableStack();
    const dir = join(bench.stage.dir, "mail-hook");
    const { env, client } = await openMailbox({ stage: bench.stage, dir, ending });
    await client().request("mail.ping", {}); // somebody leads
    const dist = join(bench.stage.checkout, "dist");
    const run = (args: readonly string[], input: string): Promise<number> =>
      time({ file: bench.stage.node, args, cwd: dir, env }, input);
    const program = ["--max-semi-space-size=1", join(dist, "mail-hook.cjs"), "claude"];
    const event = (name: string): string =>
      JSON.stringify({ session_id: "bench", hook_event_name: name, cwd: dir, tool_name: "Bash", tool_response: {} });
    await run(program, event("SessionStart"));
    const candidates = [
      { name: "node -e 0", sample: () => run(["-e", "0"], "") },
      { name: "warren", sample: () => run(program, event("PostToolUse")) },
    ];
    const samples = await runSeries(candidates, rounds(bench, SERIES));
    const bare = samples.get("node -e 0")!;
    const more = new Map([["warren", samples.get("warren")!.map((ms, round) => ms - bare[round]!)]]);
    return {
      title: "A hook without mail",
      rows: [
        { what: "to its end", unit: "ms", measured: measuredOf(samples) },
        {
          what: "more than the runtime",
          unit: "ms",
          target: { atMost: MORE_MS, of: "p50" },
          measured: measuredOf(more),
        },
      ],
    };
  },
};
