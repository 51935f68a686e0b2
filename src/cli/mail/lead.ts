import { mailLeaderCommand } from "../../local/mail-start.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { openMail } from "./open-mail.ts";
import { statusLines } from "./status-text.ts";

export const lead = defineCommand({
  usage: ["mail lead [--json]"],
  details:
    "Has a new process of the build that you type with take the lead. No request fails meanwhile: they are answered by the one or the other.",
  examples: [
    { command: "warren mail lead", does: "after an upgrade that should hold at once" },
    { command: "warren mail yield", does: "another process of the build that leads" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: [], min: 0 },
  async run(context, { values }) {
    const { places, build, env } = context;
    const command = mailLeaderCommand({ places, build, env });
    const { status } = await openMail(context).request("mail.yield", { command, git_hash: build.hash });
    if (values.json) context.output.json(status);
    else for (const line of statusLines(context, status)) context.output.line(line);
    return EXIT.ok;
  },
});
