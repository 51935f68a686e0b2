import type { DataOf } from "../../protocol/messages.ts";
import type { Session } from "../../protocol/units.ts";
import { defineCommand, JSON_OPTION, UNITS } from "../command.ts";
import { forEachUnit } from "../each-unit.ts";
import { workerLine } from "../gateway/gateway-text.ts";
import { onUnit } from "../on-unit.ts";
import { nameOf } from "../render/job-text.ts";
import { sessionTitle } from "../sessions/session-client.ts";
import { durationOf } from "../values.ts";

export const stop = defineCommand({
  usage: ["stop NAME… [--force] [--grace DURATION] [--json]"],
  details:
    "Sends the stop signal to the whole tree, then SIGKILL after the grace period (default 10 s; 3 s for a session, whose terminal is closed). What has ended already is no error.",
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
    const { output } = context;
    return forEachUnit(context, operands, {
      json: values.json,
      act: (name) =>
        onUnit<DataOf<"stop"> | DataOf<"session.stop"> | DataOf<"gateway.stop">>(context, name, {
          verb: "stop",
          job: (jobId) => context.client().request("stop", { job_id: jobId, workdir: context.cwd, ...options }),
          session: ({ client, id }) => client.request("session.stop", { session: id, ...options }),
          worker: ({ worker, dir }) =>
            context.client().request("gateway.stop", { worker: worker.name, workdir: dir, ...options }),
        }),
      report(result) {
        if ("worker" in result) return output.line(workerLine((result as DataOf<"gateway.stop">).worker));
        if ("session" in result) {
          const title = sessionTitle(context, result.session as Session);
          output.line(result.stopped ? `Stopped ${title}` : `${title} is not running`);
          return;
        }
        const { job, pid, force, stopped } = result as DataOf<"stop">;
        const id = output.style.bold(nameOf(job));
        if (!stopped) output.line(`Job ${id} is not running`);
        else output.line(`${force ? "Force stopped" : "Stopped"} job ${id} (PID ${pid})`);
      },
    });
  },
});
