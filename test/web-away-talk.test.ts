import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { assertAccessible } from "./harness/axe.ts";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { temporaryHome } from "./harness/home.ts";
import { HubHouse } from "./harness/hub-house.ts";
import { killProcess } from "./harness/processes.ts";
import { newScriptedAgent } from "./harness/scripted-agent.ts";
import { talkIsTold } from "./harness/told-talks.ts";
import { openUnit } from "./harness/web.ts";
import { leave, pairTab } from "./harness/web-pairing.ts";

/** The conversation of an agent whose machine has died, in a real browser that was not there when it was spoken. */
const TIMEOUT_MS = 120_000;
const NARROW = { width: 360, height: 740 };
const PICTURES = process.env.WARREN_PAGE_PICTURES;

const said = (tab: Tab): Promise<string[]> =>
  tab.evaluate('[...document.querySelectorAll(".items .said")].map((one) => one.innerText.trim())');

test(
  "what an agent has said is read after its machine was killed, by a page that was not open then; the machine's own word takes its place",
  { skip: missingChromium(), timeout: TIMEOUT_MS },
  async () => {
    await using browser = await Chromium.launch();
    await using hub = await HubHouse.open();
    await using house = temporaryHome();
    const { address } = hub;
    let tab = await browser.tab(NARROW);
    await pairTab(tab, house, address);
    await leave(tab, hub.house);
    await newScriptedAgent(house, "fox");
    await house.run("prompt", "fox", "say The build is red.\nsay I look at it.");
    await house.run("wait", "fox", "--for", "idle");
    await talkIsTold(house, "fox");
    const isOnce = async (why: string): Promise<void> => {
      const texts = await said(tab);
      // The prompt, and what was said of it.
      assert.equal(
        texts.filter((text) => text.includes("The build is red.")).length,
        2,
        `${why}: ${texts.join(" | ")}`,
      );
    };

    const { pid } = await house.server();
    process.kill(pid, "SIGSTOP");
    try {
      tab = await browser.tab(NARROW);
      await tab.goto(`${address}/`);
      await openUnit(tab, "fox");
      await tab.shows("As its machine left it, as of");
      await tab.shows("I look at it.");
      await isOnce("as it was left");
      await assertAccessible(tab, "the conversation of a machine that is away");
      if (PICTURES !== undefined) await tab.screenshot(join(PICTURES, "away-conversation.png"));
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await tab.until('document.querySelector(".items .said") && !document.querySelector(".kept-talk")', "the machine");
    await isOnce("by the machine itself");
    await leave(tab, hub.house);

    await house.run("prompt", "fox", "say It is green.");
    await house.run("wait", "fox", "--for", "idle");
    await talkIsTold(house, "fox");
    // The server first: beside a keeper that is gone it ends its agents, and killed in the middle of that it leaves them stopped.
    for (const one of await Promise.all([house.server(), house.keeper()])) killProcess(one);
    tab = await browser.tab(NARROW);
    await tab.goto(`${address}/`);
    await openUnit(tab, "fox");
    await tab.shows("It is green.");
    await tab.shows("As its machine left it, as of");
    await isOnce("after the machine was killed");
    assert.deepEqual(tab.complaints, []);
    await tab.close();
  },
);
