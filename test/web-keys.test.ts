import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { Web } from "./harness/web.ts";

/** Keys that answer questions, in a real browser: one press answers one question, and the one that was meant. */
const TIMEOUT_MS = 90_000;

const questions = (count: number): string => `document.querySelectorAll(".permission").length === ${count}`;
const TAKES_KEYS = '[...document.querySelectorAll(".permission")].every((one) => one.dataset.takesKeys === "true")';

/** Once more, as soon as the first question has gone. */
const PRESS_AGAIN = `void new MutationObserver((_, watching) => {
  if (!(${questions(1)})) return;
  watching.disconnect();
  dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true }));
  window.hasPressedAgain = true;
}).observe(document.body, { childList: true, subtree: true })`;

/** What a browser says of a key that is held. */
const repeat = (tab: Tab, key: string): Promise<void> =>
  tab.evaluate(
    `void dispatchEvent(new KeyboardEvent("keydown", { key: ${JSON.stringify(key)}, repeat: true, bubbles: true }))`,
  );

describe("web: keys that answer", { skip: missingChromium(), timeout: 2 * TIMEOUT_MS }, () => {
  let browser: Chromium;
  before(async () => {
    browser = await Chromium.launch();
  });
  after(() => browser[Symbol.asyncDispose]());

  test(
    "a key that is held or pressed twice answers no question but the one that was meant",
    { timeout: TIMEOUT_MS },
    async () => {
      await using web = await Web.start();
      const tab = await web.tab(browser);
      await tab.evaluate('location.hash = "#/inbox"');
      for (const name of ["fox", "owl"]) {
        await web.agent(name);
        await web.house.run("prompt", name, `ask "May ${name}?" allow|deny\nsay It went on.`);
      }
      await tab.until(`${questions(2)} && ${TAKES_KEYS}`, "two questions that take keys");
      await tab.press("j");
      await tab.until('document.activeElement?.matches(".permission")', "one of them, chosen");
      await tab.evaluate(PRESS_AGAIN);
      await tab.press("a");
      await tab.until("window.hasPressedAgain", "the second of a doubled key");
      const isBusy = await tab.evaluate<boolean>('document.querySelector(".permission button:disabled") !== null');
      assert.equal(isBusy, false, "the other one is not answered");
      await tab.evaluate("new Promise((go) => setTimeout(go, 600))"); // it stands there for long enough
      for (const key of ["a", "A", "d"]) await repeat(tab, key);
      await tab.evaluate("new Promise((go) => requestAnimationFrame(() => setTimeout(go)))");
      assert.ok(await tab.evaluate(`${questions(1)} && !document.querySelector(".permission button:disabled")`));
      await tab.press("d");
      await tab.until(questions(0), "no question");
      await repeat(tab, "d");
      assert.equal(await tab.evaluate("location.hash"), "#/inbox");
      assert.deepEqual(tab.complaints, []);
      await tab.close();
    },
  );
});
