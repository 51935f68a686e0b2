import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { assertAccessible } from "./harness/axe.ts";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { photograph } from "./harness/code-picture.ts";
import { HubHouse } from "./harness/hub-house.ts";
import { killProcess } from "./harness/processes.ts";
import { RemoteMachine } from "./harness/remote-machine.ts";
import { click, openUnit, TERMINAL_TEXT } from "./harness/web.ts";

/**
 * Remote as a person has it, from the first code to the last: two machines, two hubs, a browser of a phone's size; real processes, and nothing is looked at but what is on a screen. What
 * each part does in detail has its own tests (web-hubs, web-away, web-devices).
 */
const TIMEOUT_MS = 120_000;
const PHONE = { width: 390, height: 844 };
const SCOPES = "type,approve,admin";
/** From the last word of a machine to what its rows say, as promised; and what a busy machine takes besides to draw it. */
const PRESENCE_MS = 10_000;
const DRAWN_MS = 2_000;
const REVOKED_MS = 1_000;

const ROWS = `Object.fromEntries([...document.querySelectorAll("a.row")].map((row) => [row.querySelector("b").textContent, row.innerText]))`;
const rows = (tab: Tab): Promise<Record<string, string>> => tab.evaluate(ROWS);
const isStale = (names: readonly string[], is: boolean): string =>
  `${JSON.stringify(names)}.every((name) => [...document.querySelectorAll("a.row")].some((row) => row.querySelector("b").textContent === name && row.classList.contains("stale") === ${is}))`;

const goTo = (tab: Tab, page: string): Promise<unknown> => tab.evaluate(`location.hash = "#/${page}"`);

const terminalShows = (tab: Tab, text: string): Promise<void> =>
  tab.until(`${TERMINAL_TEXT}.includes(${JSON.stringify(text)})`, `${text} in the terminal`);

async function typeLine(tab: Tab, line: string): Promise<void> {
  await tab.until(
    '(document.querySelector(".xterm-helper-textarea")?.focus(), document.activeElement?.classList.contains("xterm-helper-textarea"))',
    "the terminal to have the keys",
  );
  await tab.insert(line);
  await tab.press("Enter");
}

async function pasteLink(tab: Tab, link: string): Promise<void> {
  await goTo(tab, "pair");
  await tab.until(
    '(document.querySelector(".pair textarea")?.focus(), document.querySelector(".pair textarea"))',
    "a field for the link",
  );
  await tab.insert(link);
  await click(tab, "Read the code");
}

const inCard = (tab: Tab, hub: string, name: string): Promise<void> =>
  tab.until(
    `(() => { const card = [...document.querySelectorAll(".hub-list .card")].find((one) => one.querySelector("h2")?.textContent === ${JSON.stringify(hub)}); const found = [...(card?.querySelectorAll("button") ?? [])].find((one) => one.textContent === ${JSON.stringify(name)}); found?.click(); return found; })()`,
    `${name}, of the hub ${hub}`,
  );

