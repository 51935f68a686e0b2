import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand } from "../command.ts";
import { renderCommandHelp, renderHelp } from "../render/help.ts";
import { topicNamed } from "../topics.ts";
import { findVerb } from "../verbs.ts";

export const help = defineCommand({
  usage: ["help [VERB [COMMAND]]"],
  examples: [
    { command: "warren help", does: "every command in a line" },
    { command: "warren help stop", does: "one command in full" },
    { command: "warren help mail send", does: "a part of one" },
  ],
  options: { all: { type: "boolean", short: "a", description: "also the commands that are seldom needed" } },
  operands: { kinds: ["verb", "text"], min: 0 },
  async run(context, { values, operands }) {
    const { output } = context;
    const [name, part] = operands;
    if (name === undefined) {
      output.line(renderHelp(output.style, values.all === true));
      return EXIT.ok;
    }
    const verb = findVerb(name);
    if (!verb) {
      const { unknownHelp } = await import("../elsewhere/mended.ts");
      throw unknownHelp(name, context);
    }
    const command = await verb.load();
    const topic = part === undefined ? undefined : topicNamed(name, command.topics ?? [], part);
    if (!topic) output.line(renderCommandHelp(verb, command, output.style));
    else {
      const titled = { name: `${name} ${topic.name}`, summary: topic.summary };
      output.line(renderCommandHelp(titled, await topic.load(), output.style));
    }
    return EXIT.ok;
  },
});
