import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { AGENTS, FIRST_PROMPT, newAgent, webApp } from "../scripts/demo-story.mjs";
import { Chromium, missingChromium } from "./harness/chromium.ts";
import { RemoteMachine } from "./harness/remote-machine.ts";
import { openUnit } from "./harness/web.ts";

/**
 * The two pictures of the README's first screen, of the demo as a browser shows it: `WARREN_SCREENSHOTS=1 node --test test/demo-pictures.test.ts`, as root (the machine gets a name and
 * an owner), with ports 8080 and 7118 free.
 */
const ROOT = join(import.meta.dirname, "..");
const PICTURES = [
  { name: "demo-desktop", size: { width: 1_280, height: 800, scale: 1 } },
  { name: "demo-phone", size: { width: 390, height: 844, scale: 1.5 } },
];

async function tellStory(machine: RemoteMachine): Promise<void> {
  cpSync(join(ROOT, "examples"), machine.project, { recursive: true });
  cpSync(join(machine.project, "site/page.template.html"), join(machine.project, "site/page.html"));
  // The agents type `warren` too.
  const bin = join(machine.house.base, "warren");
  const script = readFileSync(bin, "utf8").replace("\n", `\nexport PATH=${join(ROOT, "bin")}:$PATH\n`);
  writeFileSync(bin, script);
  await machine.run("up", "--detach");
  for (const name of AGENTS) await machine.run(...newAgent(name));
  await machine.run(...webApp("7118"));
  await machine.run(...FIRST_PROMPT);
  await machine.run("wait", "owl", "--for", "needs-you", "--timeout", "60s");
}

test(
  "pictures of the demo in a browser, for the README",
  {
    skip: missingChromium() || (process.env.WARREN_SCREENSHOTS ? false : "WARREN_SCREENSHOTS is not set"),
    timeout: 120_000,
  },
  async () => {
    await using machine = new RemoteMachine("laptop", { name: "anna", project: "site" });
    await tellStory(machine);
    await using browser = await Chromium.launch();
    for (const { name, size } of PICTURES) {
      const link = (await machine.run("logs", "app")).match(/http\S+/g)!.at(-1)!;
      const tab = await browser.tab(size);
      await tab.prefer("dark");
      await tab.goto(link);
      await tab.until('document.querySelectorAll("a.row").length > 0', "the list");
      await openUnit(tab, "owl");
      await tab.until('document.querySelector(".permission")', "the question");
      await tab.evaluate("document.activeElement?.blur()");
      await tab.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
      await tab.screenshot(join(ROOT, "docs", `${name}.png`));
      await tab.close();
    }
  },
);
