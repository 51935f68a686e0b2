import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually, House, missing, placeOf } from "./terminal-under-test.ts";

const skip = missing();
const NUMBERS = "i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo number $i.; done; sleep 1000";
const UNTIL_STOPPED = "sleep 1000";

test("two screens and the command line see each other's changes without reload", { skip }, async () => {
  await using house = await House.open();
  const [left, right] = [await house.screen(), await house.screen()];
  await left.open(/Nothing runs here yet/);
  await right.open(/Nothing runs here yet/);

  await house.warren("add", "--name", "web", "--", "sh", "-c", UNTIL_STOPPED);
  for (const screen of [left, right]) await screen.until(/◉ web .*working/);

  await left.keys("s");
  await left.until(/web stopped/);
  await right.until(/◼ web .*stopped/);
  assert.match(await house.warren("list"), /stopped/);

  await right.keys("r");
  await left.until(/◉ web .*working/, /2 runs/);

  await right.keys("n");
  await right.until(/new job/);
  await right.type("sleep 2000");
  await right.keys("Enter");
  await left.until(/◉ sleep 2000/);

  await left.keys("S");
  await left.until(/web killed/);
  await left.keys("d");
  await left.until(/press d again: remove web with 2 runs/);
  await left.keys("d");
  await left.until(/web removed/);
  await right.until((text) => !/ web /.test(text));
  assert.doesNotMatch(await house.warren("list"), /web/);
});

