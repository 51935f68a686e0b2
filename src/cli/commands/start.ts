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

export const start = defineCommand({
  usage: ["start NAME… [--follow] [--json]"],
  details:
    "Runs a job again that has ended, with the environment of this shell, and over it what its warren.yaml sets; resumes a session or an agent that has ended; lets a worker serve again that was stopped.",
  examples: [
    { command: "warren start web", does: "runs web again" },
    { command: "warren start test --follow", does: "shows its output and exits as it does" },
  ],
  options: {
    follow: { type: "boolean", short: "f", description: "print the output until it ends, and exit as it does" },
    later: LATER_OPTION,
    json: JSON_OPTION,
  },
  operands: UNITS,
  async run(context, { values, operands }) {
    if (values.later !== undefined) {
      if (values.follow) throw usageError("With --later there is nothing to follow: leave --follow out.");
      const [{ keepLater }, { unitRequests }] = await Promise.all([
        import("../on/later/keep-later.ts"),
        import("../on/later/unit-requests.ts"),
      ]);
      return keepLater(context, values, (known) =>
        unitRequests(known, {
          verb: "start",
          names: operands,
          requests: {
            job: (id) => [{ type: "start", payload: { job_id: id } }],
            session: (id) => [{ type: "session.resume", payload: { session: id } }],
            worker: (id) => [{ type: "gateway.start", payload: { worker: id } }],
          },
        }),
      );
    }
    const client = context.client();
    const env = context.machine ? {} : { env: environmentOf(context.env) }; // another machine has its own
    const { output } = context;
    const ids: string[] = [];
    const status = await forEachUnit(context, operands, {
      json: values.json,
      act: (name) =>
        onUnit<DataOf<"start"> | DataOf<"session.resume"> | DataOf<"gateway.start">>(context, name, {
          verb: "start",
          job: async (jobId) => {
            const result = await client.request("start", { job_id: jobId, workdir: context.cwd, ...env });
            ids.push(result.job.id);
            return result;
          },
          session: ({ id }) => resumeSession(context, id),
          worker: ({ worker, dir }) => client.request("gateway.start", { worker: worker.name, workdir: dir }),
        }),
      report: (result) => {
        if ("worker" in result) return output.line(workerLine((result as DataOf<"gateway.start">).worker));
        if ("session" in result) return output.line(startedText(context, result.session as Session));
        const { job } = result as DataOf<"start">;
        output.line(`Started job ${output.style.bold(nameOf(job))} with PID ${job.pid} running: ${commandText(job)}`);
      },
    });
    if (!values.follow || status !== EXIT.ok) return status;
    const { followAfterStart } = await import("../follow-started.ts"); // with all of the logs
    return followAfterStart(context, ids);
  },
});