test(
  "a browser is paired by a picture, steers two machines over two hubs, outlives every one of them, and is cut off",
  { skip: missingChromium(), timeout: TIMEOUT_MS },
  async () => {
    const profile = mkdtempSync(join(tmpdir(), "warren-chromium-"));
    const picture = join(profile, "photo.png");
    await using laptop = new RemoteMachine("laptop");
    await using desk = new RemoteMachine("desk");
    const [attic, cloud] = await Promise.all([
      HubHouse.open({ args: ["--label", "attic"] }),
      HubHouse.open({ args: ["--label", "cloud"] }),
      laptop.run("new", "--detached", "--name", "bear", "sh"),
      desk.run("add", "--name", "api", "sleep", "1000"),
    ]);
    await using _attic = attic;
    await using _cloud = cloud;
    await laptop.agent("fox");
    let browser = await Chromium.launch({ profile });
    try {
      // A newcomer opens the hub's address on a phone.
      let phone = await browser.tab(PHONE);
      await phone.goto(`${attic.address}/`);
      await phone.shows("No machine lets this browser in yet");
      await phone.shows(`warren pair --hub ${attic.address}`);

      // They do what stands there, in the machine's terminal, and take a picture of what it shows.
      const terminal = laptop.terminal("pair", "--hub", attic.address, "--scopes", SCOPES);
      const [, fingerprint] = await terminal.shows(/fingerprint +((?:[0-9a-f]{4} ?){8})/);
      await terminal.shows(/Is it the same\? \[y\/N\]/);
      terminal.type("y\r");
      await terminal.shows(/Waiting for a device, \d/);
      await photograph(browser, terminal.text, picture);
      await click(phone, "Pair with a machine");
      await phone.until('document.querySelector("input[type=file]")', "where a picture is given");
      await phone.chooseFiles("input[type=file]", [picture]);
      await phone.shows("Connecting to a new hub");
      const card = await phone.evaluate<string>('document.querySelector(".pair .card").innerText');
      assert.ok(card.includes(fingerprint!.trim()), `${fingerprint} in ${card}`);
      assert.match(card, /view, type, approve, admin/);
      await click(phone, "Connect");
      const [, check] = await terminal.shows(/wants to join with.*Its check is ([\d ]+\d)\./);
      await phone.until(
        `document.querySelector(".check output")?.textContent === ${JSON.stringify(check)}`,
        "the same check",
      );
      terminal.type("y\r");
      await phone.shows("✓ Joined");
      await terminal.shows(/Chrome on Linux joined/);
      await click(phone, "All units");
      await phone.until(isStale(["bear", "fox"], false), "what runs on the laptop");

      // A second machine, at another hub.
      const another = await desk.code(cloud.address, SCOPES);
      await pasteLink(phone, another.link);
      await phone.shows("Connecting to a new hub");
      await click(phone, "Connect");
      await phone.shows("✓ Joined");
      await another.pairing.ended;
      await click(phone, "All units");
      await phone.until(isStale(["bear", "fox", "api"], false), "the units of both");
      await phone.shows("2/2 hubs");
      const listed = await rows(phone);
      assert.match(listed.bear!, /attic/);
      assert.match(listed.api!, /cloud/);

      // A terminal is typed into.
      await openUnit(phone, "bear");
      await typeLine(phone, "echo $((40+2))-typed");
      await terminalShows(phone, "42-typed");

      // An agent asks, and is answered through the hub.
      await laptop.run("prompt", "fox", 'ask "Deploy?" allow|deny\nsay Deployed.');
      await goTo(phone, "inbox");
      await phone.shows("Deploy?");
      await click(phone, "allow");
      await phone.until('document.querySelector(".answered")?.innerText.includes("Deploy?")', "that it is answered");
      await laptop.run("wait", "fox", "--for", "idle");

      // A session is started on the machine at the other hub.
      await goTo(phone, "new");
      await phone.until(
        '(() => { const found = [...document.querySelectorAll(".machines label")].find((one) => one.textContent.includes("cloud")); found?.click(); return found?.querySelector("input").checked; })()',
        "the machine at cloud",
      );
      await phone.until(
        '(document.querySelector("input[placeholder=sh]")?.focus(), document.activeElement?.placeholder === "sh")',
        "the command",
      );
      await phone.insert("sh");
      await phone.until("(document.querySelector(\"input[placeholder='chosen for you']\")?.focus(), true)", "its name");
      await phone.insert("owl");
      await phone.press("Enter");
      await typeLine(phone, "echo $((40+2))-there");
      await terminalShows(phone, "42-there");
      assert.match(await desk.run("sessions"), /owl/);

      // The laptop stops in the middle: that is known in time, what is answered waits, and outlives the page.
      await laptop.run("prompt", "fox", 'ask "Again?" allow|deny\nsay Once more.');
      await goTo(phone, "inbox");
      await phone.until('document.querySelector(".permission")?.innerText.includes("Again?")', "the question");
      await goTo(phone, "");
      const { pid } = await laptop.house.server();
      process.kill(pid, "SIGSTOP");
      try {
        const stoppedMs = performance.now();
        await phone.until(isStale(["bear", "fox"], true), "the laptop's rows to say when they were confirmed");
        const tookMs = performance.now() - stoppedMs;
        assert.ok(tookMs < PRESENCE_MS + DRAWN_MS, `presence was wrong for ${tookMs} ms`);
        assert.match((await rows(phone)).bear!, /last confirmed \d\d:\d\d/);
        assert.doesNotMatch((await rows(phone)).owl!, /confirmed/, "the other machine is there");
        await goTo(phone, "inbox");
        await phone.shows("Again?");
        await phone.shows("An answer waits for it, sealed");
        await click(phone, "allow");
        await phone.shows("allow waits for");
        await phone.evaluate("void (window.isBefore = true, location.reload())");
        await phone.until("!window.isBefore && document.querySelector('.waits')", "the page anew, with what waits");
      } finally {
        process.kill(pid, "SIGCONT");
      }
      await phone.until('document.querySelector(".answered")?.innerText.includes("Again?")', "the answer to be taken");
      await laptop.run("wait", "fox", "--for", "idle");
      assert.equal((await laptop.run("history", "fox")).match(/(?<!say )Once more\./g)?.length, 1, "done once");

      // One hub is disconnected: its rows stay, as they were.
      await goTo(phone, "hubs");
      await inCard(phone, "cloud", "Disconnect");
      await phone.shows("disconnected here");
      await goTo(phone, "");
      await phone.until(isStale(["api", "owl"], true), "what was known of the machine behind it");
      await phone.until(isStale(["bear", "fox"], false), "and the other as ever");
      await goTo(phone, "hubs");
      await inCard(phone, "cloud", "Connect");
      await goTo(phone, "");
      await phone.until(isStale(["api", "owl", "bear", "fox"], false), "all of them again");

      // The laptop joins the second hub: one row, two ways, and the first hub dies.
      const second = await laptop.code(cloud.address, SCOPES);
      await pasteLink(phone, second.link);
      await phone.shows("By the hub cloud");
      await click(phone, "Connect");
      await phone.shows("✓ Joined");
      await second.pairing.ended;
      await click(phone, "All units");
      await phone.until(isStale(["bear"], false), "the list");
      const key = await phone.evaluate<string>(keyOf("bear"));
      await openUnit(phone, "bear");
      await terminalShows(phone, "42-typed");
      await attic.end("SIGKILL");
      await typeLine(phone, "echo $((40+2))-by-the-other");
      await terminalShows(phone, "42-by-the-other");
      await phone.shows("1/2 hubs");
      await goTo(phone, "");
      await phone.until(isStale(["bear", "fox", "api", "owl"], false), "everything, by the hub that is left");
      assert.equal(await phone.evaluate(keyOf("bear")), key, "the same row");
      assert.deepEqual(Object.keys(await rows(phone)).sort(), ["api", "bear", "fox", "owl"], "each once");

      // Everything ends at once, and comes back without a word to anybody.
      await browser[Symbol.asyncDispose]();
      await cloud.end("SIGKILL");
      killProcess(await laptop.house.server());
      killProcess(await desk.house.server());
      await Promise.all([attic.start(), cloud.start()]);
      browser = await Chromium.launch({ profile });
      phone = await browser.tab(PHONE);
      await phone.goto(`${attic.address}/`);
      await phone.until(isStale(["bear", "fox", "api", "owl"], false), "everything again");
      await phone.shows("2/2 hubs");
      await openUnit(phone, "bear");
      await terminalShows(phone, "42-by-the-other");

      // The laptop cuts the browser off: it is told so, and keeps the other machine.
      await goTo(phone, "");
      await phone.until('document.querySelector("a.row")', "the list");
      await laptop.run("devices", "revoke", "Chrome on Linux");
      const revokedMs = performance.now();
      await phone.shows("does not let this browser in any more");
      assert.ok(performance.now() - revokedMs < REVOKED_MS, "within a second");
      await phone.until(isStale(["bear", "fox"], true), "its rows as they were");
      await phone.until(isStale(["api", "owl"], false), "the other machine's as they are");
      await assertAccessible(phone, "a machine that has cut this browser off");
      await goTo(phone, "hubs");
      await phone.shows("No machine of this hub lets this browser in any more");
      const remove = await phone.evaluate<string>(
        '[...document.querySelectorAll(".banner button")].at(-1).textContent',
      );
      await click(phone, remove);
      await goTo(phone, "");
      await phone.until('document.querySelectorAll("a.row").length === 2', "the other machine's alone");
      assert.deepEqual(
        phone.complaints.filter((one) => !one.includes("ERR_CONNECTION_REFUSED")),
        [],
      );
    } finally {
      await browser[Symbol.asyncDispose]();
      rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    }
  },
);

const keyOf = (name: string): string =>
  `[...document.querySelectorAll("a.row")].find((row) => row.querySelector("b").textContent === ${JSON.stringify(name)})?.dataset.key`;
