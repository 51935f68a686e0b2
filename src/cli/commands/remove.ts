import { defineCommand, JSON_OPTION, UNITS } from "../command.ts";
import { forEachUnit } from "../each-unit.ts";
import { onUnit } from "../on-unit.ts";

export const remove = defineCommand({
  usage: ["remove NAME… [--force] [--json]"],
  details:
    "Removes jobs that have ended, with their runs and logs, and sessions that have ended, with what they showed.",
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
    const { output } = context;
    return forEachUnit(context, operands, {
      json: values.json,
      act: (name) =>
        onUnit<{ name: string; kind: "job" | "session"; pid: number }>(context, name, {
          verb: "remove",
          job: async (jobId) => {
            const ref = { job_id: jobId, workdir: context.cwd };
            const client = context.client();
            if (values.force) await client.request("stop", ref);
            return { name: jobId, kind: "job", ...(await client.request("remove", ref)) };
          },
          session: async ({ client, id }) => {
            if (values.force) await client.request("session.stop", { session: id });
            const { session } = await client.request("session.remove", { session: id });
            return { ...session, name: session.name, kind: "session", pid: 0 };
          },
        }),
      report: ({ name, kind, pid }) =>
        output.line(`Removed ${kind} ${output.style.bold(name)}${pid > 0 ? ` (PID ${pid})` : ""}`),
    });
  },
});
