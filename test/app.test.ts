import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { assertAccessible } from "./harness/axe.ts";
import { variant } from "./harness/build-copy.ts";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { killProcess } from "./harness/processes.ts";
import { Site, saying } from "./harness/site.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { click, openUnit, TERMINAL_TEXT, Web } from "./harness/web.ts";

/** The app as a person has it: a real browser, a real home, `warren web` as it is shipped. */
const TIMEOUT_MS = 90_000;
const PHONE = { width: 390, height: 844 };

const terminalShows = (tab: Tab, text: string): Promise<void> =>
  tab.until(`${TERMINAL_TEXT}.includes(${JSON.stringify(text)})`, `${text} in the terminal`);

const isTypedInto = (tab: Tab): Promise<void> =>
  tab.until('document.activeElement?.classList.contains("xterm-helper-textarea")', "the terminal to have the keys");

/** The app's start waits for `letStart`, where it looks whether this browser can be a device; it is over when it listens for the page being shown. */
const HELD_START = `{
  const { generateKey } = SubtleCrypto.prototype;
  const mayStart = new Promise((start) => { window.letStart = () => start(); });
  SubtleCrypto.prototype.generateKey = async function (...given) { await mayStart; return generateKey.apply(this, given); };
  const listen = window.addEventListener;
  window.addEventListener = (name, ...rest) => {
    window.hasStarted ||= name === "pageshow";
    listen.call(window, name, ...rest);
  };
}`;

/** Keys of the bar that a finger does not reach where they stand, by their names. */
const KEYS_OFF_SCREEN = `[...document.querySelectorAll(".keybar button")].filter((key) => {
  const { left, top, right, bottom } = key.getBoundingClientRect();
  const isSeen = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
  return !isSeen || right - left < 44 || bottom - top < 44;
}).map((key) => key.getAttribute("aria-label"))`;

const say = async (tab: Tab, text: string): Promise<void> => {
  await tab.until(
    '(document.querySelector(".prompt textarea")?.focus(), document.querySelector(".prompt textarea"))',
    "the prompt",
  );
  await tab.insert(text);
  await tab.press("Enter");
};

