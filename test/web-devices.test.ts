import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { RemoteDevice } from "../src/protocol/remote-units.ts";
import { assertAccessible } from "./harness/axe.ts";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { startHub } from "./harness/hub-process.ts";
import { TestDevice } from "./harness/remote-device.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { click, Web } from "./harness/web.ts";

/** The app's pages about who may steer a machine, what waits for a person, and what that person has chosen: in a real browser, with a real hub. */
const TIMEOUT_MS = 90_000;
const NARROW = { width: 360, height: 740 };
/** `WARREN_PAGE_PICTURES=dir` takes pictures of the pages, to be looked at. */
const PICTURES = process.env.WARREN_PAGE_PICTURES;

const goTo = async (tab: Tab, page: string): Promise<void> => {
  await tab.evaluate(`location.hash = "#/${page}"`);
  await tab.until(`document.querySelector(".page h1")?.textContent.toLowerCase() === "${page}"`, page);
};

/** Puts text into the field that is called so, as its typing would. */
const fill = async (tab: Tab, label: string, text: string): Promise<void> => {
  await tab.until(
    `(() => { const found = [...document.querySelectorAll("label")].find((one) => one.textContent.startsWith(${JSON.stringify(label)}))?.querySelector("input"); found?.focus(); found?.select(); return found; })()`,
    `the field ${label}`,
  );
  await tab.insert(text);
};

/** A finger that is drawn over the first question, from right to left. */
const SWIPE_LEFT = `(() => {
  const target = document.querySelector(".permission");
  const touch = (clientX) => new Touch({ identifier: 1, target, clientX, clientY: 200 });
  target.dispatchEvent(new TouchEvent("touchstart", { touches: [touch(300)], changedTouches: [touch(300)] }));
  target.dispatchEvent(new TouchEvent("touchend", { touches: [], changedTouches: [touch(120)] }));
})()`;

const textOf = (tab: Tab, selector: string): Promise<string> =>
  tab.evaluate(`document.querySelector(${JSON.stringify(selector)})?.textContent ?? ""`);

/** Nothing of the page sticks out to the side, and axe finds nothing; with pictures, where they are wanted. */
async function assertGood(tab: Tab, name: string): Promise<void> {
  for (const scheme of ["light", "dark"] as const) {
    await tab.prefer(scheme);
    await assertAccessible(tab, `${name}, ${scheme}`);
    if (PICTURES !== undefined) await tab.screenshot(join(PICTURES, `${name}-${scheme}.png`));
  }
  const wide = await tab.evaluate<string[]>(
    '[document.documentElement, ...document.querySelectorAll(".scroll, .page, .card")].filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.outerHTML.slice(0, 200))',
  );
  assert.deepEqual(wide, [], `${name}: nothing sticks out`);
}

const devicesOf = async (web: Web): Promise<RemoteDevice[]> =>
  (await web.house.client().request("remote.devices", {})).devices;

