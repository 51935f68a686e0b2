import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand } from "../command.ts";
import { renderCommandHelp, renderHelp } from "../render/help.ts";
import { unknownCommand } from "../usage-error.ts";
import { findVerb, VERBS } from "../verbs.ts";

export const help = defineCommand({
  usage: ["help [VERB]"],
  examples: [
    { command: "warren help", does: "every command in a line" },
    { command: "warren help stop", does: "one command in full" },
  ],
  options: { all: { type: "boolean", short: "a", description: "also the commands that are seldom needed" } },
  operands: { kinds: ["verb"], min: 0 },
  async run({ output }, { values, operands }) {
    const [name] = operands;
    if (name === undefined) {
      output.line(renderHelp(output.style, values.all === true));
      return EXIT.ok;
    }
    const verb = findVerb(name);
    if (!verb)
      throw unknownCommand(
        name,
        VERBS.map((known) => known.name),
      );
    output.line(renderCommandHelp(verb, await verb.load(), output.style));
    return EXIT.ok;
  },
});
