import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Settings } from "../src/protocol/settings.ts";
import { encodeSettings } from "../src/sealing/settings-text.ts";
import { assertAccessible } from "./harness/axe.ts";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { HubHouse } from "./harness/hub-house.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { click, Web } from "./harness/web.ts";
import { pairTab } from "./harness/web-pairing.ts";

/** What a person has chosen, on all their devices: two real browsers, one hub, one machine. */
const TIMEOUT_MS = 120_000;
const PHONE = { width: 390, height: 844 };
/** `WARREN_PAGE_PICTURES=dir` takes pictures of the page, to be looked at. */
const PICTURES = process.env.WARREN_PAGE_PICTURES;

async function pair(tab: Tab, house: TemporaryHome, hub: HubHouse): Promise<void> {
  await pairTab(tab, house, hub.address);
  await toSettings(tab);
}

const toSettings = async (tab: Tab): Promise<void> => {
  await tab.evaluate('location.hash = "#/settings"');
  await tab.until('document.querySelector(".page h1")?.textContent === "Settings"', "the settings");
};

const segment = (name: string): string =>
  `[...document.querySelectorAll(".segments label")].find((one) => one.textContent === ${JSON.stringify(name)})?.querySelector("input")`;
const choose = (tab: Tab, name: string): Promise<void> =>
  tab.until(`(() => { const found = ${segment(name)}; found?.click(); return found?.checked; })()`, name);
const isChosen = (tab: Tab, name: string): Promise<void> => tab.until(`${segment(name)}?.checked`, `${name}, chosen`);

const flag = (label: string): string =>
  `[...document.querySelectorAll("label.switch")].find((one) => one.textContent.startsWith(${JSON.stringify(label)}))?.querySelector("input")`;
const EVERYWHERE = flag("Keep the same on all my devices");

/** What the machine has, once the hub has it too. */
function told(house: TemporaryHome, isThere: (settings: Settings) => boolean): Promise<Settings> {
  const { remoteDir } = house.places;
  const read = (name: string) => JSON.parse(readFileSync(join(remoteDir, name), "utf8"));
  return waitUntil(
    () => {
      try {
        const { settings } = read("settings.json") as { settings: Settings };
        const space = read(readdirSync(remoteDir).find((name) => name.startsWith("space-"))!);
        const hash = createHash("sha256").update(encodeSettings(settings)).digest("hex");
        const isPut = space.owed.length === 0 && space.settings === `${space.period.number}/${hash}`;
        return isPut && isThere(settings) ? settings : undefined;
      } catch {
        return undefined; // none was set yet
      }
    },
    { what: "the machine's settings, at the hub" },
  );
}

describe("web: settings on all devices of a person", { skip: missingChromium(), timeout: 2 * TIMEOUT_MS }, () => {
  const browsers: Chromium[] = [];
  before(async () => {
    for (let count = 0; count < 2; count++) browsers.push(await Chromium.launch());
  });
  after(async () => {
    for (const browser of browsers) await browser[Symbol.asyncDispose]();
  });

  test(
    "a change in one browser appears in the other, live, and by record after the machine has gone; switched off, nothing is taken",
    { timeout: TIMEOUT_MS },
    async () => {
      await using hub = await HubHouse.open();
      await using house = temporaryHome();
      const phone = await browsers[0]!.tab(PHONE);
      await pair(phone, house, hub);
      const desk = await browsers[1]!.tab();
      await pair(desk, house, hub);
      await choose(phone, "Dark");
      await click(phone, "Larger");
      await desk.until('document.documentElement.dataset.appearance === "dark"', "the phone's colours, at the desk");
      await desk.shows("By the width"); // of the letters, which are of a browser alone
      assert.deepEqual(await phone.evaluate('[...document.querySelectorAll(".where")].map((one) => one.textContent)'), [
        "everywhere",
        "everywhere",
        "this browser",
        "this browser",
        "everywhere",
        "this browser",
        "this browser",
        "everywhere",
      ]);
      for (const scheme of ["light", "dark"] as const) {
        await phone.prefer(scheme);
        await assertAccessible(phone, `settings, ${scheme}`);
      }
      if (PICTURES !== undefined) await phone.screenshot(join(PICTURES, "settings-everywhere.png"));
      const has = await told(house, ({ appearance }) => appearance?.value === "dark");
      assert.deepEqual(Object.keys(has), ["appearance"]);

      // The desk is away, then the machine is: what lies at the hub is all that there is.
      const address = await desk.evaluate<string>("location.href");
      await desk.goto("about:blank");
      await choose(phone, "Latest first");
      await told(house, ({ order }) => order?.value === "recent");
      const { pid } = await house.server();
      process.kill(pid, "SIGSTOP");
      try {
        await desk.goto(address);
        await toSettings(desk);
        await isChosen(desk, "Latest first");
        await desk.until(
          `(() => { const found = ${flag("A short tone")}; if (found?.checked === false) found.click(); return found?.checked; })()`,
          "a tone",
        );
      } finally {
        process.kill(pid, "SIGCONT");
      }
      await told(house, ({ sounds }) => sounds?.value === true);
      await phone.until(`${flag("A short tone")}?.checked`, "the desk's tone, when the machine is back");

      await phone.evaluate(`${EVERYWHERE}.click()`);
      await phone.until(
        '[...document.querySelectorAll(".where")].every((one) => one.textContent === "this browser")',
        "off",
      );
      await choose(phone, "Name");
      await choose(desk, "Light");
      await told(house, ({ appearance }) => appearance?.value === "light");
      assert.equal(await phone.evaluate("document.documentElement.dataset.appearance"), "dark", "nothing is taken");
      assert.equal(await desk.evaluate(`${segment("Latest first")}.checked`), true, "nor sent");
      await phone.evaluate(`${EVERYWHERE}.click()`);
      await phone.until('document.documentElement.dataset.appearance === "light"', "what was said meanwhile");
      await isChosen(desk, "Name");
      for (const tab of [phone, desk]) {
        assert.deepEqual(tab.complaints, []);
        await tab.close();
      }
    },
  );

  test(
    "two browsers of one machine have the same, whenever somebody looks, without a hub",
    { timeout: TIMEOUT_MS },
    async () => {
      await using web = await Web.start();
      const one = await web.tab(browsers[0]!, PHONE);
      await toSettings(one);
      await choose(one, "Dark");
      await waitUntil(
        async () =>
          (await web.house.looker().request("remote.settings", { settings: {} })).settings.appearance !== undefined,
        { what: "the machine to know" },
      );
      await web.restart(web.port); // another link, for the other browser
      const other = await web.tab(browsers[1]!);
      await other.until('document.documentElement.dataset.appearance === "dark"', "the same colours");
      await other.close();
      await one.close();
    },
  );
});
