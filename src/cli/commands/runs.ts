import { formatDuration, formatRelative } from "../../protocol/durations.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { Run } from "../../protocol/units.ts";
import { defineCommand } from "../command.ts";
import { onUnit } from "../on-unit.ts";
import type { Output } from "../output.ts";
import { stateOfOutcome, WORKING } from "../render/states.ts";
import { usageError } from "../usage-error.ts";
import { countOf } from "../values.ts";

export const runs = defineCommand({
  usage: ["runs NAME [--limit N] [--json]", "runs delete RUN"],
  details: "Shows the executions of a job, newest first. `runs delete` removes one that has ended, with its logs.",
  examples: [
    { command: "warren runs test", does: "when it ran, how long, and how it ended" },
    { command: "warren runs delete 4xc-3", does: "forgets that one run" },
  ],
  options: {
    limit: { type: "string", short: "n", value: "N", description: "at most the N newest" },
    json: { type: "boolean", description: "print a JSON array" },
  },
  operands: { kinds: ["unit", "run"], min: 1, max: 2 },
  async run(context, { values, operands }) {
    const { output } = context;
    const [name = "", runId] = operands;
    const client = context.client();
    if (name === "delete") {
      if (runId === undefined) throw usageError("runs delete needs a run: warren runs delete RUN", "warren help runs");
      const { run_id } = await client.request("remove_run", { run_id: runId });
      if (values.json) output.json({ run_id });
      else output.line(`Deleted run ${output.style.bold(run_id)}`);
      return EXIT.ok;
    }
    if (runId !== undefined) throw usageError(`runs takes one name, got ${runId}.`, "warren help runs");
    const limit = countOf("--limit", values.limit, { min: 1 });
    const request = { workdir: context.cwd, ...(limit === undefined ? {} : { limit }) };
    const { runs } = await onUnit(context, name, {
      verb: "runs",
      job: (jobId) => client.request("runs", { job_id: jobId, ...request }),
    });
    if (values.json) output.json(runs);
    else if (runs.length === 0) output.line("No runs found");
    else output.line(runs.map((run) => runLine(output, run, context.nowMs())).join("\n"));
    return EXIT.ok;
  },
});

function runLine({ style }: Output, run: Run, nowMs: number): string {
  const when = formatRelative(nowMs - Date.parse(run.started_at)).padEnd(12);
  return `${run.id}  ${when}  ${style.dim(formatDuration(run.duration_ms).padEnd(10))}  ${endText(run, style)}`;
}

/** gob's marks, which scripts read: they stay in a pipe. */
function endText({ outcome }: Run, style: Output["style"]): string {
  if (!outcome) return style.tone("live", WORKING.glyph);
  const { tone, glyph, word } = stateOfOutcome(outcome);
  if (outcome.kind === "exited") return style.tone(tone, `${outcome.status === 0 ? "✓" : "✗"} (${outcome.status})`);
  return style.tone(tone, `${glyph} (${word})`);
}
