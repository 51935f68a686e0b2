import type { Client } from "../../client/client.ts";
import { askHub } from "../../local/hub-link.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import type { HubLook, RemoteHub } from "../../protocol/remote-units.ts";
import type { Context } from "../context.ts";
import { agrees } from "./ask.ts";

/** The hub through which to pair: one that this machine knows, or a new one that a person has said yes to. */
export interface HubWanted {
  /** As typed: an address, a label, a fingerprint. */
  hub: string | undefined;
  invitation: string | undefined;
  isYes: boolean;
  asks: boolean;
}

/** How `remote.pair` is told: an address where one was given, else the fingerprint. @throws HUB_MISSING, HUB_NEW, HUB_UNREACHABLE, … */
export async function hubToPair(context: Context, client: Client, wanted: HubWanted): Promise<string> {
  const { hubs } = await client.request("remote.hubs", {});
  if (wanted.hub === undefined) return onlyHub(context, hubs);
  const known = hubs.find(({ label, fingerprint }) => label === wanted.hub || fingerprint === wanted.hub);
  if (known) return known.fingerprint;
  const look = await client.request("remote.look", { address: wanted.hub });
  if (!look.is_known) await agree(context, look, wanted);
  const { address, fingerprint } = look;
  const { invitation } = wanted;
  await client.request("remote.hub_add", { address, fingerprint, ...(invitation === undefined ? {} : { invitation }) });
  if (!look.is_known && context.output.isTerminal)
    context.output.line(`This machine is a member of ${context.output.style.bold(look.label)}`);
  return address;
}

/** Never silently: which one it is stands above the code. */
function onlyHub({ output }: Context, hubs: readonly RemoteHub[]): string {
  const [hub] = hubs;
  if (!hub)
    throw new WarrenError("HUB_MISSING", "This machine knows no hub yet, and a device finds it through one.", {
      fix: "warren pair --hub https://home.example      # start one of your own: warren hub",
    });
  if (hubs.length > 1)
    throw new WarrenError(
      "HUB_MISSING",
      `This machine knows ${hubs.length} hubs: ${hubs.map(({ label }) => label).join(", ")}.`,
      { fix: `warren pair --hub ${quoteWord(hub.label)}` },
    );
  if (output.isTerminal) output.line(output.style.dim(`Through the hub ${hub.label}, ${hub.addresses[0]}`));
  return hub.fingerprint;
}

/** Once for each hub: what it says of itself proves nothing; its fingerprint does, when it is compared. */
async function agree(context: Context, { address, fingerprint, label }: HubLook, wanted: HubWanted): Promise<void> {
  if (wanted.isYes || (await isOwnHub(context, fingerprint))) return;
  const { output } = context;
  if (!wanted.asks)
    throw new WarrenError("HUB_NEW", `This machine does not know the hub at ${address} (fingerprint ${fingerprint}).`, {
      fix: `warren pair --hub ${quoteWord(address)} --yes      # after comparing it with: warren hub status`,
    });
  output.line(`A new hub: ${output.style.bold(label)} at ${address}`);
  output.line(`  fingerprint  ${fingerprint}`);
  output.line(output.style.dim("  Compare it with what `warren hub status` shows there. The hub will read nothing."));
  if (await agrees("Is it the same? [y/N] ", context.interrupted())) return;
  throw new WarrenError("HUB_NEW", "Nothing was sent to the hub, since you did not agree.", {
    fix: `warren pair --hub ${quoteWord(address)}`,
  });
}

/** It runs in this home: nobody has to compare what this machine has said itself. */
const isOwnHub = async ({ places }: Context, fingerprint: string): Promise<boolean> =>
  (await askHub(places, "status", {}).catch(() => undefined))?.fingerprint === fingerprint;
