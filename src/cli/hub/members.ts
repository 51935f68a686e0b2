import { askHub } from "../../local/hub-link.ts";
import { formatBytes } from "../../protocol/durations.ts";
import type { HubMember } from "../../protocol/hub-control.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { shortAge } from "../render/ages.ts";
import { hintLines } from "../render/hints.ts";
import { table } from "../render/table.ts";

export const members = defineCommand({
  usage: ["hub members [--json]"],
  details:
    "Shows the machines that were admitted and, below each, the devices that it has let in. The hub knows them by their keys alone; names of devices are known to their machines: warren devices.",
  examples: [
    { command: "warren hub members", does: "one line each" },
    { command: "warren hub members --json", does: "as a JSON array" },
  ],
  options: { json: JSON_OPTION },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const { output, places } = context;
    const { members: found } = await askHub(places, "members", {});
    if (values.json) output.json(found);
    else if (found.length > 0) for (const line of memberLines(context, found)) output.line(line);
    else {
      output.line("Nobody is admitted");
      for (const line of hintLines(output, [["warren hub invite", "lets one machine in"]])) output.line(line);
    }
    return EXIT.ok;
  },
});

function memberLines({ output, nowMs }: Context, found: readonly HubMember[]): string[] {
  const seen = ({ is_connected, last_seen }: HubMember): string => {
    if (is_connected) return "connected";
    return last_seen ? `last seen ${shortAge(nowMs() - Date.parse(last_seen))} ago` : "never seen";
  };
  return table(
    output,
    ["ID", "KIND", "STATE", "WAITING", "FOR"],
    found.map((member) => [
      member.id,
      member.kind === "device" ? "  device" : member.kind,
      seen(member),
      member.records === undefined ? "" : `${member.records} (${formatBytes(member.bytes ?? 0)})`,
      member.label ?? "",
    ]),
  );
}
