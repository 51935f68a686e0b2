import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand } from "../command.ts";
import { hintLines } from "../render/hints.ts";
import { openMail } from "./open-mail.ts";
import { participantLines } from "./participant-text.ts";

export const list = defineCommand({
  usage: ["mail list [--all] [--json | --quiet]"],
  details: `Shows who can be written to: whether they are here, and how much they have not read. Those that are gone keep their mail; they are shown when they have some,
or with --all. A name is unknown until somebody takes it; mail waits for it too.`,
  examples: [
    { command: "warren mail list", does: "one line a participant" },
    { command: "warren mail list --all --json", does: "also those that are gone, as a JSON array" },
  ],
  options: {
    all: { type: "boolean", short: "a", description: "also those that are gone and have no mail" },
    quiet: { type: "boolean", short: "q", description: "print the names alone" },
    json: { type: "boolean", description: "print a JSON array" },
  },
  operands: { kinds: [], min: 0 },
  async run(context, { values }) {
    const { output } = context;
    const { participants } = await openMail(context).request("mail.list", {});
    const shown = participants.filter(({ presence, unread }) => values.all || presence !== "gone" || unread > 0);
    if (values.json) output.json(shown);
    else if (values.quiet) for (const { name } of shown) output.line(name);
    else if (shown.length > 0) for (const line of participantLines(context, shown)) output.line(line);
    else {
      output.line("Nobody is here");
      for (const line of hintLines(output, [["warren mail send fox 'hello'", "waits for whoever is called fox"]]))
        output.line(line);
    }
    return EXIT.ok;
  },
});
