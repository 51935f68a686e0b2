import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { MailEntry } from "../src/web/model/home.ts";
import { assertAccessible } from "./harness/axe.ts";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { temporaryHome } from "./harness/home.ts";
import { HubHouse } from "./harness/hub-house.ts";
import { killProcess } from "./harness/processes.ts";
import { mailIsTold } from "./harness/told-talks.ts";
import { click } from "./harness/web.ts";
import { leave, pairTab } from "./harness/web-pairing.ts";

/** The person's mail of a machine that has died, in a real browser that was not there when it was written. */
const TIMEOUT_MS = 120_000;
const NARROW = { width: 360, height: 740 };
const PICTURES = process.env.WARREN_PAGE_PICTURES;

/** As its typing would. */
const typeInto = async (tab: Tab, selector: string, text: string): Promise<void> => {
  await tab.until(
    `(document.querySelector(${JSON.stringify(selector)})?.focus(), document.querySelector(${JSON.stringify(selector)}))`,
    selector,
  );
  await tab.insert(text);
};

/** Looks until these are the messages of the page, newest first, each by how it begins. */
const reads = (tab: Tab, beginnings: readonly string[], what: string): Promise<void> =>
  tab.until(
    `((written) => ${JSON.stringify(beginnings)}.every((text, i) => written[i]?.innerText.trim().startsWith(text)) &&
      written.length === ${beginnings.length})([...document.querySelectorAll("li.mail > .plain")])`,
    what,
  );

test(
  "mail is read after its machine was killed, by a page that was not open then; the mailbox's own word takes its place",
  { skip: missingChromium(), timeout: TIMEOUT_MS },
  async () => {
    await using browser = await Chromium.launch();
    await using hub = await HubHouse.open();
    await using house = temporaryHome({ env: { WARREN_MAIL_PORT: "0" } });
    const { address } = hub;
    let tab = await browser.tab(NARROW);
    await pairTab(tab, house, address);
    await leave(tab, hub.house);
    await house.run("mail", "send", "you", "The build is red.", "--as", "fox");
    await house.run("mail", "send", "fox", "I look at it.", "--as", "you");
    await mailIsTold(house, 2);

    const { pid } = await house.server();
    process.kill(pid, "SIGSTOP");
    try {
      tab = await browser.tab(NARROW);
      await tab.goto(`${address}/#/mail`);
      await tab.shows("As its machine left it, as of");
      await reads(tab, ["I look at it.", "The build is red."], "what was left");
      await assertAccessible(tab, "the mail of a machine that is away");
      if (PICTURES !== undefined) await tab.screenshot(join(PICTURES, "away-mail.png"));
      await tab.goto(`${address}/#/inbox`);
      await reads(tab, ["The build is red."], "what is unread");
      await tab.shows("As its machine left it, as of");
      await tab.goto(`${address}/#/mail`);
      await tab.shows("I look at it.");
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await tab.until('document.querySelector("li.mail form") && !document.querySelector(".left-mail")', "the mailbox");
    await reads(tab, ["I look at it.", "The build is red."], "what the mailbox has");
    await leave(tab, hub.house);

    await house.run("mail", "check", "--as", "you");
    await house.run("mail", "send", "you", `It is green. ${"And on. ".repeat(5_000)}`, "--as", "owl");
    await mailIsTold(house, 3);
    for (const one of await Promise.all([house.keeper(), house.server()])) killProcess(one);
    tab = await browser.tab(NARROW);
    await tab.goto(`${address}/#/mail`);
    await tab.shows("As its machine left it, as of");
    await tab.shows("The rest of this is on the machine.");
    await reads(tab, ["It is green.", "I look at it.", "The build is red."], "what was left, the newest cut");
    await click(tab, "fox");
    await reads(tab, ["I look at it.", "The build is red."], "what was written with fox");

    await tab.goto(`${address}/#/mail`);
    await click(tab, "Reply");
    await typeInto(tab, "li.mail textarea", "Good.");
    await click(tab, "Reply later");
    await tab.until('document.querySelector("li.mail .waiting")?.textContent.includes("Good.")', "the reply, waiting");
    await typeInto(tab, ".form input", "fox");
    await typeInto(tab, ".form textarea", "Deploy it.");
    await click(tab, "Send later");
    await tab.until(
      'document.querySelector(".page > .scroll > .waiting, .scroll > .waiting")?.textContent.includes("Deploy it.")',
      "the message, waiting",
    );
    await assertAccessible(tab, "mail that waits");
    if (PICTURES !== undefined) await tab.screenshot(join(PICTURES, "away-mail-waits.png"));
    await tab.goto(`${address}/#/outbox`);
    await tab.shows("Reply to owl");
    await tab.shows("Mail to fox");
    await tab.until(
      '[...document.querySelectorAll(".outbox .item-head")].every((one) => one.textContent.includes("at a hub"))',
      "both at the hub",
    );
    if (PICTURES !== undefined) await tab.screenshot(join(PICTURES, "away-mail-outbox.png"));

    await house.run("ping");
    await tab.until(
      '[...document.querySelectorAll(".outbox .item-head")].every((one) => one.textContent.includes("done"))',
      "both done",
    );
    const history = JSON.parse(await house.run("mail", "history", "--as", "you", "--json")) as {
      messages: MailEntry[];
    };
    const own = history.messages.map(({ message }) => message).filter(({ from }) => from === "you");
    assert.deepEqual(own.map(({ body }) => body).sort(), ["Deploy it.", "Good.", "I look at it."], "each once");
    assert.deepEqual(tab.complaints, []);
    await tab.close();
  },
);
