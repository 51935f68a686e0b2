import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { AttachHome, ScriptInTerminal } from "./testing/attached-terminal.ts";
import { FakeSessionServer } from "./testing/fake-session-server.ts";

const PREFIX = "\x1c";
const countOf = (text: string, part: string): number => text.split(part).length - 1;

test("a prefix alone goes to the program after a moment; a key pressed then is no detach key", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  await using terminal = new ScriptInTerminal(home, "warren attach fox");
  await terminal.shows("SCREEN");
  terminal.type(`a${PREFIX}`);
  await server.untilTyped("a\x1c");
  terminal.type("d");
  await server.untilTyped("a\x1cd");
  terminal.type("\x1b");
  await server.untilTyped("d\x1b");
  terminal.type(`${PREFIX}`);
  terminal.type("d");
  assert.equal(await terminal.ended(), 0);
  assert.equal(server.typed.toString(), "a\x1cd\x1b");
});

test("the detach key of config.yaml; a wrong one is said before anything is shown", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  home.configure("sessions: { detach: ctrl-a q }\n");
  {
    await using terminal = new ScriptInTerminal(home, "warren attach fox");
    await terminal.shows("SCREEN");
    terminal.type("\x1cd");
    await server.untilTyped("\x1cd");
    terminal.type("\x01q");
    assert.equal(await terminal.ended(), 0);
  }
  home.configure("sessions: { detach: q }\n");
  await using terminal = new ScriptInTerminal(home, "warren attach fox");
  assert.equal(await terminal.ended(), 125);
  assert.match(terminal.lines().join(""), /"q" cannot be the key that detaches: the first key has to be one with ctrl/);
  assert.equal(server.attaches.length, 1);
});

test("control and redraw behind the prefix", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  await using terminal = new ScriptInTerminal(home, "warren attach fox");
  await terminal.shows("SCREEN");
  terminal.type(`${PREFIX}t`);
  await server.until(() => server.controls.length === 1, "control");
  terminal.type(`${PREFIX}r`);
  await terminal.until(() => countOf(terminal.text, "SCREEN") === 2, "a second screen");
  assert.equal(server.attaches[1]!.since, undefined);
  assert.equal(server.typed.length, 0);
});

test("a viewer: keys ring, once a second at most; ctrl-c leaves", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  await using terminal = new ScriptInTerminal(home, "warren attach --view fox");
  await terminal.shows("SCREEN");
  for (const key of "abc") terminal.type(key);
  await terminal.shows("\x07");
  terminal.type("\x03");
  assert.equal(await terminal.ended(), 0);
  assert.equal(countOf(terminal.text, "\x07"), 1);
  assert.equal(server.attaches[0]!.view, true);
  assert.equal(server.typed.length, 0);
});

test("the terminal's own reports are not sent while somebody else types", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  await using terminal = new ScriptInTerminal(home, "warren attach fox");
  await terminal.shows("SCREEN");
  terminal.type("\x1b[?62;c");
  await server.untilTyped("\x1b[?62;c");
  server.control({ yours: false });
  server.output("now");
  await terminal.shows("now");
  terminal.type("\x1b[?62;c\x1b[Ix");
  await server.untilTyped("x");
  assert.equal(server.typed.toString(), "\x1b[?62;cx");
});

test("the window's size: at the start, and the last one of many", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  await using terminal = new ScriptInTerminal(home, "warren attach fox", { cols: 101, rows: 33 });
  await terminal.shows("SCREEN");
  assert.deepEqual([server.attaches[0]!.cols, server.attaches[0]!.rows], [101, 33]);
  for (let cols = 60; cols <= 90; cols += 1) terminal.pty.resize(cols, 20);
  await server.until(() => server.sizes.at(-1)?.cols === 90, "the last size");
  assert.ok(server.sizes.length <= 5, `${server.sizes.length} of 31`);
});

test("the wire is cut: nothing is shown of it but a title, when it takes long; then it goes on", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  await using terminal = new ScriptInTerminal(home, "warren attach fox");
  await terminal.shows("SCREEN");
  server.output("one ");
  await terminal.shows("one ");
  server.cut();
  await server.until(() => server.attaches.length === 2, "attached again");
  server.control({ title: "vim" });
  server.output("two ");
  await terminal.shows("two ");
  assert.ok(terminal.text.endsWith("SCREENone two "), JSON.stringify(terminal.text));
  server.answers.push(...Array.from({ length: 20 }, () => "hang up" as const));
  server.cut();
  terminal.type("meanwhile");
  await terminal.shows("\x1b[22;2t\x1b]2;reconnecting…\x1b\\");
  server.answers.length = 0;
  await terminal.shows("\x1b[23;2t\x1b]2;vim\x1b\\");
  await server.untilTyped("meanwhile");
  server.output("three");
  await terminal.shows("three");
  assert.equal(countOf(terminal.text, "SCREEN"), 1);
});

test("cannot be attached to: the error alone, and the terminal as it was", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  server.answers.push({ refuse: "PROTOCOL_MISMATCH" }, { say: "SSH-2.0-OpenSSH_9.2\r\n" });
  await using terminal = new ScriptInTerminal(
    home,
    "stty -a >before; warren attach fox; warren attach fox; stty -a >after",
  );
  await terminal.ended();
  assert.match(terminal.text, /refused: PROTOCOL_MISMATCH/);
  assert.match(terminal.text, /no Warren server: it says "SSH-2.0-OpenSSH_9.2/);
  assert.doesNotMatch(terminal.text, /\x1b\[22;2t|\x1b\[H/);
  assert.equal(readFileSync(join(home.dir, "after"), "utf8"), readFileSync(join(home.dir, "before"), "utf8"));
});

test("a server that never answers: ctrl-c leaves at once", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  server.answers.push("silent");
  await using terminal = new ScriptInTerminal(home, "warren attach fox; echo status $?");
  await server.until(() => server.connectionCount === 1, "dialled");
  terminal.type("\x03");
  await terminal.shows("status 130");
});

test("from inside the session: refused", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  await using terminal = new ScriptInTerminal(home, "WARREN_SESSION=4abc WARREN_UNIT=fox warren attach fox");
  assert.equal(await terminal.ended(), 125);
  assert.match(terminal.text, /You are inside fox already/);
  assert.equal(server.connectionCount, 0);
});

test("the terminal is closed: it leaves, and the session goes on", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  await using terminal = new ScriptInTerminal(home, "trap '' HUP; warren attach fox");
  await terminal.shows("SCREEN");
  (terminal.pty as unknown as { destroy(): void }).destroy();
  await server.until(() => server.attachedCount === 0, "left");
});
