import { defineCommand, JSON_OPTION, UNITS } from "../command.ts";
import { forEachUnit } from "../each-unit.ts";

export const remove = defineCommand({
  usage: ["remove NAME… [--force] [--json]"],
  details: "Removes jobs that have ended, with their runs and logs.",
  examples: [
    { command: "warren remove 4xc", does: "forgets job 4xc, its history and its logs" },
    { command: "warren remove web --force", does: "stops web first" },
  ],
  options: {
    force: { type: "boolean", short: "f", description: "stop it first when it runs" },
    json: JSON_OPTION,
  },
  operands: UNITS,
  run(context, { values, operands }) {
    const client = context.client();
    const { output } = context;
    return forEachUnit(context, operands, {
      json: values.json,
      act: async (name) => {
        const ref = { job_id: name, workdir: context.cwd };
        if (values.force) await client.request("stop", ref);
        return { name, ...(await client.request("remove", ref)) };
      },
      report: ({ name, pid }) => output.line(`Removed job ${output.style.bold(name)}${pid > 0 ? ` (PID ${pid})` : ""}`),
    });
  },
});
