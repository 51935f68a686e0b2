import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { assertAccessible } from "./harness/axe.ts";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { HubHouse } from "./harness/hub-house.ts";
import { newScriptedAgent } from "./harness/scripted-agent.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { click, openUnit, TERMINAL_TEXT } from "./harness/web.ts";
import { pairTab } from "./harness/web-pairing.ts";

/** What a person does in the app while the machine is away: in a real browser, by a real hub, with a server that does not answer for a while. */
const TIMEOUT_MS = 90_000;
const NARROW = { width: 360, height: 740 };
const PICTURES = process.env.WARREN_PAGE_PICTURES;

const picture = async (tab: Tab, name: string): Promise<void> => {
  if (PICTURES !== undefined) await tab.screenshot(join(PICTURES, `${name}.png`));
};

/** A tab of the hub's app that the machine of `house` has let in, as a person would. */
async function paired(browser: Chromium, house: TemporaryHome, hub: HubHouse, scopes: string): Promise<Tab> {
  const tab = await browser.tab(NARROW);
  await pairTab(tab, house, hub.address, { scopes });
  await click(tab, "All units");
  return tab;
}

const goTo = async (tab: Tab, page: string): Promise<void> => {
  await tab.evaluate(`location.hash = "#/${page}"`);
  await tab.until(`document.querySelector(".page h1")?.textContent.toLowerCase() === "${page}"`, page);
};

const rowOf = (name: string): string =>
  `[...document.querySelectorAll("a.row")].find((row) => row.querySelector("b").textContent === ${JSON.stringify(name)})`;

/** A finger that is drawn over a row. */
const drawn = (name: string, fromX: number, toX: number): string => `(() => {
  const target = ${rowOf(name)};
  const touch = (clientX) => new Touch({ identifier: 1, target, clientX, clientY: 200 });
  target.dispatchEvent(new TouchEvent("touchstart", { bubbles: true, touches: [touch(${fromX})], changedTouches: [touch(${fromX})] }));
  target.dispatchEvent(new TouchEvent("touchend", { bubbles: true, touches: [], changedTouches: [touch(${toX})] }));
})()`;

/** What may not be done, behind which stands what lets it. */
const summaryOf = (tab: Tab): Promise<string> => tab.evaluate('document.querySelector(".may-not summary").textContent');

const isAway = (tab: Tab): Promise<void> =>
  tab.until('document.querySelector(".app")?.dataset.live === "false"', "the machine to be away");

