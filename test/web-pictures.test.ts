import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Chromium, missingChromium, type Tab } from "./harness/chromium.ts";
import { HubHouse } from "./harness/hub-house.ts";
import { RemoteMachine } from "./harness/remote-machine.ts";
import { click, openUnit, TERMINAL_TEXT } from "./harness/web.ts";

/** The pictures of docs/: `WARREN_SCREENSHOTS=1 node --test test/web-pictures.test.ts`, as root (the machines get names and an owner of their own). */
const DOCS = join(import.meta.dirname, "..", "docs");
const SIZES = {
  phone: { width: 390, height: 844, scale: 1.5 },
  desktop: { width: 1_280, height: 800, scale: 1 },
};
type Size = keyof typeof SIZES;
/** Each picture more is to be looked at, and is in every checkout. */
const PHONE_ALONE: readonly string[] = ["first", "inbox", "terminal"];
const SCHEMES = ["light", "dark"] as const;

const WEB = `import { createServer } from "node:http";
createServer((_request, response) => response.end("hello")).listen(3000, () => console.log("http://localhost:3000"));
setInterval(() => console.log("GET / 200 " + (3 + Math.floor(Math.random() * 9)) + " ms"), 700);
`;
/** What is typed, and what of its output is waited for. */
const TERMINAL = [
  ["clear; ls", "web.mjs"],
  ["cat greeting.ts", "export const"],
] as const;

const OWL = `say The page says *hallo*; the others say \`hello\`. I **mend** it.
plan [x] find the text; [x] mend it; [~] deploy
edit greeting.ts s/hallo/hello/
ask "npm run deploy" allow|always|deny
say Deployed.
`;

interface Scene {
  browser: Chromium;
  attic: HubHouse;
  laptop: RemoteMachine;
  desk: RemoteMachine;
}

async function furnish({ laptop, desk }: Scene): Promise<void> {
  writeFileSync(join(laptop.project, "web.mjs"), WEB);
  writeFileSync(join(laptop.project, "greeting.ts"), 'export const greeting = "hallo";\n');
  await laptop.run("add", "--name", "web", process.execPath, "web.mjs");
  await laptop.run("add", "--name", "test", "sh", "-c", "echo 'expected 4, got 5' >&2; exit 1");
  await laptop.run("new", "--detached", "--name", "bear", "sh");
  await laptop.agent("owl", OWL);
  await laptop.run("prompt", "owl", "The page says hallo. Mend it and deploy.");
  await desk.run("add", "--name", "api", "sh", "-c", "echo listening; exec sleep 1000");
  await desk.agent("cat", "title Reading the logs of last night\nsay I look at them.\nuntil never\n");
  await desk.run("prompt", "cat", "Why was last night's run slow?");
  await desk.run("new", "--detached", "--name", "fox", "vim", "notes.md");
  await desk.run("mail", "send", "you", "the nightly run is green again");
}

async function letIn({ browser, laptop, desk, attic }: Scene, cloud: HubHouse): Promise<void> {
  for (const [machine, hub] of [
    [laptop, attic],
    [laptop, cloud],
    [desk, cloud],
  ] as const) {
    const { pairing, link } = await machine.code(hub.address, "type,approve,admin");
    const tab = await browser.tab();
    await tab.goto(`${attic.address}/`);
    await tab.goto(`${attic.address}/${new URL(link).hash}`);
    await click(tab, "Connect");
    await tab.shows("✓ Joined");
    await pairing.ended;
    await tab.close();
  }
}

async function take(tab: Tab, size: Size, name: string): Promise<void> {
  if (size === "desktop" && PHONE_ALONE.includes(name)) return;
  for (const scheme of SCHEMES) {
    await tab.prefer(scheme);
    await tab.evaluate("document.activeElement?.blur()");
    await tab.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
    await tab.screenshot(join(DOCS, `web-${name}${size === "phone" ? "-phone" : ""}-${scheme}.png`));
  }
}

async function goTo(tab: Tab, page: string): Promise<void> {
  await tab.evaluate(`location.hash = "#/${page}"`);
  if (page === "") return tab.until('document.querySelector("a.row")', "the list");
  await tab.until('document.querySelector(".page h1") && !document.body.innerText.includes("Loading")', page);
}

test(
  "pictures of the app for docs/",
  {
    skip: missingChromium() || (process.env.WARREN_SCREENSHOTS ? false : "WARREN_SCREENSHOTS is not set"),
    timeout: 180_000,
  },
  async () => {
    await using laptop = new RemoteMachine("laptop", { name: "anna", project: "site" });
    await using desk = new RemoteMachine("desk", { name: "anna", project: "api" });
    await using attic = await HubHouse.open({ args: ["--label", "attic"] });
    await using cloud = await HubHouse.open({ args: ["--label", "cloud"] });
    await using browser = await Chromium.launch();
    const scene: Scene = { browser, attic, laptop, desk };
    await furnish(scene);

    const { link, pairing } = await laptop.code(attic.address, "type,approve");
    for (const size of ["phone", "desktop"] as const) {
      const stranger = await browser.tab(SIZES[size]);
      await stranger.goto(`${attic.address}/`);
      await stranger.shows("No machine lets this browser in yet");
      await take(stranger, size, "first");
      await stranger.goto(`${attic.address}/${new URL(link).hash}`);
      await stranger.shows("Connecting to a new hub");
      await take(stranger, size, "pair");
      await stranger.close();
    }
    pairing.child.kill("SIGINT");
    await pairing.ended;

    await letIn(scene, cloud);
    for (const size of ["phone", "desktop"] as const) {
      const tab = await browser.tab(SIZES[size]);
      await tab.goto(`${attic.address}/`);
      await tab.until(
        'document.querySelectorAll("a.row").length === 7 && !document.querySelector("a.row.stale")',
        "all units",
      );
      await tab.shows("2/2 hubs");
      await take(tab, size, "list");
      await goTo(tab, "hubs");
      await take(tab, size, "hubs");
      await goTo(tab, "devices");
      await tab.until('document.querySelectorAll(".device").length === 2', "devices of both");
      await take(tab, size, "devices");
      await goTo(tab, "inbox");
      await tab.shows("npm run deploy");
      await take(tab, size, "inbox");
      await goTo(tab, "");
      await openUnit(tab, "owl");
      await tab.until('document.querySelector(".permission")', "the question");
      await take(tab, size, "agent");
      if (size === "phone") await click(tab, "Back to all units");
      await openUnit(tab, "bear");
      await tab.until(`${TERMINAL_TEXT}.includes("#")`, "the terminal");
      await tab.evaluate('document.querySelector(".xterm-helper-textarea").focus()');
      for (const [line, output] of TERMINAL) {
        await tab.insert(line);
        await tab.press("Enter");
        await tab.until(`${TERMINAL_TEXT}.includes(${JSON.stringify(output)})`, output);
        await tab.until(`/\\n# *$/.test(${TERMINAL_TEXT}.trimEnd())`, "the prompt");
      }
      await take(tab, size, "terminal");
      await tab.close();
    }
  },
);
