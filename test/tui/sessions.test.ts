import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { variant } from "../harness/build-copy.ts";
import { suspended } from "../harness/faults.ts";
import { eventually, House, missing, type Screen } from "./terminal-under-test.ts";

/** The picker in a real terminal, with real servers and sessions. */

const skip = missing();
const SHELL = ["--", "env", "PS1=in-session> ", "sh"];
const UNDER_CURSOR = "\x1b[7m";

test("the picker shows two servers; enter attaches, ctrl-\\ d comes back to the same row", { skip }, async () => {
  await using house = await House.open();
  const old = variant({ hash: "old0001", newerByMs: -60_000 });
  await house.warrenOf(old, "new", "--detached", "--name", "fox", ...SHELL);
  await house.warren("new", "--detached", "--name", "bear", ...SHELL);
  const screen = await house.screen();
  await pick(screen);
  const text = await screen.until(/v\S+ old0001 +◌ old code/, /🦊 fox/, /🐻 bear/, /\+ New session {2}\(latest: /);
  assert.ok(text.indexOf("bear") < text.indexOf("fox"), "the primary's sessions first");
  await cursorOn(house, screen, "+ New session");

  await screen.keys("Down", "Down");
  await cursorOn(house, screen, "fox");
  await screen.until(/in-session>/, /80×24/);
  await screen.keys("Enter");
  await screen.until((shown) => !shown.includes("New session"), /in-session>/);
  await screen.type("echo typed $((40+2))");
  await screen.keys("Enter");
  await screen.until(/typed 42/);
  await screen.keys("C-\\", "d");
  await screen.until(/New session/, /│typed 42/);
  await cursorOn(house, screen, "fox");
  assert.equal(await screen.modes(), "1100");

  await screen.keys("v");
  await screen.until((shown) => !shown.includes("New session"), /typed 42/);
  await screen.keys("C-\\", "d");
  await screen.until(/New session/);
  await cursorOn(house, screen, "fox");

  await screen.keys("m");
  await screen.until(/fox is on \w+ now/, /\(none\)/, (shown) => shown.indexOf("fox") < shown.indexOf("old0001"));
  await cursorOn(house, screen, "fox");

  await screen.keys("/");
  await screen.type("reload");
  await screen.keys("Enter");
  await screen.until(/\w+ reloaded: \S+ generation 2/);
  await screen.until(/🦊 fox/, (shown) => !shown.includes("no answer"));
  await cursorOn(house, screen, "fox");
});

test("the first line starts the shell here, attaches, and it stays when one comes back", { skip }, async () => {
  await using house = await House.open();
  await house.warren("new", "--detached", "--name", "bear", ...SHELL);
  const screen = await house.screen({ env: { SHELL: "/bin/sh" } });
  await pick(screen);
  await screen.keys("Enter");
  await screen.until(/ready>/, (shown) => !shown.includes("New session"));
  await screen.type("pwd; echo $COLUMNS; stty size");
  await screen.keys("Enter");
  await screen.until(/\/project-/, /36 120/);
  await screen.keys("C-\\", "d");
  await screen.until(/New session/, (shown) => sessionRows(shown) === 2);
  assert.equal(JSON.parse(await house.warren("sessions", "--json")).length, 2);
  await screen.keys("q");
  await screen.until(/ended 0/);
  assert.equal(await screen.modes(), "0011");
});

test("stop asks, rename and resume do it, y copies, ended ones are shown on demand", { skip }, async () => {
  await using house = await House.open();
  await house.warren("new", "--detached", "--name", "bear", ...SHELL);
  await house.warren("new", "--detached", "--name", "fox", "--", "sleep", "1000");
  const screen = await house.screen();
  await pick(screen);
  await find(screen, "fox");
  await cursorOn(house, screen, "fox");
  await screen.keys("y");
  await screen.until(/fox copied/);
  const copied = await eventually(
    () => screen.clipboard(),
    (text) => text !== "",
    () => "nothing was copied",
  );
  assert.equal(copied, "fox");

  await screen.keys("R");
  await screen.until(/rename fox/);
  await screen.keys("C-u");
  await screen.type("otter");
  await screen.keys("Enter");
  await screen.until(/fox is now otter/, /🦦 otter/);
  await cursorOn(house, screen, "otter");

  await screen.keys("s");
  await screen.until(/press s again: stop otter/);
  await screen.keys("s");
  await screen.until(/otter stopped/, (shown) => !shown.includes("🦦 otter"));
  await screen.keys(".");
  await screen.until(/│ended /, /🦦 otter .*stopped/);
  await find(screen, "otter");
  await cursorOn(house, screen, "otter");
  await screen.keys("r");
  await screen.until(/otter resumed on/, /80×24/, (shown) => !/otter .*stopped/.test(shown));
  await cursorOn(house, screen, "otter");
});

test(
  "what jobs and sessions use stands in the list of a wide screen, and comes again with the next look",
  { skip },
  async () => {
    await using house = await House.open();
    await house.warren("add", "--name", "web", "sleep", "1000");
    await house.warren("new", "--detached", "--name", "bear", ...SHELL);
    const screen = await house.screen({ columns: 160 });
    await pick(screen);
    await screen.until(/◉ web .*working +\d+% +[\d.]+ [KM]B/, /🐻 bear .*idle +\d+% +[\d.]+ [KM]B/);
    await house.warren("new", "--detached", "--name", "fox", ...SHELL);
    await screen.until(/🦊 fox .*idle +\d+% +[\d.]+ [KM]B/);
  },
);

test("a session that rings after it went quiet needs you, with its glyph", { skip }, async () => {
  await using house = await House.open();
  const rings = "mkfifo go; echo waiting; read line < go; printf '\\a'; sleep 1000";
  await house.warren("new", "--detached", "--name", "fox", "--", "sh", "-c", rings);
  const screen = await house.screen();
  await pick(screen);
  await screen.until(/○ 🦊 fox .*idle/);
  await house.warren("run", "--", "sh", "-c", "echo > go");
  await screen.until(/◆ 🦊 fox .*rang the bell.* needs you/, /◆ 1/);
});

test("a server that is killed is replaced, and its session stays under the cursor", { skip }, async () => {
  await using house = await House.open();
  await house.warren("new", "--detached", "--name", "fox", ...SHELL);
  const screen = await house.screen();
  await pick(screen);
  await screen.until(/🦊 fox/);
  await screen.keys("Down");
  await screen.until(/│in-session>/);
  process.kill(pidOfServer(house), "SIGKILL");
  await house.warren("send", "fox", "--enter", "echo after $((1+1))");
  await screen.until(/│after 2/, /🦊 fox/, (shown) => !/no answer|reconnecting/.test(shown));
  await cursorOn(house, screen, "fox");
});

test("a server that hangs is said not to answer, and then answers again", { skip }, async () => {
  await using house = await House.open();
  await house.warren("new", "--detached", "--name", "fox", ...SHELL);
  const screen = await house.screen();
  await pick(screen);
  {
    using _ = suspended(pidOfServer(house));
    await screen.until(/no answer/, /🦊 fox/);
  }
  await screen.until((shown) => !shown.includes("no answer"), /🦊 fox/);
});

test(
  "SIGTERM while a session has the terminal: it is as it was before, and the session goes on",
  { skip },
  async () => {
    await using house = await House.open();
    await house.warren("new", "--detached", "--name", "fox", ...SHELL);
    const screen = await house.screen();
    await pick(screen);
    await screen.until(/🦊 fox/);
    await screen.keys("Down", "Enter");
    await screen.until(/^in-session>/m, (shown) => !shown.includes("New session"));
    process.kill(await screen.pid(), "SIGTERM");
    await screen.until(/ended 143/);
    assert.equal(await screen.modes(), "0011");
    await screen.type("echo typed here");
    await screen.until(/echo typed here/);
    assert.equal(JSON.parse(await house.warren("sessions", "--json")).length, 1);
  },
);

test("60×15, and without glyphs", { skip }, async () => {
  await using house = await House.open();
  await house.warren("new", "--detached", "--name", "fox", ...SHELL);
  await house.warren("add", "--name", "web", "--", "sleep", "1000");
  const screen = await house.screen({ columns: 60, rows: 15, env: { WARREN_NO_EMOJI: "1" } });
  await pick(screen);
  await screen.until(/ fox /, /\* web/);
  await screen.keys("Down");
  const text = await screen.until(/[*o] fox/, /\* web/, /in-session>/, /nobody attached/);
  assert.match(text, /^[\x20-\x7e\n…·]*$/);
  assert.ok(text.split("\n").every((row) => row.length <= 60));
});

/** `warren` alone. */
const pick = (screen: Screen): Promise<string> => screen.open(/\+ New session[\s\S]*q quit/, "");

const sessionRows = (text: string): number => text.split("\n").filter((row) => /^.[◉○◐◆] /.test(row)).length;

/** An escape that comes with the next key would be that key with alt. */
async function find(screen: Screen, text: string): Promise<void> {
  await screen.until(new RegExp(`${text} `));
  await screen.keys("/");
  await screen.type(text);
  await screen.keys("Enter");
  await screen.until(/esc ends/);
  await screen.keys("Escape");
  await screen.until(/q quit/);
}

async function cursorOn(house: House, screen: Screen, text: string): Promise<void> {
  await eventually(
    () => house.tmux("capture-pane", "-p", "-e", "-t", screen.name),
    (styled) => styled.split("\n").some((row) => row.includes(UNDER_CURSOR) && row.includes(text)),
    (styled) => `the cursor never stood on ${text}:\n${styled}`,
  );
}

function pidOfServer(house: House): number {
  const dir = join(house.dir, "home", "servers");
  const [file] = readdirSync(dir).filter((name) => name.endsWith(".json"));
  return JSON.parse(readFileSync(join(dir, file!), "utf8")).pid;
}
