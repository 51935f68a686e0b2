import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand } from "../command.ts";
import { NEW_JOB_OPTIONS, newJobOf } from "../new-job.ts";
import { hintLines } from "../render/hints.ts";
import { commandText, nameOf } from "../render/job-text.ts";

export const create = defineCommand({
  usage: ["create [FLAGS] [--] COMMAND [ARGUMENT…]"],
  details: "Makes the job known without starting it.",
  examples: [
    { command: "warren create --name release -- make release", does: "for a later warren start release" },
    { command: "warren create -q npm test", does: "prints the new id alone" },
  ],
  options: NEW_JOB_OPTIONS,
  operands: { kinds: ["file"], min: 1 },
  takesCommand: true,
  async run(context, { values, operands }) {
    const { output } = context;
    const { job } = await context.client().request("create", await newJobOf(context, values, operands));
    if (values.json) output.json({ job });
    else if (values.quiet) output.line(job.id);
    else {
      output.line(`Created job ${output.style.bold(nameOf(job))}: ${commandText(job)}`);
      for (const line of hintLines(output, [[`warren start ${nameOf(job)}`, "start it"]])) output.line(line);
    }
    return EXIT.ok;
  },
});