test("the log follows, scrolls, and is searched through windows", { skip }, async () => {
  await using house = await House.open();
  await house.warren("add", "--name", "counter", "--", "sh", "-c", NUMBERS);
  const screen = await house.screen();
  await screen.open(/number 500\./);
  await screen.until(/\[following\]/);

  await screen.keys("Enter", "g");
  await screen.until(/│number 1\. /, (text) => !text.split("\n")[0]!.includes("[following]"));
  await screen.keys("/");
  await screen.until(/^\//m);
  await screen.type("number 250.");
  await screen.keys("Enter");
  await screen.until(/"number 250\." +n next/, /│number 250\./);
  await screen.keys("Escape");
  await screen.until(/q quit/);
  await screen.keys("G");
  await screen.until(/│number 500\./, (text) => text.split("\n")[0]!.includes("[following]"));
});

test("a running job's lines appear as they are written", { skip }, async () => {
  await using house = await House.open();
  const steps = "while read line; do echo got $line; echo err $line >&2; done < fifo";
  await house.warren("add", "--", "sh", "-c", `mkfifo fifo; ${steps}; sleep 1000`);
  const screen = await house.screen();
  await screen.open(/no output yet/);
  await house.warren("run", "--", "sh", "-c", "until [ -p fifo ]; do sleep 0.1; done; echo hello > fifo");
  await screen.until(/got hello/, /err hello/);
});

test("it resizes live, down to 60×15, and says when it is too small", { skip }, async () => {
  await using house = await House.open();
  await house.warren("add", "--name", "web", "--", "sh", "-c", `echo listening; ${UNTIL_STOPPED}`);
  const screen = await house.screen();
  await screen.open(/listening/);
  await screen.resize(60, 15);
  const small = await screen.until(/◉ web/, /listening/, /\[3\]/, (text) => !text.includes("[2]"));
  assert.ok(small.split("\n").every((row) => [...row].length <= 60));
  await screen.resize(40, 10);
  await screen.until(/needs 60×15/);
  await screen.resize(140, 40);
  await screen.until(/◉ web/, /listening/, /\[2\]/, /\[5\]/, (text) => !text.includes("needs"));
});

test("the palette finds a verb by a few letters and runs it; help shows this panel's keys", { skip }, async () => {
  await using house = await House.open();
  await house.warren("add", "--name", "web", "--", "sh", "-c", UNTIL_STOPPED);
  const screen = await house.screen();
  await screen.open(/◉ web/);
  await screen.keys(":");
  await screen.until(/commands/);
  await screen.type("why");
  await screen.until(/why: how it ended/);
  await screen.keys("Enter");
  await screen.until(/why: web/, /It is running/);
  await screen.keys("Escape");
  await screen.until((text) => !text.includes("It is running"));
  await screen.keys("?");
  await screen.until(/scroll stdout from here/);
});

test("mouse: the wheel scrolls the log, a click selects, dragging copies lines", { skip }, async () => {
  await using house = await House.open();
  await house.warren("add", "--name", "aaa", "--", "sh", "-c", NUMBERS);
  await house.warren("add", "--name", "bbb", "--", "sh", "-c", "echo only this; sleep 1000");
  const screen = await house.screen();
  await screen.open(/number 500\./);
  const last = placeOf(await screen.text(), "number 500.");
  await screen.mouse(64, last.x, last.y);
  const scrolled = await screen.until(/│number 497\. /, (text) => !text.includes("number 498."));
  assert.ok(!scrolled.includes("[following] "), "scrolling up leaves following");

  const from = placeOf(scrolled, "number 495.");
  await screen.mouse(0, from.x, from.y);
  await screen.mouse(32, from.x, from.y + 1);
  await screen.mouse(0, from.x, from.y + 1, "m");
  await screen.until(/2 lines copied/);
  const copied = await eventually(
    () => screen.clipboard(),
    (text) => text !== "",
    () => "nothing was copied",
  );
  assert.equal(copied, "number 495.\nnumber 496.\n");

  const other = placeOf(await screen.text(), " bbb ");
  await screen.mouse(0, other.x + 1, other.y);
  await screen.mouse(0, other.x + 1, other.y, "m");
  await screen.until(/only this/);
});

test("a server that is killed is replaced, and the screen goes on", { skip }, async () => {
  await using house = await House.open();
  await house.warren("add", "--name", "web", "--", "sh", "-c", UNTIL_STOPPED);
  const screen = await house.screen();
  await screen.open(/◉ web/);
  const servers = Object.values(JSON.parse(await house.warren("servers", "--json"))) as { pid: number }[];
  process.kill(servers[0]!.pid, "SIGKILL");
  await house.warren("add", "--name", "later", "--", "sh", "-c", UNTIL_STOPPED);
  await screen.until(/◉ web/, /◉ later/, (text) => !text.includes("reconnecting"));
  await screen.keys("s");
  await screen.until(/web stopped/);
});

test("a server that was shut down is said to be gone, not brought back by a screen left open", { skip }, async () => {
  await using house = await House.open();
  await house.warren("add", "--name", "web", "--", "sh", "-c", UNTIL_STOPPED);
  const screen = await house.screen();
  await screen.open(/◉ web/);
  await house.warren("shutdown");
  await screen.until(/no server/, /◉ web/);
  assert.equal(Object.keys(JSON.parse(await house.warren("servers", "--json"))).length, 0);
  await screen.keys("s");
  await screen.until(/web stopped/, (text) => !text.includes("no server"));
});

test(
  "overview --watch: follows the server through its death, and ends with it when it was shut down",
  { skip },
  async () => {
    await using house = await House.open();
    const screen = await house.screen();
    await screen.open(/no jobs|0 jobs|Nothing/i, "overview --watch");
    const { pid } = JSON.parse(await house.warren("status", "--json")) as { pid: number };
    process.kill(pid, "SIGKILL");
    await house.warren("add", "--name", "web", "--", "sh", "-c", UNTIL_STOPPED);
    await screen.until(/◉ web/);
    await house.warren("shutdown");
    await screen.until(/The server was ended, and this view with it/, /ended 0/);
    assert.equal(Object.keys(JSON.parse(await house.warren("servers", "--json"))).length, 0);
  },
);

for (const [how, end] of [
  ["q", async (screen) => screen.keys("q")],
  ["ctrl-c", async (screen) => screen.keys("C-c")],
  ["SIGTERM", async (_screen, pid) => process.kill(pid, "SIGTERM")],
  ["SIGHUP", async (_screen, pid) => process.kill(pid, "SIGHUP")],
] as [string, (screen: Awaited<ReturnType<House["screen"]>>, pid: number) => Promise<unknown>][]) {
  test(`${how}: the terminal is as it was before`, { skip }, async () => {
    await using house = await House.open();
    const screen = await house.screen();
    await screen.open();
    assert.equal(await screen.modes(), "1100");
    await end(screen, await screen.pid());
    await screen.until(/before/, /ended \d+/);
    assert.equal(await screen.modes(), "0011");
    const text = await screen.text();
    assert.match(text, how.startsWith("SIG") ? /ended 1(43|29)/ : /ended 0/);
    await screen.type("echo typed here");
    await screen.until(/echo typed here/);
  });
}

test("an exception: the terminal is as it was before, and the error is seen", { skip }, async () => {
  await using house = await House.open();
  const screen = await house.screen();
  const program = fileURLToPath(new URL("throws-with-open-terminal.ts", import.meta.url));
  await screen.type(`${process.execPath} ${program}; echo "ended $?"`);
  await screen.keys("Enter");
  await screen.until(/^the screen is open/);
  assert.equal(await screen.modes(), "1100");
  await screen.keys("x");
  await screen.until(/a bug on a key/, /ended 1/);
  assert.equal(await screen.modes(), "0011");
});

test("NO_COLOR and WARREN_NO_EMOJI are respected", { skip }, async () => {
  await using house = await House.open();
  await house.warren("add", "--name", "web", "--", "sh", "-c", UNTIL_STOPPED);
  const screen = await house.screen({ env: { NO_COLOR: "1", WARREN_NO_EMOJI: "1" } });
  const text = await screen.open(/\* web/);
  assert.doesNotMatch(text, /[◉╭│]/);
  const styled = await house.tmux("capture-pane", "-p", "-e", "-t", screen.name);
  assert.doesNotMatch(styled, /\x1b\[(?:3[1-7]|9[0-7])m/);
});

test("without a terminal it says so", { skip }, async () => {
  await using house = await House.open();
  await assert.rejects(house.warren("tui"), /needs a terminal/);
});
