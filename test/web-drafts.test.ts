import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { MailEntry } from "../src/web/model/home.ts";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { temporaryHome } from "./harness/home.ts";
import { HubHouse } from "./harness/hub-house.ts";
import { click, openUnit, Web } from "./harness/web.ts";
import { pairTab } from "./harness/web-pairing.ts";

/** What a person has written and not sent, in a real browser: it stays, and what was sent goes once. */
const TIMEOUT_MS = 90_000;

const PROMPT = ".prompt textarea";
const MAIL = ".form textarea";
const REPLY = "li.mail textarea";

const typeInto = async (tab: Tab, selector: string, text: string): Promise<void> => {
  const found = `document.querySelector(${JSON.stringify(selector)})`;
  await tab.until(`(${found}?.focus(), ${found})`, selector);
  await tab.insert(text);
};

const holds = (tab: Tab, selector: string, text: string): Promise<void> =>
  tab.until(
    `document.querySelector(${JSON.stringify(selector)})?.value === ${JSON.stringify(text)}`,
    `${JSON.stringify(text)} in ${selector}`,
  );

/** As a finger does, whether or not the button still takes it. */
const tap = (tab: Tab, selector: string): Promise<void> =>
  tab.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);

/** Nobody answers meanwhile. */
async function whileSilent(web: Web, work: () => Promise<void>): Promise<void> {
  const { pid } = await web.house.server();
  process.kill(pid, "SIGSTOP");
  try {
    await work();
  } finally {
    process.kill(pid, "SIGCONT");
  }
}

async function written(web: Web): Promise<string[]> {
  const { messages } = JSON.parse(await web.house.run("mail", "history", "--as", "you", "--json")) as {
    messages: MailEntry[];
  };
  return messages.flatMap(({ message }) => (message.from === "you" ? [message.body] : [])).sort();
}

describe("web: what was written and not sent", { skip: missingChromium(), timeout: 5 * TIMEOUT_MS }, () => {
  let browser: Chromium;
  before(async () => {
    browser = await Chromium.launch();
  });
  after(() => browser[Symbol.asyncDispose]());

  test("what is typed while a prompt is being sent stays, and is the next one", { timeout: TIMEOUT_MS }, async () => {
    await using web = await Web.start();
    await web.agent("fox");
    const tab = await web.tab(browser);
    await openUnit(tab, "fox");
    await whileSilent(web, async () => {
      await typeInto(tab, PROMPT, "say It is red.");
      await tab.press("Enter");
      await tab.shows("Sending …");
      await tab.insert("say It is green.");
    });
    await holds(tab, PROMPT, "say It is green.");
    await tab.press("Enter");
    await tab.shows("It is green.");
    await holds(tab, PROMPT, "");
    assert.deepEqual(
      await tab.evaluate('[...document.querySelectorAll(".by-you .plain")].map((one) => one.textContent)'),
      ["say It is red.", "say It is green."],
    );
    await tab.close();
  });

  test(
    "mail and a reply that are sent twice in a hurry go once, and what is typed meanwhile stays",
    { timeout: TIMEOUT_MS },
    async () => {
      await using web = await Web.start();
      await web.house.warren(["mail", "send", "you", "ready?"], { env: { WARREN_MAIL_NAME: "owl" } });
      const tab = await web.tab(browser);
      await tab.press("m");
      await tab.shows("ready?");
      await click(tab, "Reply");
      await typeInto(tab, REPLY, "yes");
      await typeInto(tab, ".form input", "owl");
      await typeInto(tab, MAIL, "ship it");
      await whileSilent(web, async () => {
        for (let count = 0; count < 2; count++) {
          await tap(tab, ".form button.primary");
          await tap(tab, "li.mail button.primary");
        }
        await typeInto(tab, MAIL, ", and then");
      });
      await holds(tab, MAIL, ", and then");
      await tab.until('document.querySelectorAll(".mail.unread").length === 0', "the reply, sent");
      await tab.until(
        '[...document.querySelectorAll("li.mail > .plain")].map((one) => one.textContent).includes("ship it")',
        "the message, sent",
      );
      assert.deepEqual(await written(web), ["ship it", "yes"]);
      assert.deepEqual(tab.complaints, []);
      await tab.close();
    },
  );

  test("what was typed to an agent is there when the person comes back to it", { timeout: TIMEOUT_MS }, async () => {
    await using web = await Web.start();
    for (const name of ["fox", "owl"]) await web.agent(name);
    const tab = await web.tab(browser);
    await openUnit(tab, "fox");
    await typeInto(tab, PROMPT, "say It is red.");
    await openUnit(tab, "owl");
    await tab.until('document.querySelector(".prompt textarea[aria-label$=owl]")', "the line of another");
    await holds(tab, PROMPT, "");
    await typeInto(tab, PROMPT, "wait");
    await tab.evaluate('location.hash = "#/mail"');
    await tab.until(`document.querySelector(${JSON.stringify(MAIL)})`, "the mail");
    await openUnit(tab, "fox");
    await holds(tab, PROMPT, "say It is red.");
    await typeInto(tab, PROMPT, "");
    await tab.press("Enter");
    await tab.shows("It is red.");
    await holds(tab, PROMPT, "");
    await openUnit(tab, "owl");
    await holds(tab, PROMPT, "wait");
    await tab.close();
  });

  test("mail that was begun for one machine is not there in another's mailbox", { timeout: TIMEOUT_MS }, async () => {
    await using hub = await HubHouse.open();
    await using one = temporaryHome();
    await using other = temporaryHome();
    const tab = await browser.tab();
    for (const house of [one, other]) {
      await pairTab(tab, house, hub.address);
      await click(tab, "All units");
    }
    const openMailbox = (at: number): Promise<void> =>
      tab.until(
        `((names) => { const found = names?.querySelectorAll("a")[${at}]; found?.click(); return found?.getAttribute("aria-current") === "page"; })(document.querySelector(".names"))`,
        `mailbox ${at}`,
      );
    await tab.evaluate('location.hash = "#/mail"');
    await openMailbox(0);
    await typeInto(tab, ".form input", "fox");
    await typeInto(tab, MAIL, "for the first machine alone");
    await openMailbox(1);
    await holds(tab, MAIL, "");
    await holds(tab, ".form input", "");
    assert.deepEqual(tab.complaints, []);
    await tab.close();
  });
});