describe("web: a machine that is away", { skip: missingChromium(), timeout: 4 * TIMEOUT_MS }, () => {
  let browser: Chromium;
  before(async () => {
    browser = await Chromium.launch();
  });
  after(() => browser[Symbol.asyncDispose]());

  test(
    "an answer that is given while it is away waits for it, sealed; what was said before waits as well, and all is done when it comes",
    { timeout: 2 * TIMEOUT_MS },
    async () => {
      await using hub = await HubHouse.open();
      await using house = temporaryHome();
      await newScriptedAgent(house, "fox");
      await newScriptedAgent(house, "owl");
      const tab = await paired(browser, house, hub, "type,approve");
      await house.run("prompt", "fox", 'edit notes.txt s/a/b/\nask "Deploy?" allow|deny\nsay Deployed.');
      await goTo(tab, "inbox");
      // The question itself: that there is one, the row says before it.
      await tab.until('document.querySelector(".permission")?.innerText.includes("Deploy?")', "the question");
      const { pid } = await house.server();
      process.kill(pid, "SIGSTOP");
      try {
        await isAway(tab);
        await tab.shows("An answer waits for it, sealed, for ten minutes");
        await tab.evaluate("void (window.isBefore = true, location.reload())");
        await tab.until("!window.isBefore && document.querySelector('.permission')", "the page anew");
        await tab.shows("An answer waits for it, sealed, for ten minutes"); // of what the browser has kept
        await assertAccessible(tab, "inbox of a machine that is away");
        await picture(tab, "away-inbox");
        await click(tab, "allow");
        await tab.until('document.querySelector(".waits")?.textContent.includes("allow waits for")', "what waits");
        await tab.until('/(10:00|9:\\d\\d) left/.test(document.querySelector(".waits")?.textContent)', "how long");
        await picture(tab, "away-waits");
        await tab.evaluate('location.hash = "#/"');
        await tab.until(
          '[...document.querySelectorAll("a.row")].find((row) => row.textContent.includes("owl"))?.click() === undefined && document.querySelector(".prompt textarea")',
          "where owl is spoken to",
        );
        await tab.evaluate('document.querySelector(".prompt textarea").focus()');
        await tab.insert("say Later then.");
        await click(tab, "Send later");
        await tab.until('document.querySelector(".waiting")?.textContent.includes("say Later then.")', "what waits");
        await picture(tab, "away-talk");
        await goTo(tab, "outbox");
        await tab.until(
          '[...document.querySelectorAll(".item b")].map((one) => one.textContent).join() === "Answer fox: allow,Say to owl"',
          "both, in order",
        );
        await tab.until(
          '[...document.querySelectorAll(".item-head")].every((one) => one.textContent.includes("at a hub"))',
          "both in the hub's store",
        );
        await assertAccessible(tab, "outbox");
        await picture(tab, "away-outbox");
      } finally {
        process.kill(pid, "SIGCONT");
      }
      await tab.until(
        '[...document.querySelectorAll(".item-head")].every((one) => one.textContent.includes("done"))',
        "both to be done",
      );
      await house.run("wait", "fox", "--for", "idle");
      const said = await house.run("history", "fox");

      assert.equal(said.match(/(?<!say )Deployed\./g)?.length, 1, "once");
      await house.run("wait", "owl", "--for", "idle");
      assert.match(await house.run("history", "owl"), /Later then\./);
      await goTo(tab, "inbox");
      await tab.shows("Nobody needs you");
      await goTo(tab, "outbox");
      await click(tab, "Put away what is done");
      await tab.shows("Nothing waits");
      assert.deepEqual(tab.complaints, []);
      await tab.close();
    },
  );

  test(
    "a row that is drawn aside offers to stop what it shows, and does nothing by itself; of a machine that is away the stop waits for it",
    { timeout: TIMEOUT_MS },
    async () => {
      await using hub = await HubHouse.open();
      await using house = temporaryHome();
      for (const name of ["ant", "bee"]) await house.run("add", "--name", name, "sleep", "1000");
      const stateOf = async (name: string): Promise<string | undefined> =>
        (await house.looker().request("list", {})).jobs.find((job) => job.name === name)?.state;
      const tab = await paired(browser, house, hub, "admin");
      await tab.until(rowOf("bee"), "its row");
      await tab.evaluate(drawn("bee", 300, 290));
      assert.equal(await tab.evaluate('document.querySelector(".row-actions")'), null, "a touch is no swipe");
      await tab.evaluate(drawn("bee", 300, 150));
      await click(tab, "Stop");
      await tab.shows("Stop bee?");
      assert.equal(await stateOf("bee"), "running", "nothing was done yet");
      await tab.evaluate(drawn("bee", 150, 300));
      await tab.until('!document.querySelector(".row-actions")', "drawn back");
      await tab.evaluate(drawn("bee", 300, 150));
      await click(tab, "Stop");
      await click(tab, "Stop bee?");
      await tab.shows("bee is stopped");
      assert.equal(await stateOf("bee"), "ended");
      await tab.until('!document.querySelector(".row-actions")', "the row as it was");

      const { pid } = await house.server();
      process.kill(pid, "SIGSTOP");
      try {
        await isAway(tab);
        await tab.evaluate(drawn("ant", 300, 150));
        await assertAccessible(tab, "a row that was drawn aside");
        await picture(tab, "away-row");
        await click(tab, "Stop later");
        await tab.until(
          '/^Stop it when .+ is back\\?$/.test(document.querySelector(".row-actions .danger")?.textContent)',
          "the second look",
        );
        await tab.evaluate('document.querySelector(".row-actions .danger").click()');
        await tab.shows("The stop of ant waits for");
      } finally {
        process.kill(pid, "SIGCONT");
      }
      await waitUntil(async () => (await stateOf("ant")) === "ended", { what: "the stop that waited" });
      assert.deepEqual(tab.complaints, []);
      await tab.close();
    },
  );

  test(
    "a browser that may only look sees the question, and that it may not answer",
    { timeout: TIMEOUT_MS },
    async () => {
      await using hub = await HubHouse.open();
      await using house = temporaryHome();
      await newScriptedAgent(house, "fox");
      await house.run("prompt", "fox", 'ask "Deploy?" allow|deny\nsay Deployed.');
      await house.run("new", "--detached", "--name", "bear", "sh", "-c", "echo a screen; exec sleep 1000");
      const tab = await paired(browser, house, hub, "view");
      await goTo(tab, "inbox");
      await tab.shows("This browser may look, and not answer what agents ask");
      await click(tab, await summaryOf(tab));
      await tab.shows("warren devices scopes NAME view,approve");
      assert.equal(await tab.evaluate('document.querySelectorAll(".permission button:not(.copy button)").length'), 0);
      await goTo(tab, "devices");
      await tab.shows("This browser may look, and not change");
      await tab.until('document.querySelector(".device")?.textContent.includes("this browser")', "itself");
      await assertAccessible(tab, "devices of another machine");
      const name = await tab.evaluate<string>('document.querySelector(".device b").textContent');
      await click(tab, await summaryOf(tab));
      await tab.shows(`warren devices scopes '${name}' view,admin`);
      await picture(tab, "view-devices");
      await tab.evaluate('location.hash = "#/"');
      await openUnit(tab, "bear");
      await tab.until(`${TERMINAL_TEXT}.includes("a screen")`, "the terminal, to look at");
      await tab.shows("This browser may look, and not type");
      assert.equal(await tab.evaluate('document.querySelector(".keybar")'), null);
      await assertAccessible(tab, "a terminal to look at");
      await picture(tab, "view-terminal");
      await click(tab, "Stop");
      await click(tab, "End its program?");
      await tab.until(
        '/may not start, stop or change anything on that machine .* takes admin, and it has view\\./.test(document.querySelector(".note")?.textContent)',
        "why it was not stopped",
      );
      await picture(tab, "view-refused");
      await tab.close();
    },
  );
});
