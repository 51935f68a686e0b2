import { quoteWord } from "../../protocol/quote-word.ts";
import type { FleetHub } from "../model/fleet.ts";

/** What is to be typed on a machine for a code that leads here: through the hub that serves this app; on `warren web` through the one that is known, or whichever the machine is a member of. */
export function pairCommand(hubs: readonly FleetHub[]): string {
  if (document.documentElement.dataset.from === "hub") return `warren pair --hub ${location.origin}`;
  const address = hubs[0]?.addresses[0];
  return address === undefined ? "warren pair" : `warren pair --hub ${quoteWord(address)}`;
}
