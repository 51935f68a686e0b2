import { formatDuration } from "../../protocol/durations.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import type { RemoteDevice, RemoteHub, RemoteIntroduction } from "../../protocol/remote-units.ts";
import type { Context } from "../context.ts";
import { shortAge } from "../render/ages.ts";
import { hintLines } from "../render/hints.ts";
import { plural } from "../render/plural.ts";
import { table } from "../render/table.ts";
import { printable } from "../render/text-width.ts";
import { scopesText } from "./scopes-of.ts";

export function deviceLines({ output, nowMs }: Context, devices: readonly RemoteDevice[]): string[] {
  const seen = ({ is_connected, seen_at }: RemoteDevice): string => {
    if (is_connected) return output.style.tone("live", "connected");
    return seen_at === undefined ? "never seen" : `last seen ${shortAge(nowMs() - Date.parse(seen_at))} ago`;
  };
  const isIntroduced = devices.some(({ introduced_by }) => introduced_by !== undefined);
  return table(
    output,
    ["NAME", "PLATFORM", "SCOPES", "STATE", "HUBS", ...(isIntroduced ? ["INTRODUCED BY"] : [])],
    devices.map((device) => [
      output.style.bold(printable(device.name)),
      printable(device.platform),
      device.scopes.join(","),
      seen(device),
      device.hubs.join(", "),
      ...(isIntroduced ? [printable(device.introduced_by ?? "")] : []),
    ]),
  );
}

/** Those that wait for a yes here, before those that are in. */
export function introductionLines({ output, nowMs }: Context, introductions: readonly RemoteIntroduction[]): string[] {
  return introductions.flatMap(({ name, platform, scopes, introduced_by, known_as, expires_at, introduction }) => {
    const left = formatDuration(Math.max(0, Math.round((Date.parse(expires_at) - nowMs()) / 1_000)) * 1_000);
    const known = known_as === undefined ? "" : `, here already as ${printable(known_as)},`;
    const word =
      introductions.filter((one) => one.name === name).length > 1 ? introduction : quoteWord(printable(name));
    return [
      `${output.style.bold(printable(name))} (${printable(platform)})${known} waits: ${printable(introduced_by)} introduces it, with ${scopesText(scopes)}; ${left} left`,
      ...hintLines(output, [
        [`warren devices allow ${word}`, "lets it in"],
        [`warren devices refuse ${word}`, "does not"],
      ]),
    ];
  });
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
