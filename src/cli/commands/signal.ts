import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";

export const signal = defineCommand({
  usage: ["signal NAME SIGNAL [--leader] [--json]"],
  details: "Sends a signal to the job's process group. The signal is a name, with or without SIG, or a number.",
  examples: [
    { command: "warren signal web HUP", does: "makes many servers read their configuration again" },
    { command: "warren signal worker USR1 --leader", does: "to the first process alone" },
  ],
  options: {
    leader: { type: "boolean", description: "to the job's first process alone, not to its group" },
    json: JSON_OPTION,
  },
  operands: { kinds: ["unit", "signal"], min: 2 },
  async run(context, { values, operands }) {
    const [name = "", text = ""] = operands;
    const number = /^\d+$/.test(text) ? Number(text) : text;
    const request = { job_id: name, workdir: context.cwd, signal: number, leader: values.leader === true };
    const result = await context.client().request("signal", request);
    if (values.json) context.output.json(result);
    else {
      const id = context.output.style.bold(name);
      context.output.line(`Sent signal ${result.name.replace(/^SIG/, "")} to job ${id} (PID ${result.pid})`);
    }
    return EXIT.ok;
  },
});
