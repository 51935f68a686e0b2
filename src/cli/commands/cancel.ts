import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { plural } from "../render/plural.ts";
import { sessionNamed, sessionTitle } from "../sessions/session-client.ts";

export const cancel = defineCommand({
  usage: ["cancel SESSION"],
  details:
    "Stops what an agent is doing: its turn ends when it has stopped, its questions are answered with no, and prompts that wait are forgotten. The agent stays.",
  examples: [
    { command: "warren cancel fox", does: "stops the turn" },
    { command: "warren cancel fox && warren wait fox --for idle", does: "and waits until it has stopped" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["session"], min: 1 },
  async run(context, { values, operands }) {
    const { output } = context;
    const { client, id } = await sessionNamed(context, operands[0]!, "cancel");
    const result = await client.request("session.cancel", { session: id });
    if (values.json) output.json(result);
    else {
      const title = sessionTitle(context, result.session);
      const forgotten = result.dropped > 0 ? `; ${plural(result.dropped, "prompt")} forgotten` : "";
      output.line(`${result.cancelled ? `${title} is stopping` : `${title} was doing nothing`}${forgotten}`);
    }
    return EXIT.ok;
  },
});