describe("web: devices, inbox and settings", { skip: missingChromium(), timeout: 8 * TIMEOUT_MS }, () => {
  let browser: Chromium;
  before(async () => {
    browser = await Chromium.launch();
  });
  after(() => browser[Symbol.asyncDispose]());

  test(
    "lets a device in through a hub, changes what it may, and cuts it off",
    { timeout: 2 * TIMEOUT_MS },
    async () => {
      await using web = await Web.start();
      const { address } = await startHub(web.house, { args: [] });
      const tab = await web.tab(browser, NARROW);
      await goTo(tab, "devices");
      await tab.shows("No device may steer");
      await assertGood(tab, "devices-none");

      await click(tab, "Join a hub");
      await fill(tab, "Address of the hub", address);
      await click(tab, "Look who is there");
      await tab.shows("Nothing was sent to it yet");
      assert.match(await textOf(tab, ".hubs .form .fingerprint"), /^([0-9a-f]{4} ?){8}$/);
      await assertGood(tab, "devices-hub");
      await click(tab, "It is the same: join");
      await tab.until('document.querySelector(".hubs .history")?.textContent.includes("○ connected")', "the hub");

      await click(tab, "Let a device in");
      await tab.until('document.querySelector(".scope-choice")', "what it may");
      await assertGood(tab, "devices-choose");
      await click(tab, "Show a code");
      await tab.until('document.querySelector("svg.qr path")', "the picture");
      await tab.until('/^[01]:\\d\\d left/.test(document.querySelector(".countdown")?.textContent)', "what is left");
      await assertGood(tab, "devices-code");
      const device = await TestDevice.make("Pixel 9");
      try {
        const { check, verdict } = await device.join(await textOf(tab, ".code code"));
        await tab.shows("wants to steer this machine, with view, type, approve");
        assert.equal(await textOf(tab, ".check"), check, "both ends show the same");
        await assertGood(tab, "devices-met");
        await click(tab, "Yes, let it in");
        assert.equal(await verdict, true);
        await tab.shows("Pixel 9 joined this machine");
        const session = (await device.attach())!;
        await tab.until('document.querySelector(".device")?.textContent.includes("◉ connected")', "its session");
        await assertGood(tab, "devices-one");

        await click(tab, "Rename");
        await fill(tab, "Name", "phone");
        await tab.press("Enter");
        await tab.until('document.querySelector(".device b")?.textContent === "phone"', "its new name");
        await click(tab, "Rights");
        await tab.until(
          '[...document.querySelectorAll(".device .scope-choice label")].some((one) => one.textContent.startsWith("approve") && (one.querySelector("input").click(), true))',
          "what it may",
        );
        await click(tab, "Change rights");
        await tab.until(
          '[...document.querySelectorAll(".device .scope")].map((one) => one.textContent).join() === "view,type"',
          "its rights",
        );
        assert.ok(["done", "gone", "refused", "connection lost"].includes(await session.ended), "with other rights");

        const second = (await device.attach())!;
        await click(tab, "Revoke");
        await tab.shows("What it has read stays read");
        assert.equal(await tab.evaluate("document.activeElement.textContent"), "Keep it", "no is the first answer");
        await assertGood(tab, "devices-revoke");
        await tab.press("Escape");
        await tab.until('!document.querySelector(".sure")', "the question to go");
        assert.equal((await devicesOf(web)).length, 1, "and nothing was done");
        await click(tab, "Revoke");
        await click(tab, "Revoke phone");
        await tab.shows("phone is cut off");
        await second.ended;
        await tab.shows("No device may steer");
        assert.equal((await devicesOf(web)).length, 0);
      } finally {
        device.close();
      }

      await click(tab, "Let a device in");
      await click(tab, "Show a code");
      await tab.until('document.querySelector("svg.qr path")', "another code");
      const late = await textOf(tab, ".code code");
      await goTo(tab, "settings");
      const other = await TestDevice.make("late");
      await waitUntil(
        () =>
          other.join(late).then(
            ({ leave }) => {
              leave();
              return false;
            },
            () => true,
          ),
        { what: "the code to go with the page" },
      );
      other.close();
      assert.deepEqual(tab.complaints, []);
      await tab.close();
    },
  );

  test(
    "the inbox names who asks for what and where, in full; keys answer, and who answered elsewhere is said",
    { timeout: TIMEOUT_MS },
    async () => {
      await using web = await Web.start();
      for (const name of ["fox", "owl"]) {
        await web.agent(name);
        await web.house.run(
          "prompt",
          name,
          `edit notes-${name}.txt s/a/b/\nask "Deploy for ${name}?" allow|always|deny\nsay Over.`,
        );
        await web.house.run("wait", name, "--for", "needs-you");
      }
      await web.house.run("mail", "send", "you", "the page is ready");
      const tab = await web.tab(browser, NARROW);
      await goTo(tab, "inbox");
      await tab.until('document.querySelectorAll(".inbox .permission").length === 2', "both questions");
      const [first] = await tab.evaluate<string[]>(
        '[...document.querySelectorAll(".inbox .permission")].map((one) => one.innerText)',
      );
      assert.match(first!, /fox on this machine.*Deploy for fox\?/s, "the oldest is the first");
      assert.ok(first!.includes(web.house.dir.split("/").at(-1)!), "its directory");
      assert.deepEqual(
        await tab.evaluate(
          '[...document.querySelector(".permission .actions").children].map((one) => one.textContent)',
        ),
        ["allow", "always", "deny"],
      );
      await assertGood(tab, "inbox");

      await tab.evaluate("document.activeElement.blur()");
      await tab.press("d");
      assert.equal(await tab.evaluate("location.hash"), "#/inbox", "of several, none without the focus");
      await tab.press("j");
      await tab.press("j");
      await tab.until(
        'document.activeElement?.getAttribute("aria-label") === "Question: Deploy for owl?"',
        "the second",
      );
      await tab.until('document.activeElement?.dataset.takesKeys === "true"', "a card that has not just come");
      await tab.press("a");
      await tab.until(
        'document.querySelector(".answered")?.textContent.startsWith("allow, by root · owl: Deploy for owl?")',
        "the answer",
      );
      await web.house.run("wait", "owl", "--for", "idle");

      await web.house.run("deny", "fox");
      await tab.until(
        'document.querySelector(".answered")?.textContent.includes("deny, by root · fox: Deploy for fox?")',
        "by whom",
      );
      await tab.until('!document.querySelector(".inbox .permission")', "no question that is left");
      await assertGood(tab, "inbox-answered");
      await click(tab, "Put away: Deploy for fox?");
      await tab.until('document.querySelectorAll(".answered li").length === 1', "what is left");

      await goTo(tab, "settings");
      await click(tab, "More"); // by its tab
      await goTo(tab, "settings");
      await tab.until(
        '(() => { const found = [...document.querySelectorAll("label.switch")].find((one) => one.textContent.startsWith("Ask once more")); found?.click(); return found; })()',
        "the switch",
      );
      await web.house.run("prompt", "fox", 'ask "Again?" allow|deny\nsay Over.');
      await goTo(tab, "inbox");
      await tab.until('document.querySelector(".permission")', "the question");
      await tab.evaluate(SWIPE_LEFT);
      await tab.until(
        'document.querySelector(".permission .danger")?.textContent === "Sure? deny"',
        "what a swipe means",
      );
      await click(tab, "allow");
      await tab.until(
        'document.querySelector(".permission .danger")?.textContent === "Sure? allow"',
        "the second look",
      );
      await click(tab, "Sure? allow");
      await tab.until('document.querySelector(".answered")?.textContent.includes("fox: Again?")', "the answer");
      assert.deepEqual(tab.complaints, []);
      await tab.close();
    },
  );

  test(
    "settings count at once, in every tab, and stay; every page fits and is accessible",
    { timeout: TIMEOUT_MS },
    async () => {
      await using web = await Web.start();
      await web.house.run("new", "--detached", "--name", "bear", "sh");
      await web.house.run("add", "--name", "ant", "sleep", "1000");
      const tab = await web.tab(browser, NARROW);
      const other = await browser.tab();
      await other.goto(`http://127.0.0.1:${web.port}/`);
      await other.prefer("light");
      await other.shows("bear");
      const ground = (where: Tab): Promise<string> =>
        where.evaluate("getComputedStyle(document.documentElement).backgroundColor");
      const light = await ground(other);
      for (const page of ["more", "outbox", "settings"]) {
        await goTo(tab, page);
        await assertGood(tab, page);
      }
      const choose = (name: string): Promise<void> =>
        tab.until(
          `(() => { const found = [...document.querySelectorAll(".segments label")].find((one) => one.textContent === ${JSON.stringify(name)})?.querySelector("input"); found?.click(); return found?.checked; })()`,
          name,
        );
      await tab.prefer("light");
      await choose("Dark");
      await browser.send("Browser.grantPermissions", {
        permissions: ["notifications"],
        origin: `http://127.0.0.1:${web.port}`,
      });
      await tab.until(
        '(() => { const found = [...document.querySelectorAll("label.switch")].find((one) => one.textContent.startsWith("A notification")); if (!found) return false; if (!found.querySelector("input").checked) found.click(); return found.querySelector("input").checked; })()',
        "notifications",
      );
      await tab.evaluate(
        "void (ServiceWorkerRegistration.prototype.showNotification = async (title) => { window.notified = title; })",
      );
      await tab.setSeen(false);
      await web.agent("fox");
      await web.house.run("prompt", "fox", 'ask "Secret plan?" allow|deny');
      await tab.until('window.notified === "fox needs you"', "a notification, without a word of what is asked");
      await tab.setSeen(true);
      await web.house.run("deny", "fox");
      await other.until(
        `getComputedStyle(document.documentElement).backgroundColor !== ${JSON.stringify(light)}`,
        "dark",
      );
      await choose("Always");
      await choose("Latest first");
      await click(tab, "Larger");
      await tab.shows("15 px");
      await fill(tab, "Directory", "~/site");
      await tab.evaluate("void (window.isBefore = true, location.reload())");
      await tab.until("!window.isBefore", "the page anew");
      await tab.shows("15 px");
      assert.notEqual(await ground(tab), light);
      await goTo(tab, "more");
      await tab.evaluate('location.hash = "#/new"');
      await tab.until("document.querySelector(\"input[placeholder='~/site']\")", "where a session begins");
      await other.until('document.querySelector("a.row b")?.textContent === "fox"', "the latest first");
      await other.evaluate(
        '[...document.querySelectorAll("a.row")].find((row) => row.textContent.includes("bear")).click()',
      );
      await other.until('document.querySelector(".keybar")', "the bar of keys");
      await other.until('getComputedStyle(document.querySelector(".xterm-rows")).fontSize === "15px"', "the letters");
      await other.close();
      await tab.close();
    },
  );
});
