import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION, UNITS } from "../command.ts";
import { CONDITION_HELP, parseCondition } from "../conditions.ts";
import { WORKER_CONDITION_HELP, waitForWorker } from "../gateway/worker-wait.ts";
import { onUnit } from "../on-unit.ts";
import { SESSION_CONDITION_HELP, sessionCondition, waitForSession } from "../sessions/wait-for-session.ts";
import { durationOf } from "../values.ts";
import { waitFor } from "../wait-for.ts";

export const wait = defineCommand({
  usage: ["wait NAME… [--for CONDITION]… [--all] [--timeout DURATION]"],
  details: `Without --for it waits for the end. A condition is one of ${CONDITION_HELP}; of a session one of ${SESSION_CONDITION_HELP}; of a worker one of ${WORKER_CONDITION_HELP} (served: by what its files are now); of several one is enough, unless --all is given. Of several names, each is waited for.

Exits 0 when it holds, 124 at the timeout, 121 when the job seems stuck, 1 when the job ended before, or a worker cannot become so by itself; a wait for the end exits as the job did.`,
  examples: [
    { command: "warren wait web --for port=3000 --timeout 30s", does: "returns when web listens on 3000" },
    { command: "warren wait api --for served", does: "returns when what was saved last answers requests" },
    { command: "warren wait build --for 'log=/ready|listening/i' --for exit", does: "whichever comes first" },
  ],
  options: {
    for: { type: "string", multiple: true, value: "CONDITION", description: `what to wait for: ${CONDITION_HELP}` },
    all: { type: "boolean", description: "all conditions, not one of them" },
    timeout: { type: "string", value: "DURATION", description: "give up after this long, with status 124" },
    quiet: { type: "boolean", short: "q", description: "print nothing when it holds" },
    json: JSON_OPTION,
  },
  operands: UNITS,
  async run(context, { values, operands }) {
    const texts = values.for ?? ["exit"];
    const timeoutMs = durationOf("--timeout", values.timeout);
    const mode = values.all ? "all" : "any";
    const { json, quiet } = values;
    const statuses = await Promise.all(
      operands.map((jobId) =>
        onUnit(context, jobId, {
          verb: "wait",
          job: async (name) => {
            // A condition of workers, for what is no unit: that it is none is what is wrong.
            if (texts.some((text) => text.startsWith("healthy") || text === "served" || text === "stopped"))
              await context.client().request("get_job", { job_id: name, workdir: context.cwd });
            const conditions = texts.map((text) => parseCondition("--for", text));
            return waitFor(context, { jobId: name, conditions, mode, timeoutMs, json, quiet });
          },
          session: (handle) => {
            const conditions = texts.map((text) => sessionCondition("--for", text));
            return waitForSession(context, handle, { conditions, texts, mode, timeoutMs, json, quiet });
          },
          worker: (handle) => waitForWorker(context, handle, { texts, mode, timeoutMs, json, quiet }),
        }),
      ),
    );
    return Math.max(EXIT.ok, ...statuses);
  },
});
