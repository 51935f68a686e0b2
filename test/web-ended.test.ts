import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { HubStatus } from "../src/protocol/hub-control.ts";
import { assertAccessible } from "./harness/axe.ts";
import { Chromium, missingChromium } from "./harness/chromium.ts";
import { temporaryHome } from "./harness/home.ts";
import { killProcess } from "./harness/processes.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { click, Web } from "./harness/web.ts";

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
    await using hub = temporaryHome();
    await using web = await Web.start({ env: { WARREN_MAIL_PORT: "0" } });
    const running = hub.start(["hub", "--port", "0", "--json", "--open"], { deadlineMs: TIMEOUT_MS });
    const { port } = JSON.parse(await running.shows(/\}\n/)) as Pick<HubStatus, "port">;
    const address = `http://127.0.0.1:${port}`;
    const pairing = web.house.start(["pair", "--hub", address, "--yes", "--json"], { deadlineMs: TIMEOUT_MS });
    const { link } = JSON.parse(await pairing.shows(/\}\n/)) as { link: string };
    const tab = await browser.tab(PHONE);
    await tab.goto(link);
    await click(tab, "Connect");
    await tab.shows("✓ Joined");
    await pairing.ended;

    await web.agent("fox");
    await web.warren("prompt", "--wait", "fox", "say The page is mended.");
    await web.warren("new", "--detached", "--name", "bear", "sh", "-c", "exit 3");
    await web.warren("stop", "fox");
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

    for (const one of await Promise.all([web.house.keeper(), web.house.server()])) killProcess(one);
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
