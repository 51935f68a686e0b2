import type { HubStatus } from "../protocol/hub-control.ts";

/** What a hub says when it starts: what it is, where it is reached and from what, and what to type next. */
export function startText({
  label,
  fingerprint,
  is_open,
  addresses,
}: Pick<HubStatus, "label" | "fingerprint" | "is_open" | "addresses">): string[] {
  const best = (addresses.find(({ for_phones }) => for_phones) ?? addresses[0])?.url ?? "";
  const width = Math.max(...addresses.map(({ url }) => url.length));
  return [
    `Hub ${label} runs`,
    "",
    `  Fingerprint  ${fingerprint}`,
    `  Admits       ${is_open ? "any machine, since it was started with --open" : "machines that you invite: warren hub invite"}`,
    "  Addresses",
    ...addresses.map(
      ({ url, for_phones, note }) =>
        `    ${url.padEnd(width)}  ${[...(for_phones ? ["for phones too"] : []), ...(note ? [note] : [])].join("; ")}`,
    ),
    "",
    `The app: open ${best} in a browser`,
    `Pair it with a machine: warren pair --hub ${best}`,
    "What happens here: warren hub status. Ctrl-C ends it; what it has promised is on its disk.",
  ];
}
