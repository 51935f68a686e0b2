import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand } from "../command.ts";
import { usageError } from "../usage-error.ts";
import { giveMail } from "./hooks/give-mail.ts";
import { WHO_OPTIONS, whoAmI } from "./who.ts";

const FORMATS = ["text", "json"] as const;

export const hook = defineCommand({
  usage: ["mail hook generic --as NAME [--format text|json]"],
  details: `For an agent's own hook, or a script around it: prints the unread mail as an agent may read it, marked as text of others, and nothing when there is none. What it
printed counts as read when it is run again for the same name: an agent that died in between is given the same once more.`,
  examples: [
    { command: "warren mail hook generic --as gem", does: "a few messages as text; the rest is counted" },
    { command: "warren mail hook generic --as gem --format json", does: "the same for a program" },
  ],
  options: {
    format: { type: "string", value: "FORMAT", choices: FORMATS, description: "text (the default) or json" },
    ...WHO_OPTIONS,
  },
  operands: { kinds: ["choice"], min: 1, choices: ["generic"] },
  async run(context, { values, operands }) {
    if (operands[0] !== "generic")
      throw usageError(`An agent's hook is generic, not ${operands[0]}.`, "warren mail hooks install");
    await giveMail(context, whoAmI(context, values), { json: values.format === "json" });
    return EXIT.ok;
  },
});