describe("web: the app in a browser", { skip: missingChromium(), timeout: 8 * TIMEOUT_MS }, () => {
  let browser: Chromium;
  before(async () => {
    browser = await Chromium.launch();
  });
  after(() => browser[Symbol.asyncDispose]());

  test("shows what runs, types into a terminal, and is let in by its link alone", { timeout: TIMEOUT_MS }, async () => {
    await using web = await Web.start();
    await web.house.run("add", "--name", "site", "sh", "-c", "echo hello; exec sleep 1000");
    await web.house.run("new", "--detached", "--name", "bear", "sh");
    const { link } = web;
    const tab = await web.tab(browser);
    await tab.shows("site");
    assert.equal(await tab.evaluate("location.hash"), "", "the token does not stay in the address");
    await openUnit(tab, "bear");
    await isTypedInto(tab);
    await tab.insert("echo $((40+2))-answers");
    await tab.press("Enter");
    await terminalShows(tab, "42-answers");
    await web.house.run("send", "bear", "echo from elsewhere\n");
    await terminalShows(tab, "from elsewhere");
    const use = '/ · \\d+ % CPU · [\\d.]+ [kM]B/.test(document.querySelector(".unit-head .where")?.textContent)';
    await tab.until(use, "what it uses");

    const second = await browser.tab();
    await second.goto(link);
    await second.shows("bear"); // the link was used, and this browser was let in by it
    await openUnit(second, "bear");
    await terminalShows(second, "42-answers");
    await second.close();
    await tab.insert("printf '\\033[999;999H\\033[1J\\033[Herased-%d\\n' $((3*7))"); // up to the last cell, nothing has scrolled off yet
    await tab.press("Enter");
    await terminalShows(tab, "erased-21");

    const stranger = await Chromium.launch();
    const refused = await stranger.tab();
    await refused.goto(link);
    await refused.shows("This link was used already");
    await refused.goto(`http://127.0.0.1:${web.port}/#/`);
    await refused.goto(`http://127.0.0.1:${web.port}/`);
    await refused.shows("has not been let in");
    assert.doesNotMatch(await refused.evaluate("document.body.innerText"), /bear/);
    await stranger[Symbol.asyncDispose]();
    assert.deepEqual(tab.complaints, [], "nothing that the policy refused, no error that nobody caught");
    await tab.close();
  });

  test(
    "an agent asks: the card shows what, and an answer lets it go on; on a phone, from the inbox",
    { timeout: TIMEOUT_MS },
    async () => {
      await using web = await Web.start();
      await web.agent("fox");
      writeFileSync(join(web.house.dir, "notes.txt"), "one bug here\n");
      const tab = await web.tab(browser);
      await openUnit(tab, "fox");
      await say(
        tab,
        'say I **mend** it: `notes.txt`\nedit notes.txt s/bug/fix/\nask "Deploy the new page?" allow|always|deny\nsay Deployed.',
      );
      await tab.shows("Deploy the new page?");
      await tab.until('document.querySelector(".diff mark")?.textContent === "bug"', "the word that differs");
      assert.equal(await tab.evaluate('document.querySelector(".markdown strong").textContent'), "mend");
      await click(tab, "allow");
      await tab.shows("Deployed.");
      await tab.until('document.querySelector(".permission") === null', "no question that is left");

      await say(tab, 'ask "Really?" allow|deny\nsay Not reached.');
      await tab.until(
        'document.querySelector("a.row .state")?.textContent.includes("needs you")',
        "needs you, in the list",
      );
      const phone = await web.tab(browser, PHONE);
      await phone.until('document.querySelector(".tabs .badge")?.textContent === "1"', "the inbox's count");
      await click(phone, "Inbox1");
      await phone.shows("Really?");
      await click(phone, "deny");
      await phone.shows("Nobody needs you");
      await tab.until('document.querySelector(".permission") === null', "the answer, in the other tab");
      assert.doesNotMatch(await tab.evaluate("document.body.innerText"), /^Not reached\.$/m);
      await phone.close();
      await tab.close();
    },
  );

  test("an agent's text is text: no markup of it becomes an element", { timeout: TIMEOUT_MS }, async () => {
    await using web = await Web.start();
    await web.agent("fox");
    const tab = await web.tab(browser);
    await openUnit(tab, "fox");
    await say(
      tab,
      "say <img src=x onerror=document.title='taken'><script>alert(1)</script> [run](javascript:alert(1)) done",
    );
    await tab.shows("done");
    await tab.until('document.querySelectorAll(".said").length === 2', "the answer");
    const found = await tab.evaluate(
      '[document.querySelectorAll(".items img, .items script, .items a").length, document.title]',
    );
    assert.deepEqual(found, [0, "Warren"]);
    await tab.close();
  });

  test(
    "mail that an agent was given is shown as its words, and whole on request",
    { timeout: TIMEOUT_MS },
    async () => {
      await using web = await Web.start();
      await web.agent("owl");
      await web.house.run("mail", "send", "owl", "say <b>read</b>", "--subject", "review", "--as", "kim");
      const tab = await web.tab(browser);
      await openUnit(tab, "owl");
      await tab.until('document.querySelector(".by-you details")', "the mail");
      const shown = (): Promise<string[]> =>
        tab.evaluate('document.querySelector(".by-you").innerText.split("\\n").filter((line) => line !== "")');
      assert.deepEqual(await shown(), [
        "✉ mail 1 from kim",
        "review",
        "say <b>read</b>",
        "all that the agent was given",
      ]);
      await tab.evaluate('document.querySelector(".by-you summary").click()');
      assert.match((await shown()).join("\n"), /not from your user[\s\S]*<mail from="kim" number="1"/);
      await tab.close();
    },
  );

  test("shows a job's log as it is written, and by its state how it ended", { timeout: TIMEOUT_MS }, async () => {
    await using web = await Web.start();
    const go = join(web.house.dir, "go");
    await web.house.run(
      "add",
      "--name",
      "build",
      "sh",
      "-c",
      `echo first; until [ -e ${go} ]; do sleep 0.05; done; echo second >&2; exit 3`,
    );
    const tab = await web.tab(browser);
    await openUnit(tab, "build");
    await tab.until('document.querySelector(".log pre")?.textContent.includes("first")', "what it wrote before");
    await tab.until('document.querySelector(".unit-head .where")?.textContent.includes(" % CPU · ")', "what it uses");
    writeFileSync(go, "");
    await tab.until('document.querySelector(".log .stderr")?.textContent.includes("second")', "what it writes now");
    await tab.until('document.querySelector(".unit-head .state").textContent.includes("failed (3)")', "its end");
    await click(tab, "Start");
    await tab.until(
      'document.querySelector(".log pre")?.textContent.split("first").length === 2',
      "the log of the run after it",
    );
    await tab.close();
  });

  test("starts a session and stops a job, by keys alone", { timeout: TIMEOUT_MS }, async () => {
    await using web = await Web.start();
    await web.house.run("add", "--name", "site", "sleep", "1000");
    const tab = await web.tab(browser);
    await tab.shows("site");
    await tab.press("j");
    await tab.until('location.hash.startsWith("#/job/")', "the first unit");
    await tab.press("k", 2);
    await tab.until('document.activeElement?.classList.contains("palette-input")', "the palette");
    await tab.insert("stop");
    await tab.until('document.querySelector("[role=option]")?.textContent.startsWith("Stop site")', "what stops it");
    await tab.press("Enter");
    await tab.shows("site is stopped");
    await tab.until('document.querySelector("a.row .state").textContent.includes("stopped")', "its state");
    await tab.press("n");
    await tab.shows("New session");
    for (let tries = 0; tries < 40; tries++) {
      if (await tab.evaluate('document.activeElement?.placeholder === "sh"')) break;
      await tab.press("Tab");
    }
    await tab.insert("sh -c 'echo \"it is $((6*7))\"; exec sh'");
    await tab.press("Enter");
    await tab.until('location.hash.startsWith("#/session/")', "the new session");
    await terminalShows(tab, "it is 42");
    await tab.press("Enter");
    await isTypedInto(tab);
    await tab.close();
  });

  test(
    "a server that is killed and a web host that ends are told of, and nothing is lost",
    { timeout: TIMEOUT_MS },
    async () => {
      await using web = await Web.start();
      await web.house.run("new", "--detached", "--name", "bear", "sh");
      const tab = await web.tab(browser);
      await openUnit(tab, "bear");
      await isTypedInto(tab);
      await tab.insert("echo be''fore");
      await tab.press("Enter");
      await terminalShows(tab, "before");
      killProcess(await web.house.server());
      await tab.insert("echo af''ter");
      await tab.press("Enter");
      await terminalShows(tab, "after");
      await web.house.run("add", "--name", "late", "sleep", "1000");
      await tab.until(
        '[...document.querySelectorAll("a.row b")].some((b) => b.textContent === "late")',
        "what came afterwards",
      );
      const { port } = web;
      process.kill(web.pid, "SIGTERM");
      await tab.shows("not connected, last confirmed");
      assert.match(await tab.evaluate("document.body.innerText"), /late/, "what was known stays");
      await waitUntil(
        () =>
          tab.evaluate<boolean>(
            'new Promise((done) => { const open = indexedDB.open("warren", 1); open.onsuccess = () => { const get = open.result.transaction("homes").objectStore("homes").get("local"); get.onsuccess = () => { open.result.close(); done([...get.result?.jobs.values() ?? []].some(({ name }) => name === "late")); }; }; })',
          ),
        { what: "what the browser remembers" },
      );
      await tab.evaluate("void (window.isBefore = true, location.reload())");
      await tab.until("!window.isBefore", "the page anew");
      await tab.shows("not connected, last confirmed"); // by the service worker, from what the browser remembers
      await tab.shows("late");
      await assertAccessible(tab, "not connected");
      await web.restart(port);
      await tab.shows("warren web was started anew");
      await tab.goto(web.link);
      await tab.shows("late");
      await tab.close();
    },
  );

  test(
    "a page that is opened after the web host was started anew says so, and goes on saying it",
    { timeout: TIMEOUT_MS },
    async () => {
      await using web = await Web.start();
      const before = await web.tab(browser);
      await before.close();
      const { port } = web;
      await web.restart(port);
      const tab = await browser.tab();
      await tab.beforeEachDocument(HELD_START);
      await tab.goto(`http://127.0.0.1:${port}/`);
      await tab.shows("warren web was started anew");
      await tab.evaluate("letStart()");
      await tab.until("window.hasStarted", "the end of the app's start");
      await tab.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))");
      assert.match(await tab.evaluate("document.body.innerText"), /warren web was started anew/);
      await tab.close();
    },
  );

  test("a terminal whose code is not to be had says so, and is there once it is", { timeout: TIMEOUT_MS }, async () => {
    await using web = await Web.start();
    await web.house.run("new", "--detached", "--name", "bear", "sh");
    const tab = await web.tab(browser);
    await tab.block("*shown-terminal*");
    await openUnit(tab, "bear");
    await tab.shows("This page could not be loaded");
    await tab.block("*none*");
    await click(tab, "Load the app again");
    await terminalShows(tab, "#");
    await tab.close();
  });

  test("fits a phone: one pane, the bar below, the keys that its keyboard lacks", { timeout: TIMEOUT_MS }, async () => {
    await using web = await Web.start();
    await web.house.run("add", "--name", "site", "sleep", "1000");
    await web.house.run("new", "--detached", "--name", "bear", "sh");
    const phone = await web.tab(browser, PHONE);
    await phone.shows("bear");
    assert.equal(await phone.evaluate("document.documentElement.scrollWidth"), PHONE.width, "nothing sticks out");
    await openUnit(phone, "bear");
    await terminalShows(phone, "#");
    await phone.evaluate('document.querySelector(".xterm-helper-textarea").focus()');
    await phone.insert("sleep 1000");
    await phone.press("Enter");
    await terminalShows(phone, "sleep 1000");
    assert.deepEqual(await phone.evaluate(KEYS_OFF_SCREEN), [], "every key can be tapped as it stands");
    const pictures = process.env.WARREN_PAGE_PICTURES;
    if (pictures !== undefined) await phone.screenshot(join(pictures, "keys.png"));
    await click(phone, "Control C");
    await click(phone, "ctrl");
    await phone.insert("l");
    await terminalShows(phone, "^L");
    await phone.press("Enter");
    await phone.insert("ls / | head -3");
    await phone.press("Enter");
    assert.equal(await phone.evaluate("document.documentElement.scrollWidth"), PHONE.width, "nothing sticks out");
    await click(phone, "Back to all units");
    await phone.until('document.querySelector(".rows") && !document.querySelector(".unit")', "the list again");
    await phone.close();
  });

  test(
    "sessions of every server of the home are there, and move with their names",
    { timeout: TIMEOUT_MS },
    async () => {
      await using web = await Web.start();
      await web.house.run("new", "--detached", "--name", "bear", "sh");
      const tab = await web.tab(browser);
      await tab.shows("bear");
      const newer = variant({ hash: "newer01", newerByMs: 1_000 });
      const made = await web.house.warren(["new", "--detached", "--name", "fox", "sh"], { from: newer });
      assert.equal(made.status, 0, made.stderr);
      await tab.shows("fox"); // the newer server is the primary now; bear is still the older one's
      await openUnit(tab, "bear");
      await isTypedInto(tab);
      await tab.insert("echo $((40+2))");
      await tab.press("Enter");
      await terminalShows(tab, "42");
      await tab.until(
        '[...document.querySelectorAll("a.row b")].map((b) => b.textContent).sort().join() === "bear,fox"',
        "both",
      );
      await web.house.warren(["stop", "bear", "--force"], { from: newer });
      await tab.until(
        '[...document.querySelectorAll("a.row b")].map((b) => b.textContent).join() === "fox"',
        "the one that is left",
      );
      await tab.close();
    },
  );

  test("shows the workers of a project, and why one does not build", { timeout: TIMEOUT_MS }, async () => {
    await using site = await Site.make({ "workers/index/src/main.ts": "listen((" });
    await site.up();
    await using web = await Web.of(site.house);
    const tab = await web.tab(browser);
    await openUnit(tab, "index");
    await tab.shows("src/main.ts:1:");
    site.write("workers/index/src/main.ts", saying("hello"));
    await tab.until('document.querySelector(".unit-head .state").textContent.includes("healthy")', "its health");
    await tab.shows("Instances");
    await site.house.run("gateway", "pause", "index"); // by somebody else
    await tab.until('document.querySelector(".unit-head .state").textContent.includes("paused")', "that it is paused");
    await tab.close();
  });

  test("writes and reads mail", { timeout: TIMEOUT_MS }, async () => {
    await using web = await Web.start();
    await web.house.warren(["mail", "send", "you", "the page is ready"], { env: { WARREN_MAIL_NAME: "owl" } });
    await web.house.warren(["mail", "send", "zed", "are you there?"], { env: { WARREN_MAIL_NAME: "owl" } });
    const tab = await web.tab(browser);
    await tab.press("m");
    await tab.shows("the page is ready");
    await tab.shows("zed (1) unknown");
    await click(tab, "Reply");
    await tab.until(
      '(document.querySelector(".mail textarea")?.focus(), document.querySelector(".mail textarea"))',
      "a place for the answer",
    );
    await tab.insert("ship it");
    await click(tab, "Send reply");
    await tab.shows("ship it");
    await tab.until('document.querySelectorAll(".mail.unread").length === 0', "nothing unread");
    await tab.close();
  });

  for (const scheme of ["light", "dark"] as const)
    test(`is accessible on every page (axe, ${scheme})`, { timeout: TIMEOUT_MS }, async () => {
      await using web = await Web.start();
      await web.house.run("add", "--name", "site", "sh", "-c", "echo hello; exec sleep 1000");
      await web.house.run("add", "--name", "test", "sh", "-c", "echo 'expected 4, got 5' >&2; exit 1");
      await web.house.run("new", "--detached", "--name", "bear", "sh");
      await web.agent("fox");
      await web.agent("owl");
      await web.house.run("prompt", "fox", 'plan [x] look; [~] mend; test\nask "Deploy the page?" allow|deny');
      await web.house.run("wait", "fox", "--for", "needs-you");
      await web.house.run("mail", "send", "you", "the page is ready");
      const tab = await web.tab(browser);
      await tab.prefer(scheme);
      await tab.shows("owl");
      await tab.until('document.querySelector(".pages a")?.textContent === "Inbox (1)"', "who needs somebody");
      await assertAccessible(tab, "list");
      for (const name of ["bear", "fox", "site", "test"]) {
        await openUnit(tab, name);
        await tab.until(`document.querySelector(".unit-head h1")?.textContent.includes("${name}")`, name);
        if (name === "bear") await terminalShows(tab, "#");
        if (name === "fox") await tab.shows("Deploy the page?");
        if (name === "test")
          await tab.until('document.querySelector(".log .stderr")?.textContent.includes("got 5")', "its log");
        await assertAccessible(tab, name);
      }
      for (const page of ["inbox", "mail", "new"]) {
        await tab.evaluate(`location.hash = "#/${page}"`);
        await tab.until(`document.querySelector(".page h1")`, page);
        if (page === "mail") await tab.shows("the page is ready");
        await assertAccessible(tab, page);
      }
      await tab.evaluate("document.activeElement.blur()");
      await tab.press("?");
      await tab.until('document.querySelector("dialog[open]")', "the keys");
      await assertAccessible(tab, "keys");
      await click(tab, "Close");
      await tab.press("k", 4);
      await tab.until('document.querySelector(".palette-input")', "the palette");
      await assertAccessible(tab, "palette");
      await tab.close();
      const phone = await web.tab(browser, PHONE);
      await phone.prefer(scheme);
      await phone.shows("owl");
      await assertAccessible(phone, "list on a phone");
      await phone.close();
    });
});
