import type { Context } from "../context.ts";
import { messageRow } from "../mail/message-text.ts";
import { cardOutput } from "./card.ts";
import type { Seen } from "./look.ts";

/** What `--tour` adds to the card: where to look, what was written, and what to try. */

/** Where a browser finds what runs here, and the app itself. */
export function addressLines({ here, tour }: Seen): string[] {
  const addresses = here.flatMap((unit): [string, string][] => {
    if (unit.status !== "running") return [];
    if (unit.kind === "worker") return unit.url === undefined ? [] : [[unit.name, unit.url]];
    const [first] = unit.ports ?? [];
    return first && !isApp(unit.command) ? [[unit.name ?? unit.id, `http://127.0.0.1:${first.port}/`]] : [];
  });
  if (tour?.appLink) addresses.push(["web app", `${tour.appLink} (lets one browser in)`]);
  return addresses.length > 0 ? [...addresses.map(([name, url]) => `${name}: ${url}`), ""] : [];
}

const isApp = (command: readonly string[]): boolean => command.join(" ").startsWith("warren web");

/** Who has written to whom, the newest last. */
export function mailLines(context: Context, { tour }: Seen): string[] {
  const shown = { ...context, output: cardOutput(context.output) };
  const rows = (tour?.mail ?? []).map(({ message, receipts }) => messageRow(shown, message, receipts));
  return rows.length > 0 ? [...rows.toReversed(), ""] : [];
}

/** What shows in a minute what Warren is for. */
export function tourHints({ sessions, serverPid }: Seen): (readonly [string, string])[] {
  const first = sessions.find(({ state }) => state === "needs_you") ?? sessions[0];
  return [
    ...(first ? [[`warren attach ${first.name}`, "look at it and answer; ctrl-\\ d leaves it running"] as const] : []),
    ...(serverPid ? [[`kill -9 ${serverPid}`, "the server: the same table comes back, same processes"] as const] : []),
    ["warren reload", "another server process, new code, nothing interrupted"],
  ];
}
