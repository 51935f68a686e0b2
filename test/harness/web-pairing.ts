import assert from "node:assert/strict";
import type { Tab } from "./chromium.ts";
import type { TemporaryHome } from "./home.ts";
import { type ShownCodeOptions, showCode } from "./shown-code.ts";
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
