import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import encodeQR from "qr";
import type { RemoteDevice } from "../src/protocol/remote-units.ts";
import { decodePairingCode, encodePairingCode } from "../src/sealing/pairing-code.ts";
import { assertAccessible } from "./harness/axe.ts";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { type HubProcess, startHub } from "./harness/hub-process.ts";
import { killProcess } from "./harness/processes.ts";
import { showCode } from "./harness/shown-code.ts";
import { unitsAreTold } from "./harness/told-units.ts";
import { click, openUnit, TERMINAL_TEXT } from "./harness/web.ts";
import { leave, pairTab } from "./harness/web-pairing.ts";

/** The app of a hub, in a real browser: machines elsewhere, through real hubs. */
const TIMEOUT_MS = 90_000;
const PHONE = { width: 390, height: 844 };

const startNamed = (house: TemporaryHome, label: string): Promise<HubProcess> =>
  startHub(house, { args: ["--open", "--label", label] });

async function pair(tab: Tab, house: TemporaryHome, hub: HubProcess, scopes?: string): Promise<void> {
  await pairTab(tab, house, hub.address, { scopes });
  await click(tab, "All units");
}

const terminalShows = (tab: Tab, text: string): Promise<void> =>
  tab.until(`${TERMINAL_TEXT}.includes(${JSON.stringify(text)})`, `${text} in the terminal`);

const rowNames = '[...document.querySelectorAll("a.row b")].map((b) => b.textContent).sort().join()';

