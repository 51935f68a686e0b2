import assert from "node:assert/strict";
import { test } from "node:test";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { temporaryHome } from "./harness/home.ts";
import { startHub } from "./harness/hub-process.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { click } from "./harness/web.ts";
import { pairTab } from "./harness/web-pairing.ts";

/** The list of a page that was here before: it stands there before any of the browser's databases has answered, and nothing moves when they do. */
const TIMEOUT_MS = 90_000;

/** The databases answer when they are let, if the tab wants it so; else as ever. */
const HOLD_DATABASES = `(() => {
  const held = (globalThis.held = []);
  globalThis.letDatabases = () => { for (const go of held.splice(0)) go(); };
  if (!location.protocol.startsWith("http") || sessionStorage.getItem("hold") !== "yes") return;
  const open = IDBFactory.prototype.open;
  let isHeld = true;
  IDBFactory.prototype.open = function (...given) {
    if (!isHeld) return open.apply(this, given);
    const request = new EventTarget();
    held.push(() => {
      isHeld = false;
      const real = open.apply(this, given);
      Object.defineProperties(request, { result: { get: () => real.result }, error: { get: () => real.error } });
      for (const type of ["success", "error", "upgradeneeded"])
        real.addEventListener(type, () => request.dispatchEvent(new Event(type)));
    });
    return request;
  };
})()`;

/** How many jobs of machines the database has. */
const KEPT_JOBS = `new Promise((resolve) => {
  const opening = indexedDB.open("warren");
  opening.onsuccess = () => {
    const reading = opening.result.transaction("homes").objectStore("homes").getAll();
    reading.onsuccess = () => {
      opening.result.close();
      resolve(reading.result.reduce((sum, { jobs }) => sum + jobs.size, 0));
    };
  };
})`;

const rows = (tab: Tab): Promise<string[]> =>
  tab.evaluate(
    `[...document.querySelectorAll("a.row")].map((row) => row.dataset.key + " " + row.querySelector("b").textContent)`,
  );
const isBusy = (is: boolean): string => `document.querySelector('ul.rows[aria-busy="${is}"]')`;

test(
  "web: rows stand there before the browser's databases answer, as of the time of which they are, and stay where they are",
  { skip: missingChromium(), timeout: TIMEOUT_MS },
  async () => {
    await using browser = await Chromium.launch();
    await using house = temporaryHome();
    const { address } = await startHub(house);
    for (const name of ["owl", "api", "fox"]) {
      await house.run("add", "--name", name, "sleep", "1000");
    }
    const tab = await browser.tab();
    await tab.beforeEachDocument(HOLD_DATABASES);
    await pairTab(tab, house, address);
    await click(tab, "All units");
    await tab.until('document.querySelectorAll("a.row").length === 3', "the list");
    await waitUntil(async () => (await tab.evaluate(KEPT_JOBS)) === 3, { what: "the home in the browser's database" });
    await tab.evaluate('sessionStorage.setItem("hold", "yes")');

    await tab.goto("about:blank");
    await tab.goto(`${address}/`);
    await tab.until("globalThis.held?.length > 0", "the app asks for its databases");
    await tab.until(isBusy(true), "the list, of which more is being looked up");
    const first = await rows(tab);
    assert.deepEqual(
      first.map((row) => row.split(" ")[1]),
      ["api", "fox", "owl"],
    );
    assert.equal(await tab.evaluate('document.querySelector("ul.rows").ariaLabel'), "3 units");
    const ages = await tab.evaluate<string[]>(
      '[...document.querySelectorAll("a.row .age")].map((age) => age.textContent)',
    );
    for (const age of ages) assert.match(age, /^last confirmed \d/, "nothing is said to be so now");
    assert.equal(await tab.evaluate('document.querySelectorAll(".tone-bad, [role=alert]").length'), 0);

    await tab.evaluate('globalThis.before = [...document.querySelectorAll("a.row")]; void letDatabases()');
    // The app's two databases are opened one after the other.
    await tab.until(`(letDatabases(), ${isBusy(false)})`, "the whole list");
    assert.deepEqual(await rows(tab), first);
    assert.ok(
      await tab.evaluate('[...document.querySelectorAll("a.row")].every((row, at) => row === before[at])'),
      "the same rows, not others in their place: who has the focus on one keeps it",
    );
    await tab.until('document.querySelectorAll("a.row.stale").length === 0', "its machine, which is there");
    assert.deepEqual(tab.complaints, []);
  },
);
