import { defineCommand, JSON_OPTION, UNITS } from "../command.ts";
import { forEachUnit } from "../each-unit.ts";
import { nameOf } from "../render/job-text.ts";
import { durationOf } from "../values.ts";

export const stop = defineCommand({
  usage: ["stop NAME… [--force] [--grace DURATION] [--json]"],
  details:
    "Sends the stop signal to the whole tree, then SIGKILL after the grace period (default 10 s). A job that has ended already is no error.",
  examples: [
    { command: "warren stop web", does: "stops web and everything that it started" },
    { command: "warren stop web api --grace 2s", does: "stops both, with SIGKILL after two seconds" },
  ],
  options: {
    force: { type: "boolean", short: "f", description: "SIGKILL at once" },
    grace: { type: "string", value: "DURATION", description: "time between the stop signal and SIGKILL" },
    json: JSON_OPTION,
  },
  operands: UNITS,
  run(context, { values, operands }) {
    const graceMs = durationOf("--grace", values.grace);
    const options = { force: values.force === true, ...(graceMs === undefined ? {} : { grace_ms: graceMs }) };
    const client = context.client();
    const { output } = context;
    return forEachUnit(context, operands, {
      json: values.json,
      act: (name) => client.request("stop", { job_id: name, workdir: context.cwd, ...options }),
      report({ job, pid, force, stopped }) {
        const id = output.style.bold(nameOf(job));
        if (!stopped) output.line(`Job ${id} is not running`);
        else output.line(`${force ? "Force stopped" : "Stopped"} job ${id} (PID ${pid})`);
      },
    });
  },
});