describe("web: machines behind hubs", { skip: missingChromium(), timeout: 8 * TIMEOUT_MS }, () => {
  let browser: Chromium;
  before(async () => {
    browser = await Chromium.launch();
  });
  after(() => browser[Symbol.asyncDispose]());

  test(
    "a hub's page is opened by a pairing link, shows what is asked, joins, types, and comes back",
    { timeout: TIMEOUT_MS },
    async () => {
      await using house = temporaryHome();
      const hub = await startNamed(house, "attic");
      await house.run("new", "--detached", "--name", "bear", "sh");
      const tab = await browser.tab();
      await tab.goto(`${hub.address}/`);
      await tab.shows("No machine lets this browser in yet");
      const { link, pairing } = await showCode(house, hub.address, { scopes: "type,admin" });
      await tab.goto(link);
      await tab.shows("Connecting to a new hub: 127.0.0.1");
      await assertAccessible(tab, "what a code asks");
      assert.doesNotMatch(await tab.evaluate("location.href"), /p=/, "the secret does not stay in the address");
      const shown = await tab.evaluate<string>('document.querySelector(".pair .card").innerText');
      assert.match(shown, /([0-9a-f]{4} ){7}[0-9a-f]{4}/);
      assert.match(shown, /view, type, admin/);
      await click(tab, "Connect");
      await tab.shows("✓ Joined");
      assert.equal((await pairing.ended).status, 0);
      const [device] = JSON.parse(await house.run("devices", "--json")) as RemoteDevice[];
      assert.match(device!.name, /^Chrome on Linux$/);
      await click(tab, "All units");
      await openUnit(tab, "bear");
      await terminalShows(tab, "#");
      await tab.until('document.activeElement?.classList.contains("xterm-helper-textarea")', "the keys");
      await tab.insert("echo $((40+2))-answers");
      await tab.press("Enter");
      await terminalShows(tab, "42-answers");
      await tab.evaluate("void (window.isBefore = true, location.reload())");
      await tab.until("!window.isBefore", "the page anew");
      await terminalShows(tab, "42-answers");
      await tab.shows("1/1 hub");
      for (const page of ["hubs", "pair", "new"]) {
        await tab.evaluate(`location.hash = "#/${page}"`);
        await tab.until(`document.querySelector(".page h1")?.textContent !== "Loading this page"`, page);
        await assertAccessible(tab, page);
      }
      await house.run("add", "--name", "late", "sleep", "1000");
      await tab.until(`${rowNames} === "bear,late"`, "what came since");
      assert.deepEqual(tab.complaints, [], "nothing that the policy refused, no error that nobody caught");
      await tab.close();
    },
  );

  test(
    "machines of two hubs stand in one list; one of two ways goes and the other carries on; a deleted hub leaves nothing",
    { timeout: TIMEOUT_MS },
    async () => {
      await using laptop = temporaryHome();
      await using server = temporaryHome();
      const attic = await startNamed(laptop, "attic");
      const cloud = await startNamed(server, "cloud");
      await laptop.run("new", "--detached", "--name", "bear", "sh");
      await server.run("add", "--name", "api", "sleep", "1000");
      const phone = await browser.tab(PHONE);
      await pair(phone, laptop, attic, "type,admin");
      // The second by its link, pasted: the app of one hub is the app of all.
      const { link, pairing } = await showCode(server, cloud.address, { scopes: "type,admin" });
      await phone.evaluate('location.hash = "#/pair"');
      await paste(phone, link);
      await phone.shows("Connecting to a new hub");
      await click(phone, "Connect");
      await phone.shows("✓ Joined");
      assert.equal((await pairing.ended).status, 0);
      await click(phone, "All units");
      await phone.until(`${rowNames} === "api,bear"`, "the units of both machines");
      await phone.shows("2/2 hubs");
      assert.deepEqual(
        await phone.evaluate('[...document.querySelectorAll("a.row .hub")].map((one) => one.lastChild.data).sort()'),
        ["attic", "cloud"],
      );

      const second = await showCode(laptop, cloud.address, { scopes: "type,admin" });
      await phone.evaluate('location.hash = "#/pair"');
      await paste(phone, second.link);
      await phone.shows("By the hub cloud");
      await click(phone, "Connect");
      await phone.shows("✓ Joined");
      await click(phone, "All units");
      await phone.until(`${rowNames} === "api,bear"`, "still one row for each unit");
      await openUnit(phone, "bear");
      await terminalShows(phone, "#");
      attic.running.child.kill("SIGKILL");
      await phone.evaluate('document.querySelector(".xterm-helper-textarea").focus()');
      await phone.insert("echo $((40+2))-by-the-other");
      await phone.press("Enter");
      await terminalShows(phone, "42-by-the-other");
      await phone.shows("1/2 hubs");

      await phone.evaluate('location.hash = "#/hubs"');
      await inCard(phone, "attic", "Delete");
      await phone.shows("Its key, its address and what came by it are removed");
      await inCard(phone, "attic", "Delete attic");
      await phone.shows("1/1 hub");
      await inCard(phone, "cloud", "Disconnect");
      await phone.shows("disconnected here");
      await phone.evaluate('location.hash = "#/"');
      await phone.until(
        'document.querySelectorAll("a.row.stale").length === 2',
        "what was known, as it was last confirmed",
      );
      await phone.shows("last confirmed");
      // What is not known of a machine that is away is said to be so, and not to be nothing.
      for (const [name, words] of [
        ["api", "What it has written can be read when its machine is there."],
        ["bear", "What it shows can be seen when its machine is there."],
      ] as const) {
        await openUnit(phone, name);
        await phone.shows(words);
        await phone.evaluate('location.hash = "#/"');
      }
      await phone.evaluate('location.hash = "#/new"');
      await phone.shows("A session can be started when its machine is there.");
      await phone.evaluate('location.hash = "#/hubs"');
      await inCard(phone, "cloud", "Connect");
      await phone.evaluate('location.hash = "#/"');
      await phone.until(
        'document.querySelectorAll("a.row").length === 2 && !document.querySelector("a.row.stale")',
        "all confirmed again",
      );
      assert.equal(await phone.evaluate("document.documentElement.scrollWidth"), PHONE.width, "nothing sticks out");
      await phone.evaluate('location.hash = "#/hubs"');
      await inCard(phone, "cloud", "Delete");
      await phone.shows("met nowhere else");
      await inCard(phone, "cloud", "Delete cloud");
      await phone.shows("The first one comes with the first pairing");
      assert.deepEqual(await kept(phone), {
        device: 1,
        hubs: 0,
        machines: 0,
        reading: 0,
        rows: 0,
        outbox: 0,
        talks: 0,
      });
      await phone.close();
    },
  );

  test(
    "a code that is wrong is refused in a sentence; what was not agreed to leaves no trace",
    { timeout: TIMEOUT_MS },
    async () => {
      await using house = temporaryHome();
      const hub = await startNamed(house, "attic");
      const other = await Chromium.launch();
      const tab = await other.tab();
      await tab.goto(`${hub.address}/#/pair`);
      const { link, pairing } = await showCode(house, hub.address);
      await paste(tab, "warren://pair?key=MFRGGZDF");
      await tab.shows("names no hub, so nobody knows where the machine is to be found");
      await paste(tab, link.slice(0, -4));
      await tab.shows("is cut off, or a character of it is wrong");
      await paste(tab, link);
      await click(tab, "Cancel");
      await tab.until('document.querySelector(".pair textarea")', "the beginning again");
      assert.deepEqual(await kept(tab), { device: 0, hubs: 0, machines: 0, reading: 0, rows: 0, outbox: 0, talks: 0 });
      await paste(tab, link);
      await click(tab, "Connect"); // with --yes, so that the code is used
      await tab.shows("✓ Joined");
      await pairing.ended;
      const again = await Chromium.launch();
      const late = await again.tab();
      await late.goto(link);
      await click(late, "Connect");
      await late.shows("Nobody waits behind this code");
      assert.deepEqual(await kept(late), { device: 0, hubs: 0, machines: 0, reading: 0, rows: 0, outbox: 0, talks: 0 });
      await again[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    },
  );

  test("a picture of the code is read", { timeout: TIMEOUT_MS }, async () => {
    await using house = temporaryHome();
    const hub = await startNamed(house, "attic");
    const { link, pairing } = await showCode(house, hub.address);
    const tab = await browser.tab();
    await tab.goto(`${hub.address}/#/pair`);
    await tab.until('document.querySelector("input[type=file]")', "where pictures are given");
    const { qr } = encodePairingCode(decodePairingCode(link, { nowSeconds: Date.now() / 1_000, isLocal: true }));
    const gif = Buffer.from(encodeQR(qr, "gif", { scale: 4 })).toString("base64");
    await tab.evaluate(`(() => {
      const bytes = Uint8Array.from(atob(${JSON.stringify(gif)}), (letter) => letter.charCodeAt(0));
      const files = new DataTransfer();
      files.items.add(new File([bytes], "code.gif", { type: "image/gif" }));
      const input = document.querySelector("input[type=file]");
      input.files = files.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    })()`);
    await tab.until('document.querySelector(".card")?.innerText.includes("Fingerprint")', "what the code says");
    assert.deepEqual(tab.complaints, []);
    pairing.child.kill("SIGINT");
    await pairing.ended;
    await tab.close();
  });

  test("of two tabs one speaks with the hubs, and the other takes over", { timeout: TIMEOUT_MS }, async () => {
    await using house = temporaryHome();
    const hub = await startNamed(house, "attic");
    await house.run("add", "--name", "api", "sleep", "1000");
    const first = await browser.tab();
    await pair(first, house, hub);
    await first.until(`${rowNames} === "api"`, "what runs");
    const second = await browser.tab();
    await second.goto(`${hub.address}/`);
    await second.shows("Another tab of this browser speaks with the hubs");
    await second.until('document.querySelectorAll("a.row.stale").length === 1', "what is remembered");
    await click(second, "Use this tab");
    await first.shows("Another tab of this browser speaks with the hubs");
    await house.run("add", "--name", "late", "sleep", "1000");
    await second.until(`${rowNames} === "api,late"`, "what is new");
    await second.close();
    await first.until(`${rowNames} === "api,late" && !document.querySelector("a.row.stale")`, "the first tab goes on");
    await first.close();
  });

  test("what a machine left while nobody looked is there when it is away", { timeout: TIMEOUT_MS }, async () => {
    await using owner = temporaryHome();
    await using house = temporaryHome();
    const hub = await startNamed(owner, "attic");
    await house.run("add", "--name", "api", "sleep", "1000");
    let tab = await browser.tab();
    await pair(tab, house, hub);
    await tab.until(`${rowNames} === "api"`, "what runs");
    await leave(tab, owner);
    await house.run("add", "--name", "late", "sleep", "1000");
    await unitsAreTold(house, 2);
    const [keeper, server] = await Promise.all([house.keeper(), house.server()]);
    killProcess(keeper);
    killProcess(server);
    tab = await browser.tab();
    await tab.goto(`${hub.address}/`);
    await tab.until(`${rowNames} === "api,late" && document.querySelectorAll("a.row.stale").length === 2`, "both");
    await openUnit(tab, "late");
    await tab.shows("The rest of it can be seen when its machine is there");
    await house.run("list"); // starts its server
    await tab.shows("Started by");
    await tab.close();
  });
});

const paste = async (tab: Tab, text: string): Promise<void> => {
  await tab.until(
    '(document.querySelector(".pair textarea")?.focus(), document.querySelector(".pair textarea"))',
    "where a link is pasted",
  );
  await tab.evaluate('document.querySelector(".pair textarea").select()');
  await tab.insert(text);
  await click(tab, "Read the code");
};

/** Clicks a button of one hub's card. */
const inCard = (tab: Tab, hub: string, name: string): Promise<void> =>
  tab.until(
    `(() => { const card = [...document.querySelectorAll(".hub-list .card")].find((one) => one.querySelector("h2")?.textContent === ${JSON.stringify(hub)}); const found = [...(card?.querySelectorAll("button") ?? [])].find((one) => one.textContent === ${JSON.stringify(name)}); found?.click(); return found; })()`,
    `${name}, of the hub ${hub}`,
  );

/** How much the browser keeps, by table. */
const kept = (tab: Tab): Promise<Record<string, number>> =>
  tab.evaluate(`new Promise((resolve, reject) => {
    const open = indexedDB.open("warren-device");
    open.onerror = () => reject(open.error);
    open.onsuccess = () => {
      const database = open.result;
      const names = [...database.objectStoreNames];
      const counts = {};
      const transaction = database.transaction(names);
      for (const name of names) transaction.objectStore(name).count().onsuccess = ({ target }) => { counts[name] = target.result; };
      transaction.oncomplete = () => { database.close(); resolve(counts); };
    };
  })`);
