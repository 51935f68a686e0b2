import { formatBytes, formatDuration, formatRelative } from "../../protocol/durations.ts";
import type { WhyReport } from "../../protocol/messages.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION, ONE_UNIT } from "../command.ts";
import type { Context } from "../context.ts";
import { onUnit } from "../on-unit.ts";
import { hintLines } from "../render/hints.ts";
import { commandText, exitCodeText } from "../render/job-text.ts";
import { outcomeSentence } from "../render/outcome-words.ts";
import { plural } from "../render/plural.ts";
import { stateOfSession } from "../render/states.ts";
import { printable } from "../render/text-width.ts";
import { type SessionHandle, sessionTitle } from "../sessions/session-client.ts";
import { countOf } from "../values.ts";

export const why = defineCommand({
  usage: ["why NAME [--lines N] [--json]"],
  details:
    "Says how the last run ended, what it used, what it said last, and what started it. Of a worker: what it does and why, which version serves, what is wrong with the newest one.",
  examples: [
    { command: "warren why test", does: "why the last test run failed" },
    { command: "warren why web --lines 50", does: "with more of its last output" },
    { command: "warren why api", does: "why the worker api serves no new version" },
  ],
  options: {
    lines: { type: "string", short: "n", value: "N", description: "how many of its last lines; default: 20" },
    json: JSON_OPTION,
  },
  operands: ONE_UNIT,
  async run(context, { values, operands }) {
    const lines = countOf("--lines", values.lines);
    const name = operands[0]!;
    const request = { workdir: context.cwd, ...(lines === undefined ? {} : { lines }) };
    await onUnit(context, name, {
      verb: "why",
      job: async (jobId) => {
        const report = await context.client().request("why", { job_id: jobId, ...request });
        if (values.json) context.output.json(report);
        else show(context, report);
      },
      session: (handle) =>
        whySession(context, handle, { lineCount: lines ?? LINES_DEFAULT, json: values.json === true }),
      worker: async (handle) => {
        const { whyWorker } = await import("../gateway/worker-why.ts");
        await whyWorker(context, handle, { lineCount: lines ?? LINES_DEFAULT, json: values.json === true });
      },
    });
    return EXIT.ok;
  },
});

const LINES_DEFAULT = 20;

async function whySession(
  context: Context,
  handle: SessionHandle,
  { lineCount, json }: { lineCount: number; json: boolean },
): Promise<void> {
  const { output, nowMs } = context;
  const [{ journalOf }, { historyLines, screenLines }] = await Promise.all([
    import("../sessions/session-journal.ts"),
    import("../sessions/session-output.ts"),
  ]);
  const { session } = await handle.client.request("session.get", { session: handle.id });
  const isScreen = context.machine !== undefined && session.status === "running" && session.kind !== "agent";
  const lines = isScreen
    ? await screenLines(handle, lineCount)
    : await Array.fromAsync(historyLines(await journalOf(context, handle), lineCount));
  if (json) return output.json({ session, lines });
  const how = session.outcome ? `ended: ${exitCodeText(session.outcome)}` : `is ${stateOfSession(session).word}`;
  output.line(`${sessionTitle(context, session)} ${how}: ${session.command.join(" ")}`);
  const untilMs = session.stopped_at === undefined ? nowMs() : Date.parse(session.stopped_at);
  const resumed = session.resume_count > 0 ? `, resumed ${plural(session.resume_count, "time")}` : "";
  output.line(
    `  ${session.outcome ? "ran" : "runs for"} ${formatDuration(untilMs - Date.parse(session.started_at))}${resumed}`,
  );
  if (session.attention !== undefined) output.line(`  asks: ${printable(session.attention)}`);
  if (lines.length > 0) output.line(output.style.dim("  last lines:"));
  for (const line of lines) output.line(`    ${output.isTerminal ? printable(line) : line}`);
  const next = session.outcome
    ? [`warren resume ${session.name}`, "start it again"]
    : [`warren attach ${session.name}`, "look at it"];
  for (const line of hintLines(output, [next as [string, string]])) output.line(line);
}

const CAUSES: Record<string, string> = {
  user: "by a command",
  "restart-policy": "by its restart policy",
  dependency: "when what it depends on was ready",
  boot: "after a reboot",
};

function show({ output, nowMs }: Context, { job, run, lines, lines_from, history }: WhyReport): void {
  const { style } = output;
  const name = job.name ?? job.id;
  output.line(`${style.bold(name)} ${outcomeSentence(job, run)}: ${commandText(job)}`);
  if (run) {
    const used = [`ran ${formatDuration(run.duration_ms)}`];
    if (run.peak_memory_bytes !== undefined) used.push(`at most ${formatBytes(run.peak_memory_bytes)} of memory`);
    if (run.cpu_ms !== undefined) used.push(`${formatDuration(run.cpu_ms)} of processor time`);
    output.line(`  ${used.join(", ")}`);
  }
  if (job.depends_on?.length && job.state === "waiting") output.line(`  waits for ${job.depends_on.join(", ")}`);
  if (job.leftover_count) output.line(`  ${job.leftover_count} of its processes are still there (warren stop ${name})`);
  if (lines.length > 0) {
    output.line(style.dim(`  last lines of ${lines_from}:`));
    for (const line of lines) output.line(`    ${output.isTerminal ? printable(line) : line}`);
  }
  for (const { run_id, cause, at } of history) {
    output.line(
      style.dim(`  ${run_id} was started ${CAUSES[cause] ?? cause}, ${formatRelative(nowMs() - Date.parse(at))}`),
    );
  }
  if (!output.isTerminal) return;
  const again =
    job.status === "running" ? [`warren logs ${name} -f`, "follow it"] : [`warren restart ${name}`, "run it again"];
  for (const line of hintLines(output, [[`warren logs ${name}`, "all of its output"], again as [string, string]]))
    output.line(line);
}
