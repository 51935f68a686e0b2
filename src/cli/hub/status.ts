import { askHub } from "../../local/hub-link.ts";
import { formatBytes } from "../../protocol/durations.ts";
import type { HubStatus } from "../../protocol/hub-control.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { shortAge } from "../render/ages.ts";
import { plural } from "../render/plural.ts";
import { facts } from "../render/table.ts";

export const status = defineCommand({
  usage: ["hub status [--json]"],
  details:
    "Shows the hub of this home: its fingerprint, where it is reached and whether a phone can open that, who is connected, what waits, and what it has refused.",
  examples: [
    { command: "warren hub status", does: "for people" },
    { command: "warren hub status --json", does: "for programs" },
  ],
  options: { json: JSON_OPTION },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const { output, places } = context;
    const found = await askHub(places, "status", {});
    if (values.json) output.json(found);
    else for (const line of statusLines(context, found)) output.line(line);
    return EXIT.ok;
  },
});

function statusLines({ output, nowMs }: Context, hub: HubStatus): string[] {
  const { connections } = hub;
  const refusals = Object.entries(hub.refusals).map(([code, count]) => `${code} ${count}`);
  return [
    `Hub ${output.style.bold(hub.label)} runs (pid ${hub.pid}, since ${shortAge(nowMs() - Date.parse(hub.started_at))})`,
    ...facts(output, [
      ["Fingerprint", hub.fingerprint],
      ["Admits", hub.is_open ? "any machine" : `who was invited; ${plural(hub.invitations, "open invitation")}`],
      ...hub.addresses.map(({ url, for_phones, note }, at): [string, string] => [
        at === 0 ? "Addresses" : "",
        [url, ...(for_phones ? ["for phones too"] : []), ...(note ? [note] : [])].join("  "),
      ]),
      ["Members", `${plural(hub.machines, "machine")}, ${plural(hub.devices, "device")}`],
      [
        "Connected",
        `${plural(connections.machines, "machine")}, ${plural(connections.devices, "device")}, ${plural(connections.guests, "guest")}; ${plural(hub.channels, "channel")}`,
      ],
      ["Waiting", `${plural(hub.records, "sealed record")}, ${formatBytes(hub.record_bytes)}`],
      ["Passed on", `${plural(hub.relayed_frames, "frame")}, ${formatBytes(hub.relayed_bytes)}`],
      ["Refused", refusals.length === 0 ? "nothing" : refusals.join(", ")],
    ]),
  ];
}
