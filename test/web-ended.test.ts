import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { assertAccessible } from "./harness/axe.ts";
import { Chromium, missingChromium } from "./harness/chromium.ts";
import { HubHouse } from "./harness/hub-house.ts";
import { killProcess } from "./harness/processes.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { Web } from "./harness/web.ts";
import { pairTab } from "./harness/web-pairing.ts";

/** Sessions that are over, in a real browser: what was said can be read, on the machine's own word and on what it has left. */
const TIMEOUT_MS = 120_000;
const PHONE = { width: 390, height: 844 };
const PICTURES = process.env.WARREN_PAGE_PICTURES;
const ROWS = '[...document.querySelectorAll(".ended a.row")].map((row) => row.querySelector("b").textContent).sort()';

test(
  "an agent's conversation that is over is found among what has ended, and read, also while its machine is away",
  { skip: missingChromium(), timeout: TIMEOUT_MS },
  async () => {
    await using browser = await Chromium.launch();
    await using hub = await HubHouse.open();
    const { address } = hub;
    await using web = await Web.start({ env: { WARREN_MAIL_PORT: "0" } });
    const tab = await browser.tab(PHONE);
    await pairTab(tab, web.house, address);

    await web.agent("fox");
    await web.house.run("prompt", "--wait", "fox", "say The page is mended.");
    await web.house.run("new", "--detached", "--name", "bear", "sh", "-c", "exit 3");
    await web.house.run("stop", "fox");
    await tab.goto(`${address}/#/ended`);
    await tab.until(`(${ROWS}).join() === "bear,fox"`, "both that have ended");
    for (const scheme of ["light", "dark"] as const) {
      await tab.prefer(scheme);
      await assertAccessible(tab, `what has ended, ${scheme}`);
      if (PICTURES !== undefined) await tab.screenshot(join(PICTURES, `ended-${scheme}.png`));
    }
    await tab.evaluate('document.querySelector(".ended a.row[data-key*=agent]").click()');
    await tab.shows("The page is mended.");
    assert.equal(await tab.evaluate('document.querySelector(".prompt")'), null, "nothing can be said to it");
    if (PICTURES !== undefined) await tab.screenshot(join(PICTURES, "ended-agent.png"));
    await tab.goto(`${address}/#/ended`);
    await tab.until(
      'document.querySelector(".ended a.row[data-key*=session]")?.click() ?? document.querySelector(".unit-session")',
      "bear",
    );
    await tab.shows("warren history bear");
    if (PICTURES !== undefined) await tab.screenshot(join(PICTURES, "ended-session.png"));

    // The server first: beside a keeper that is gone it ends its agents, and killed in the middle of that it leaves them stopped.
    for (const one of await Promise.all([web.house.server(), web.house.keeper()])) killProcess(one);
    await waitUntil(() => tab.evaluate<boolean>('document.querySelector(".app")?.dataset.live === "false"'), {
      what: "the machine to be away",
    });
    await tab.goto(`${address}/#/ended`);
    await tab.shows("It is away");
    await tab.until('document.querySelector(".ended a.row[data-key*=agent]")', "what it has left");
    await tab.evaluate('document.querySelector(".ended a.row[data-key*=agent]").click()');
    await tab.shows("As its machine left it");
    await tab.shows("The page is mended.");
    assert.deepEqual(tab.complaints, []);
    await tab.close();
  },
);
