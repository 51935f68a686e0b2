import { isWarrenError, withFix } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { onUnit } from "../on-unit.ts";

export const signal = defineCommand({
  usage: ["signal NAME SIGNAL [--leader] [--json]"],
  details:
    "Sends a signal to the process group of a job, session or agent. The signal is a name, with or without SIG, or a number.",
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
    const { output, cwd } = context;
    const bold = output.style.bold(name);
    const request = { workdir: cwd, signal: number, leader: values.leader === true };
    const { result, who } = await onUnit<{ result: { name: string }; who: string }>(context, name, {
      verb: "signal",
      job: async (jobId) => {
        const asked = context.client().request("signal", { job_id: jobId, ...request });
        const data = await asked.catch((error) => withSignalMeant(error, name));
        return { result: data, who: `job ${bold} (PID ${data.pid})` };
      },
      session: async ({ client, id }) => {
        const asked = client.request("session.signal", { session: id, signal: number });
        const data = await asked.catch((error) => withSignalMeant(error, name));
        return { result: data, who: `session ${bold} (PID ${data.session.pid})` };
      },
    });
    if (values.json) output.json(result);
    else output.line(`Sent signal ${result.name.replace(/^SIG/, "")} to ${who}`);
    return EXIT.ok;
  },
});

/** The whole command where a name is near. */
function withSignalMeant(error: unknown, unit: string): never {
  if (!isWarrenError(error, "UNKNOWN_SIGNAL")) throw error;
  const [near] = (error.detail?.candidates as string[] | undefined) ?? [];
  throw near === undefined ? error : withFix(error, `warren signal ${unit} ${near}`);
}
