import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { hintLines } from "../render/hints.ts";
import { readOrMakeKey } from "./key-file.ts";
import { callerOf, openMail } from "./open-mail.ts";
import { checkName } from "./recipients.ts";

export const register = defineCommand({
  usage: ["mail register NAME [--key-file FILE] [--group GROUP…] [--json]"],
  details: `Takes a name, and is here under it while the program that calls warren (your shell) runs. With --key-file the name is yours for good: the file is made when it is not
there, and whoever has it has the name, its mail too.`,
  examples: [
    { command: "warren mail register ann", does: "as long as this shell runs" },
    {
      command: "warren mail register ann --key-file ~/.config/ann.key",
      does: "for good; then export WARREN_MAIL_KEY_FILE",
    },
  ],
  options: {
    "key-file": {
      type: "string",
      value: "FILE",
      description: "the name belongs to the key in this file; made when it is not there",
    },
    group: { type: "string", short: "g", multiple: true, value: "GROUP", description: "join this group" },
    json: JSON_OPTION,
  },
  operands: { kinds: ["text"], min: 1 },
  async run(context, { values, operands }) {
    const { output, env } = context;
    const name = checkName(operands[0]!, "warren mail register ann");
    for (const group of values.group ?? [])
      checkName(group.replace(/^@/, ""), "warren mail register ann --group reviewers", group);
    const file = values["key-file"] ?? (env.WARREN_MAIL_KEY_FILE || undefined);
    const made = file === undefined ? undefined : await readOrMakeKey(file);
    const { participant } = await openMail(context).request("mail.register", {
      name,
      ...callerOf(context),
      ...(made === undefined ? {} : { key: made.key }),
      ...(values.group === undefined ? {} : { groups: values.group }),
    });
    if (values.json) output.json(participant);
    else {
      output.line(`You are ${output.style.bold(name)}${made?.isNew ? `; the key is in ${file}` : ""}`);
      for (const line of hintLines(output, [[`export WARREN_MAIL_NAME=${name}`, "so that warren mail speaks for it"]]))
        output.line(line);
    }
    return EXIT.ok;
  },
});
