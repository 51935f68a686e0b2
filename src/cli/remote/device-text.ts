import type { RemoteDevice, RemoteHub } from "../../protocol/remote-units.ts";
import type { Context } from "../context.ts";
import { shortAge } from "../render/ages.ts";
import { plural } from "../render/plural.ts";
import { table } from "../render/table.ts";
import { printable } from "../render/text-width.ts";

export function deviceLines({ output, nowMs }: Context, devices: readonly RemoteDevice[]): string[] {
  const seen = ({ is_connected, seen_at }: RemoteDevice): string => {
    if (is_connected) return output.style.tone("live", "connected");
    return seen_at === undefined ? "never seen" : `last seen ${shortAge(nowMs() - Date.parse(seen_at))} ago`;
  };
  return table(
    output,
    ["NAME", "PLATFORM", "SCOPES", "STATE", "HUBS"],
    devices.map((device) => [
      output.style.bold(printable(device.name)),
      printable(device.platform),
      device.scopes.join(","),
      seen(device),
      device.hubs.join(", "),
    ]),
  );
}

export function hubLines({ output }: Context, hubs: readonly RemoteHub[]): string[] {
  const rows = hubs.map((hub) => [
    output.style.bold(printable(hub.label)),
    stateOf(hub),
    hub.addresses[0] ?? "",
    plural(hub.device_count, "device"),
    hub.fingerprint,
  ]);
  const lines = table(output, ["NAME", "STATE", "ADDRESS", "DEVICES", "FINGERPRINT"], rows);
  for (const { label, error, fix } of hubs)
    if (error !== undefined)
      lines.push(`${printable(label)}: ${printable(error)}`, ...(fix ? [output.style.dim(`  ${printable(fix)}`)] : []));
  return lines;
}

const stateOf = ({ state }: RemoteHub): string =>
  ({ ready: "connected", connecting: "connecting", waiting: "not reached", refused: "refused", off: "off" })[state];
