import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { AttachHome, ScriptInTerminal } from "./testing/attached-terminal.ts";
import { FakeSessionServer } from "./testing/fake-session-server.ts";

const DETACH = "\x1cd";
const sttyOf = (home: AttachHome, file: string): string => readFileSync(join(home.dir, file), "utf8");

test("attach: what stood there goes up into the scrollback, the screen comes, keys go through, detach says so", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  server.screen = Buffer.from("$ the session's screen\r\n$ ");
  await using terminal = new ScriptInTerminal(
    home,
    'stty -a >before; for n in 1 2 3; do echo "line $n"; done; warren attach fox; echo "status $?"; stty -a >after',
  );
  await terminal.shows("screen\r\n$ ");
  terminal.type("echo \x03\x1a\x13hi\r");
  await server.untilTyped("echo \x03\x1a\x13hi\r");
  server.output("echo hi\r\nhi\r\n$ ");
  await terminal.shows("hi\r\n$ ");
  terminal.type(DETACH);
  assert.equal(await terminal.ended(), 0);
  assert.deepEqual(terminal.lines().slice(0, 11), [
    "line 1",
    "line 2",
    "line 3",
    "",
    "$ the session's screen",
    "$ echo hi",
    "hi",
    "$ ",
    "[detached from 🦊 fox: it goes on]",
    "warren attach fox",
    "status 0",
  ]);
  assert.equal(sttyOf(home, "after"), sttyOf(home, "before"));
  assert.equal(server.typed.toString(), "echo \x03\x1a\x13hi\r");
});

test("attach: a bare line feed of a program moves down, and not back to the first column", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  server.screen = Buffer.from("stairs\ndown\nhere");
  await using terminal = new ScriptInTerminal(home, "warren attach fox");
  await terminal.shows("here");
  terminal.type(DETACH);
  await terminal.ended();
  const from = terminal.lines().indexOf("stairs");
  assert.deepEqual(terminal.lines().slice(from, from + 3), ["stairs", "      down", "          here"]);
});

test("the end of the program: said, and its status is ours", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  const cases = [
    [{ kind: "exited", status: 3 }, 3, "[🦊 fox has ended: exit status 3]"],
    [{ kind: "exited", status: 0 }, 0, "[🦊 fox has ended]"],
    [{ kind: "signalled", signal: "SIGKILL", status: 137, by: "unknown" }, 137, "[🦊 fox was ended by SIGKILL]"],
    [{ kind: "lost", reason: "the keeper ended" }, 120, "[🦊 fox is lost: the keeper ended]"],
  ] as const;
  for (const [outcome, status, line] of cases) {
    await using terminal = new ScriptInTerminal(home, "warren attach fox");
    await terminal.shows("SCREEN");
    server.end(outcome);
    assert.equal(await terminal.ended(), status);
    assert.ok(terminal.lines().includes(line), line);
  }
});

const PROGRAM_SETS = [
  "\x1b[?1049h\x1b[?1h\x1b=\x1b[?1003h\x1b[?1006h\x1b[?1004h\x1b[?2004h\x1b[?25l\x1b[3;10r\x1b[4h\x1b[?7l",
  "\x1b[>5u\x1b[>4;2m\x1b[5 q\x1b(0\x1b[1;31;7m\x1b]0;vim\x07\x1b]8;;http://x\x07",
].join("");

for (const way of ["detach", "SIGTERM", "SIGHUP", "end", "crash"] as const)
  test(`whatever a program has set is undone: ${way}`, async () => {
    await using server = await FakeSessionServer.start();
    using home = new AttachHome(server);
    const crash = join(home.dir, "crash.mjs");
    writeFileSync(crash, 'process.on("SIGUSR2", () => { throw new Error("a bug"); });');
    home.env.NODE_OPTIONS = `--import=${crash}`;
    await using terminal = new ScriptInTerminal(
      home,
      'echo above; stty -a >before; warren attach fox; echo "status $?"; stty -a >after; read -r line; echo "read $line"',
    );
    await terminal.shows("SCREEN");
    server.output(PROGRAM_SETS);
    server.output("in the program");
    await terminal.shows("in the program");
    assert.equal(terminal.screen.buffer.active.type, "alternate");
    await server.until(() => server.attachedCount === 1, "attached");
    if (way === "detach") terminal.type(DETACH);
    else if (way === "end") server.end({ kind: "exited", status: 0 });
    else if (way === "crash") process.kill(terminal.warrenPid, "SIGUSR2");
    else process.kill(terminal.warrenPid, way);
    await terminal.shows("status ");
    terminal.type("hello\r");
    await terminal.ended();
    const { modes, buffer } = terminal.screen;
    assert.equal(buffer.active.type, "normal");
    assert.deepEqual(
      [modes.applicationCursorKeysMode, modes.applicationKeypadMode, modes.bracketedPasteMode, modes.insertMode],
      [false, false, false, false],
    );
    assert.deepEqual([modes.mouseTrackingMode, modes.sendFocusMode, modes.wraparoundMode], ["none", false, true]);
    assert.equal(sttyOf(home, "after"), sttyOf(home, "before"));
    assert.ok(terminal.lines().includes("read hello"), "no attribute, no line drawing, not raw");
    assert.ok(terminal.lines().includes("above"));
    assert.match(terminal.text, /\x1b\[<99u[\s\S]*\x1b\[>4m[\s\S]*\x1b\[0 q[\s\S]*\x1b\[23;2t/);
    const status = { detach: 0, end: 0, SIGTERM: 143, SIGHUP: 129, crash: 1 }[way];
    assert.ok(terminal.text.includes(`status ${status}`), terminal.text);
  });

test("stopped and continued: raw again, and drawn anew", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  await using terminal = new ScriptInTerminal(home, "warren attach fox");
  await terminal.shows("SCREEN");
  process.kill(terminal.warrenPid, "SIGSTOP");
  execFileSync("stty", ["-F", terminal.ttyPath, "sane"]); // as a shell does that gets the terminal back
  process.kill(terminal.warrenPid, "SIGCONT");
  await server.until(() => server.attaches.length === 2, "attached anew");
  assert.equal(server.attaches[1]!.since, undefined);
  const modes = execFileSync("stty", ["-F", terminal.ttyPath, "-a"], { encoding: "utf8" }).split(/[\s;]+/);
  assert.deepEqual(
    ["-icanon", "-opost", "-isig", "-echo"].filter((mode) => !modes.includes(mode)),
    [],
  );
  terminal.type("\x03");
  await server.untilTyped("\x03");
});
