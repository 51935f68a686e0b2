import { EXIT } from "../../protocol/outcome.ts";
import { bootDisable, bootEnable, bootStatus } from "../boot/systemd.ts";
import { defineCommand } from "../command.ts";
import { unknownChoice } from "../usage-error.ts";

const ACTIONS = ["enable", "disable", "status"] as const;

export const boot = defineCommand({
  usage: ["boot enable | disable | status"],
  details:
    "Starts Warren with the machine, through a systemd user unit, and with it the jobs that were added with --autostart, and those that a restart policy of their warren.yaml kept up. Disabling it changes nothing about what runs now.",
  examples: [
    { command: "warren boot enable", does: "from the next start of the machine on" },
    { command: "warren boot status", does: "whether it is enabled, and the unit's file" },
  ],
  options: { json: { type: "boolean", description: "print JSON" } },
  operands: { kinds: ["choice"], min: 1, choices: ACTIONS },
  async run(context, { values, operands }) {
    const { output } = context;
    const [action = ""] = operands;
    const actions = { enable: bootEnable, disable: bootDisable, status: bootStatus };
    if (!Object.hasOwn(actions, action)) throw unknownChoice("boot", action, ACTIONS);
    const result = await actions[action as (typeof ACTIONS)[number]](context);
    if (values.json) output.json(result);
    else {
      output.line(
        result.enabled
          ? `Warren starts with the machine (${result.unitPath})`
          : "Warren does not start with the machine",
      );
      if (result.enabled && result.lingers === false) {
        output.line("It starts at your first login. To start it without one:");
        output.line(output.style.dim("  loginctl enable-linger"));
      }
    }
    return EXIT.ok;
  },
});
