import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { unknownChoice } from "../usage-error.ts";

const CHOICES: readonly string[] = ["on", "off"];

export const askFirst = defineCommand({
  usage: ["devices ask-first [on|off] [--json]"],
  details: `With on, nobody comes in without a yes at this machine itself: a device that another one introduces waits for warren devices allow NAME,
and a device cannot say yes to a code of this machine. Only this machine's own commands change it. Default: off; without on or off it is shown.

A device with the scope admin can start commands here, and so could say that yes itself: this is against what you overlook, and not against a device
that should not have admin.`,
  examples: [
    { command: "warren devices ask-first on", does: "this machine asks before anybody comes in" },
    { command: "warren devices ask-first", does: "shows whether it does" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["choice"], min: 0, choices: CHOICES },
  async run({ output, client }, { values, operands: [wanted] }) {
    if (wanted !== undefined && !CHOICES.includes(wanted)) throw unknownChoice("ask-first", wanted, CHOICES);
    const asked = client();
    if (wanted !== undefined) await asked.request("remote.ask_first", { is_on: wanted === "on" });
    const { asks_first = false } = await asked.request("remote.devices", {});
    if (values.json) output.json({ asks_first });
    else
      output.line(
        asks_first
          ? "This machine asks before anybody comes in"
          : "This machine lets in whom its admin devices introduce",
      );
    return EXIT.ok;
  },
});
