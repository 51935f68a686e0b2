import { after, before, describe, test } from "node:test";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { temporaryHome } from "./harness/home.ts";
import { HubHouse } from "./harness/hub-house.ts";
import { killProcess } from "./harness/processes.ts";
import { click, openUnit, TERMINAL_TEXT, Web } from "./harness/web.ts";
import { pairTab } from "./harness/web-pairing.ts";

/** Terminals of the page in the moments that are not the usual ones, in a real browser. */
const TIMEOUT_MS = 90_000;
const PHONE = { width: 390, height: 844 };
/** Longer than a terminal waits for its first answer. */
const FIRST_ANSWER_MS = 6_000;

const terminalShows = (tab: Tab, text: string): Promise<void> =>
  tab.until(`${TERMINAL_TEXT}.includes(${JSON.stringify(text)})`, `${text} in the terminal`);

describe("web: terminals", { skip: missingChromium(), timeout: 4 * TIMEOUT_MS }, () => {
  let browser: Chromium;
  before(async () => {
    browser = await Chromium.launch();
  });
  after(() => browser[Symbol.asyncDispose]());

  test(
    "ctrl of the key bar is for the next key, whatever the terminal itself says before it",
    { timeout: TIMEOUT_MS },
    async () => {
      await using web = await Web.start();
      const program = "printf '\\033[?1004hready '; stty raw -echo; cat -v";
      await web.house.run("new", "--detached", "--name", "bear", "sh", "-c", program);
      const tab = await web.tab(browser, PHONE);
      await openUnit(tab, "bear");
      await terminalShows(tab, "ready");
      await tab.evaluate("document.activeElement.blur()");
      await click(tab, "Control"); // gives the terminal the focus, which it tells its program
      await terminalShows(tab, "^[[I");
      await tab.insert("g");
      await terminalShows(tab, "^G");
      await tab.insert("g");
      await terminalShows(tab, "^Gg");
      await tab.close();
    },
  );

  test(
    "a terminal whose machine was away for longer than it waits is there when the machine is",
    { timeout: TIMEOUT_MS },
    async () => {
      await using hub = await HubHouse.open();
      await using house = temporaryHome();
      const tab = await browser.tab();
      await pairTab(tab, house, hub.address);
      await house.run("new", "--detached", "--name", "bear", "sh", "-c", "echo growl; exec sleep 1000");
      await click(tab, "All units");
      await tab.shows("bear");
      await hub.end("SIGKILL");
      await tab.shows("not connected, last confirmed");
      await openUnit(tab, "bear");
      await tab.evaluate(`new Promise((go) => setTimeout(go, ${FIRST_ANSWER_MS}))`);
      await hub.start();
      await tab.evaluate('document.querySelector(".connection button")?.click()');
      await tab.shows("○ connected"); // the machine looks for its hub in its own time
      await terminalShows(tab, "growl");
      await tab.close();
    },
  );

  test(
    "a terminal that could not be opened is opened when its machine is there again",
    { timeout: TIMEOUT_MS },
    async () => {
      await using web = await Web.start();
      await web.house.run("new", "--detached", "--name", "bear", "sh", "-c", "echo growl; exec sleep 1000");
      const tab = await web.tab(browser);
      await tab.shows("bear");
      const server = await web.house.server();
      process.kill(server.pid, "SIGSTOP");
      try {
        await openUnit(tab, "bear");
        await tab.until('document.querySelector(".terminal .tone-bad")', "why it is not there");
      } finally {
        process.kill(server.pid, "SIGCONT");
      }
      killProcess(server);
      await web.house.run("ping");
      await terminalShows(tab, "growl");
      await tab.until('document.querySelector(".terminal .tone-bad") === null', "nothing that is wrong");
      await tab.close();
    },
  );
});
