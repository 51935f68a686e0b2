import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { HubStatus } from "../src/protocol/hub-control.ts";
import { assertAccessible } from "./harness/axe.ts";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { killProcess } from "./harness/processes.ts";
import { talkIsTold } from "./harness/told-talks.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { click, openUnit } from "./harness/web.ts";

/** The conversation of an agent whose machine has died, in a real browser that was not there when it was spoken. */
const TIMEOUT_MS = 120_000;
const NARROW = { width: 360, height: 740 };
const PICTURES = process.env.WARREN_PAGE_PICTURES;
const SCRIPTED = join(import.meta.dirname, "..", "examples", "agents", "scripted.ts");

const run = async (house: TemporaryHome, ...args: string[]): Promise<string> => {
  const { status, stdout, stderr } = await house.warren(args);
  assert.equal(status, 0, stdout + stderr);
  return stdout;
};

async function startHub(hub: TemporaryHome): Promise<string> {
  const running = hub.start(["hub", "--port", "0", "--json", "--open"], { deadlineMs: TIMEOUT_MS });
  const { port } = JSON.parse(await running.shows(/\}\n/)) as Pick<HubStatus, "port">;
  return `http://127.0.0.1:${port}`;
}

async function pair(tab: Tab, house: TemporaryHome, address: string): Promise<void> {
  const pairing = house.start(["pair", "--hub", address, "--yes", "--json"], { deadlineMs: TIMEOUT_MS });
  const { link } = JSON.parse(await pairing.shows(/\}\n/)) as { link: string };
  await tab.goto(link);
  await click(tab, "Connect");
  await tab.shows("✓ Joined");
  assert.equal((await pairing.ended).status, 0);
}

const said = (tab: Tab): Promise<string[]> =>
  tab.evaluate('[...document.querySelectorAll(".items .said")].map((one) => one.innerText.trim())');

test(
  "what an agent has said is read after its machine was killed, by a page that was not open then; the machine's own word takes its place",
  { skip: missingChromium(), timeout: TIMEOUT_MS },
  async () => {
    await using browser = await Chromium.launch();
    await using hub = temporaryHome();
    await using house = temporaryHome();
    const address = await startHub(hub);
    let tab = await browser.tab(NARROW);
    await pair(tab, house, address);
    await tab.close();
    const devices = async (): Promise<number> =>
      (JSON.parse(await run(hub, "hub", "status", "--json")) as HubStatus).connections.devices;
    await waitUntil(async () => (await devices()) === 0, { what: "the page to be gone" });
    writeFileSync(join(house.dir, "agent.mjs"), `await import(${JSON.stringify(SCRIPTED)});\n`);
    await run(house, "new", "--detached", "--name", "fox", "--agent", `${process.execPath} agent.mjs`);
    await run(house, "prompt", "fox", "say The build is red.\nsay I look at it.");
    await run(house, "wait", "fox", "--for", "idle");
    await talkIsTold(house, "fox");
    const isOnce = async (why: string): Promise<void> => {
      const texts = await said(tab);
      // The prompt, and what was said of it.
      assert.equal(
        texts.filter((text) => text.includes("The build is red.")).length,
        2,
        `${why}: ${texts.join(" | ")}`,
      );
    };

    const { pid } = await house.server();
    process.kill(pid, "SIGSTOP");
    try {
      tab = await browser.tab(NARROW);
      await tab.goto(`${address}/`);
      await openUnit(tab, "fox");
      await tab.shows("As its machine left it, as of");
      await tab.shows("I look at it.");
      await isOnce("as it was left");
      await assertAccessible(tab, "the conversation of a machine that is away");
      if (PICTURES !== undefined) await tab.screenshot(join(PICTURES, "away-conversation.png"));
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await tab.until('document.querySelector(".items .said") && !document.querySelector(".kept-talk")', "the machine");
    await isOnce("by the machine itself");
    await tab.close();
    await waitUntil(async () => (await devices()) === 0, { what: "the page to be gone" });

    await run(house, "prompt", "fox", "say It is green.");
    await run(house, "wait", "fox", "--for", "idle");
    await talkIsTold(house, "fox");
    for (const one of await Promise.all([house.keeper(), house.server()])) killProcess(one);
    tab = await browser.tab(NARROW);
    await tab.goto(`${address}/`);
    await openUnit(tab, "fox");
    await tab.shows("It is green.");
    await tab.shows("As its machine left it, as of");
    await isOnce("after the machine was killed");
    assert.deepEqual(tab.complaints, []);
    await tab.close();
  },
);
