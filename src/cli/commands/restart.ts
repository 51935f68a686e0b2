import type { DataOf } from "../../protocol/messages.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { Session } from "../../protocol/units.ts";
import { defineCommand, JSON_OPTION, UNITS } from "../command.ts";
import { forEachUnit } from "../each-unit.ts";
import { workerLine } from "../gateway/gateway-text.ts";
import { environmentOf } from "../new-job.ts";
import { LATER_OPTION } from "../on/later/later-option.ts";
import { onUnit } from "../on-unit.ts";
import { commandText, nameOf } from "../render/job-text.ts";
import { resumeSession, startedText } from "../sessions/resume-session.ts";
import { usageError } from "../usage-error.ts";
import { durationOf } from "../values.ts";

export const restart = defineCommand({
  usage: ["restart NAME… [--force] [--grace DURATION] [--follow] [--json]"],
  details:
    "Stops the job, tree and all, and runs it again with the environment of this shell, and over it what its warren.yaml sets. A job that has ended is started. A session is stopped and resumed.",
  examples: [
    { command: "warren restart web", does: "stops web and starts it again" },
    { command: "warren restart test --follow", does: "shows the output of the new run" },
  ],
  options: {
    follow: { type: "boolean", short: "f", description: "print the output until it ends, and exit as it does" },
    force: { type: "boolean", description: "SIGKILL at once" },
    grace: { type: "string", value: "DURATION", description: "time between the stop signal and SIGKILL" },
    later: LATER_OPTION,
    json: JSON_OPTION,
  },
  operands: UNITS,
  async run(context, { values, operands }) {
    const graceMs = durationOf("--grace", values.grace);
    const options = { force: values.force === true, ...(graceMs === undefined ? {} : { grace_ms: graceMs }) };
    if (values.later !== undefined) {
      if (values.follow) throw usageError("With --later there is nothing to follow: leave --follow out.");
      const [{ keepLater }, { unitRequests }] = await Promise.all([
        import("../on/later/keep-later.ts"),
        import("../on/later/unit-requests.ts"),
      ]);
      return keepLater(context, values, (known) =>
        unitRequests(known, {
          verb: "restart",
          names: operands,
          requests: {
            job: (id) => [{ type: "restart", payload: { job_id: id, ...options } }],
            session: (id) => [
              { type: "session.stop", payload: { session: id, ...options }, unit: id },
              { type: "session.resume", payload: { session: id } },
            ],
            worker: (id) => [{ type: "gateway.restart", payload: { worker: id } }],
          },
        }),
      );
    }
    const client = context.client();
    const request = {
      workdir: context.cwd,
      ...(context.machine ? {} : { env: environmentOf(context.env) }),
      ...options,
    };
    const { output } = context;
    const ids: string[] = [];
    const status = await forEachUnit(context, operands, {
      json: values.json,
      act: (name) =>
        onUnit<DataOf<"restart"> | DataOf<"session.resume"> | DataOf<"gateway.restart">>(context, name, {
          verb: "restart",
          job: async (jobId) => {
            const result = await client.request("restart", { job_id: jobId, ...request });
            ids.push(result.job.id);
            return result;
          },
          session: async (handle) => {
            await handle.client.request("session.stop", { session: handle.id, ...options });
            return resumeSession(context, handle.id);
          },
          worker: ({ worker, dir }) => client.request("gateway.restart", { worker: worker.name, workdir: dir }),
        }),
      report: (result) => {
        if ("worker" in result) return output.line(workerLine((result as DataOf<"gateway.restart">).worker));
        if ("session" in result) return output.line(startedText(context, result.session as Session));
        const { job } = result as DataOf<"restart">;
        output.line(
          `Restarted job ${output.style.bold(nameOf(job))} with new PID ${job.pid} running: ${commandText(job)}`,
        );
      },
    });
    if (!values.follow || status !== EXIT.ok) return status;
    const { followAfterStart } = await import("../follow-started.ts"); // with all of the logs
    return followAfterStart(context, ids);
  },
});
