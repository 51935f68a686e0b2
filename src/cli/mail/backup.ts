import { resolve } from "node:path";
import { formatBytes } from "../../protocol/durations.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { shortPath } from "../render/ages.ts";
import { openMail } from "./open-mail.ts";

export const backup = defineCommand({
  usage: ["mail backup PATH [--json]"],
  details:
    "Copies the log as of one moment into a new file, while mail goes on. To restore: end the mailbox, and put the file in the place of mail/log.db of the home.",
  examples: [
    { command: "warren mail backup /backup/mail.db", does: "complete, and synced" },
    { command: "warren mail export > mail.jsonl", does: "the same as text" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["file"], min: 1 },
  async run(context, { values, operands }) {
    const { output, cwd, env } = context;
    const copy = await openMail(context).request("mail.backup", { path: resolve(cwd, operands[0]!) });
    if (values.json) output.json(copy);
    else
      output.line(
        `${output.style.bold(shortPath(copy.path, env.HOME))} has the log up to ${copy.log_head}, ${formatBytes(copy.bytes)}`,
      );
    return EXIT.ok;
  },
});
