import type { DataOf } from "../../protocol/messages.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand } from "../command.ts";
import { CONDITION_HELP, parseCondition } from "../conditions.ts";
import type { Context } from "../context.ts";
import { NEW_JOB_OPTIONS, newJobOf } from "../new-job.ts";
import { LATER_OPTION } from "../on/later/later-option.ts";
import { nextLines } from "../render/hints.ts";
import { commandText, historyLines, nameOf, runningForText } from "../render/job-text.ts";
import { usageError } from "../usage-error.ts";
import { durationOf } from "../values.ts";
import { waitFor } from "../wait-for.ts";

export const add = defineCommand({
  usage: ["add [FLAGS] [--] COMMAND [ARGUMENT…]"],
  details:
    "The same command in the same directory is the same job, with one history: adding it while it runs changes nothing, and adding it after it ended starts it again.",
  examples: [
    { command: "warren add npm run dev", does: "starts a server that outlives this terminal" },
    { command: "warren add --name web --wait-for port=3000 -- npm run dev", does: "returns when it listens" },
  ],
  options: {
    ...NEW_JOB_OPTIONS,
    "wait-for": {
      type: "string",
      multiple: true,
      value: "CONDITION",
      description: `return only when this holds: ${CONDITION_HELP}`,
      group: "When it starts",
    },
    "timeout-wait": {
      type: "string",
      value: "DURATION",
      description: "stop waiting after this long, with status 124",
      group: "When it starts",
    },
    later: { ...LATER_OPTION, group: "When it starts" },
  },
  operands: { kinds: ["file"], min: 1 },
  takesCommand: true,
  async run(context, { values, operands }) {
    const conditions = values["wait-for"]?.map((text) => parseCondition("--wait-for", text)) ?? [];
    const timeoutMs = durationOf("--timeout-wait", values["timeout-wait"]);
    if (timeoutMs !== undefined && conditions.length === 0) throw usageError("--timeout-wait needs --wait-for.");
    if (values.later !== undefined) {
      if (conditions.length > 0) throw usageError("With --later nobody waits: leave --wait-for out.");
      const { keepLater } = await import("../on/later/keep-later.ts");
      return keepLater(context, values, async () => [
        {
          type: "add",
          payload: await newJobOf(context, values, operands),
          what: `add ${values.name ?? operands.join(" ")}`,
        },
      ]);
    }
    const result = await context.client().request("add", await newJobOf(context, values, operands));
    if (conditions.length === 0 || !values.json) report(context, result, values);
    if (conditions.length === 0) return EXIT.ok;
    return waitFor(context, {
      jobId: result.job.id,
      name: result.job.name,
      conditions,
      mode: "any",
      timeoutMs,
      json: values.json,
      quiet: values.quiet,
    });
  },
});

function report(context: Context, { job, action }: DataOf<"add">, values: { json?: boolean; quiet?: boolean }): void {
  const { output } = context;
  if (values.json || values.quiet) {
    if (values.json) output.json({ job, action });
    else output.line(job.id);
    return;
  }
  const name = nameOf(job);
  const id = output.style.bold(name);
  if (action === "already_running") output.line(`Job ${id} already running (${runningForText(job, context.nowMs())})`);
  else if (job.state === "waiting")
    output.line(`Added job ${id} waiting for ${(job.depends_on ?? []).join(", ")}: ${commandText(job)}`);
  else output.line(`Added job ${id} running: ${commandText(job)}`);
  if (action !== "already_running") for (const line of historyLines(job)) output.line(line);
  const hints = [
    [`warren await ${name}`, "wait for completion with live output"],
    [`warren stop ${name}`, "stop the job"],
  ] as const;
  for (const line of nextLines(output, hints)) output.line(line);
}
