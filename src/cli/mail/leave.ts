import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { openMail } from "./open-mail.ts";

const ANSWER_MS = 30_000;

export const leave = defineCommand({
  usage: ["mail leave [--json]"],
  details: `This machine exchanges no mail with others any more, and its name is free for another. What waits for them is kept, and goes when it joins again within the
messages' life.`,
  examples: [
    { command: "warren mail leave", does: "mail stays on this machine from now on" },
    { command: "warren mail join nats://nats.example:4222", does: "goes back, and sends what has waited" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: [], min: 0 },
  async run(context, { values }) {
    const { output } = context;
    const { machines } = await openMail(context).request("mail.leave_machines", {}, { timeoutMs: ANSWER_MS });
    if (values.json) output.json(machines);
    else output.line("Left: mail stays on this machine");
    return EXIT.ok;
  },
});
