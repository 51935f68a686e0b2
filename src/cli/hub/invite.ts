import { askHub } from "../../local/hub-link.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";

export const invite = defineCommand({
  usage: ["hub invite [--for TEXT] [--json]"],
  details:
    "Prints an invitation for one machine: it is used once, within ten minutes, and is shown this once; the hub keeps its hash alone. A machine of the hub's own home needs none, and devices need none: they come in by pairing with a machine.",
  examples: [
    { command: "warren hub invite", does: "prints it, and what to type on the machine" },
    { command: "warren hub invite --for 'office laptop'", does: "the same, named in warren hub members" },
  ],
  options: {
    for: { type: "string", value: "TEXT", description: "what the list of members calls the machine" },
    json: JSON_OPTION,
  },
  operands: NO_OPERANDS,
  async run({ output, places }, { values }) {
    const made = await askHub(places, "invite", values.for === undefined ? {} : { for: values.for });
    if (values.json) output.json(made);
    else {
      output.line(made.invitation);
      output.errorLine(`For one machine, until ${new Date(made.expires_at).toTimeString().slice(0, 5)}. There:`);
      output.errorLine(`  warren pair --hub ${made.address} --invitation ${made.invitation}`);
    }
    return EXIT.ok;
  },
});
