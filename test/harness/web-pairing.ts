import assert from "node:assert/strict";
import type { HubStatus } from "../../src/protocol/hub-control.ts";
import type { Tab } from "./chromium.ts";
import type { TemporaryHome } from "./home.ts";
import { type ShownCodeOptions, showCode } from "./shown-code.ts";
import { waitUntil } from "./wait-until.ts";
import { click } from "./web.ts";

/** A person lets their browser in: the tab opens the link of a code, and connects. It stays on the page that says so. */
export async function pairTab(
  tab: Tab,
  house: TemporaryHome,
  hub: string,
  options: ShownCodeOptions = {},
): Promise<void> {
  const { link, pairing } = await showCode(house, hub, options);
  await tab.goto(link);
  await click(tab, "Connect");
  await tab.shows("✓ Joined");
  assert.equal((await pairing.ended).status, 0);
}

/** The page is closed, and the hub of this home has noticed: while a page still goes, what it has taken is forgotten. */
export async function leave(tab: Tab, hub: TemporaryHome): Promise<void> {
  await tab.close();
  const status = async (): Promise<HubStatus> => JSON.parse(await hub.run("hub", "status", "--json"));
  await waitUntil(async () => (await status()).connections.devices === 0, { what: "the page to be gone" });
}
