import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";
import { projectOf } from "../place.ts";
import { plural } from "../render/plural.ts";
import { durationOf } from "../values.ts";
import { noProject } from "./up.ts";

export const down = defineCommand({
  usage: ["down [--force] [--grace DURATION] [--json]"],
  details:
    "Stops the jobs of this project's warren.yaml, those that depend on others first. Their history and logs stay.",
  examples: [
    { command: "warren down", does: "stops this project's jobs" },
    { command: "warren down --grace 2s", does: "with SIGKILL after two seconds" },
  ],
  options: {
    force: { type: "boolean", short: "f", description: "SIGKILL at once" },
    grace: { type: "string", value: "DURATION", description: "time between the stop signal and SIGKILL" },
    json: JSON_OPTION,
  },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const project = projectOf(context.cwd);
    if (project === undefined) throw noProject(context.cwd);
    const graceMs = durationOf("--grace", values.grace);
    const options = { force: values.force === true, ...(graceMs === undefined ? {} : { grace_ms: graceMs }) };
    const result = await context.client().request("down", { project, ...options });
    const names = result.stopped.map(({ name, id }) => name ?? id);
    if (values.json) context.output.json(result);
    else if (names.length === 0) context.output.line("Nothing of this project runs");
    else context.output.line(`Stopped ${plural(names.length, "job")}: ${names.join(", ")}`);
    return EXIT.ok;
  },
});
