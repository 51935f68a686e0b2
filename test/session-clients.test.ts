import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { lookForSession } from "../src/local/find-session.ts";
import type { Session } from "../src/protocol/units.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { WatchingTerminal } from "./harness/watching-terminal.ts";

/** Several clients on one session: sizes, control, pastes, and one that never reads. */
const TIMEOUT_MS = 90_000;

async function start(house: TemporaryHome, script: string): Promise<Session> {
  const { session } = await house.client().request("session.new", {
    command: ["sh", "-c", script],
    workdir: house.dir,
    env: Object.entries(house.env).map(([key, value]) => `${key}=${value}`),
  });
  return session;
}

/** Says its size at every change, and echoes lines. */
const SAYS_SIZE = `trap 'echo "size=$(stty size)"' WINCH; echo "size=$(stty size)"; while :; do read -r line && echo "got=$line"; done`;

test(
  "clients: the size is that of who typed last; a viewer has no say and no input",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const { id } = await start(house, SAYS_SIZE);
    using first = await WatchingTerminal.attach(house.places, id, { size: { cols: 100, rows: 30 } });
    await first.shows(/size=30 100/);
    using second = await WatchingTerminal.attach(house.places, id, { size: { cols: 70, rows: 20 } });
    using viewer = await WatchingTerminal.attach(house.places, id, { size: { cols: 40, rows: 10 }, isViewer: true });
    assert.equal(first.control?.yours, true);
    second.type("x\n");
    await second.shows(/size=20 70/);
    await waitUntil(() => first.control?.yours === false && second.control?.yours === true, {
      what: "control to move",
    });
    assert.deepEqual([first.control?.clients, first.control?.viewers], [2, 1]);
    viewer.type("never\n");
    first.type("y\n");
    await first.shows(/got=y/);
    await waitUntil(() => second.control?.cols === 100, { what: "the first one's size again" });
    const { lines } = await house.client().request("session.screen", { session: id });
    assert.ok(!lines.some((line) => line.includes("never")), lines.join("\n"));
    const { session } = await house.client().request("session.get", { session: id });
    assert.deepEqual([session.cols, session.rows, session.client_count, session.viewer_count], [100, 30, 2, 1]);
    void first.client.detach(0);
    await waitUntil(() => second.control?.cols === 70 && second.control.yours, { what: "who is left to have control" });
  },
);

test("clients: a new one sees the screen as it is, whatever its size", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const { id } = await start(
    house,
    `printf '\\033[2J\\033[3;5Hhere \\033[1;31mred\\033[0m'; printf '\\033]2;a title\\007'; sleep 1000`,
  );
  using same = await WatchingTerminal.attach(house.places, id, { size: { cols: 80, rows: 24 } });
  await same.shows(/red/);
  using tiny = await WatchingTerminal.attach(house.places, id, { size: { cols: 1, rows: 1 }, isViewer: true });
  using vast = await WatchingTerminal.attach(house.places, id, { size: { cols: 1000, rows: 500 }, isViewer: true });
  await vast.shows(/red/);
  assert.ok(tiny.screens.length > 0);
  const { session, lines } = await house.client().request("session.screen", { session: id });
  assert.deepEqual([session.title, lines[2]], ["a title", "    here red"]);
  const wrong = house.client().request("session.attach", { session: id, client: "0".repeat(16), cols: 0, rows: 24 });
  await assert.rejects(wrong, /cannot have 0 columns/);
});

test("clients: resizes in a storm end at the last one", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const { id } = await start(house, SAYS_SIZE);
  using terminal = await WatchingTerminal.attach(house.places, id);
  for (let count = 0; count < 300; count++)
    terminal.client.resize({ cols: 20 + (count % 150), rows: 5 + (count % 60) });
  terminal.client.resize({ cols: 91, rows: 33 });
  await terminal.shows(/size=33 91/);
});

test("clients: a paste of 10 MB arrives whole, and nobody's keys are in it", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const file = join(house.dir, "pasted");
  const { id } = await start(house, `stty raw -echo; echo ready; exec cat > ${file}`);
  using paster = await WatchingTerminal.attach(house.places, id);
  await paster.shows(/ready/);
  using other = await WatchingTerminal.attach(house.places, id);
  const body = Array.from({ length: 250_000 }, (_, at) => `${at} ${"paste ".repeat(5)}\n`).join("");
  assert.ok(body.length > 9_000_000);
  const paste = `\x1b[200~${body}\x1b[201~`;
  for (let at = 0; at < paste.length; at += 50_000) {
    paster.type(paste.slice(at, at + 50_000));
    if (at % 500_000 === 0) other.type("K");
    if (at % 1_000_000 === 0) await new Promise((wake) => setImmediate(wake));
  }
  const keys = Math.ceil(paste.length / 500_000);
  const size = (): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  await waitUntil(() => size() >= paste.length + keys, { what: "all bytes", deadlineMs: 60_000 });
  const got = readFileSync(file, "utf8");
  assert.ok(got.includes(paste), "the paste is in one piece");
  assert.equal(got.replace(paste, "").replaceAll("K", ""), "");
});

test("clients: one that never reads holds up neither the program nor the others", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const size = 40 * 1024 * 1024; // the journal keeps 64
  const { id } = await start(
    house,
    `read go; head -c ${size} /dev/zero | tr '\\0' x | fold -w 79; echo; echo flood is over; read end; exit 4`,
  );
  const { entry } = lookForSession(house.places, id)!;
  const deaf = net.connect(entry.socket);
  deaf.on("error", () => {});
  deaf.pause();
  deaf.write(
    `${JSON.stringify({ id: 1, type: "session.attach", payload: { session: id, client: "d".repeat(16), cols: 80, rows: 24, view: true } })}\n`,
  );
  using terminal = await WatchingTerminal.attach(house.places, id);
  const { id: calm } = await start(house, 'while read -r line; do echo "got=$line"; done');
  using typist = await WatchingTerminal.attach(house.places, calm);
  terminal.type("go\n");
  for (let count = 0; count < 20; count++) {
    typist.type(`${count}\n`);
    await typist.shows(new RegExp(`got=${count}\\r`));
  }
  await terminal.shows(/flood is over/, 60_000);
  const { queued_bytes } = await house.client().request("status", {});
  assert.ok(queued_bytes < 8 * 1024 * 1024, `${queued_bytes} bytes wait for who does not read`);
  terminal.type("end\n");
  await waitUntil(() => terminal.outcome !== undefined, { what: "the end" });
  assert.deepEqual(terminal.outcome, { kind: "exited", status: 4 });
  const { stdoutBytes } = await house.warren(["history", "--raw", id]);
  const flood = stdoutBytes.toString("latin1").replace(/[^x]/g, "").length;
  assert.equal(flood, size, "not one is missing from the journal");
  deaf.destroy();
});

test("clients: bytes that are no frames end their connection alone", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const { id } = await start(house, SAYS_SIZE);
  using terminal = await WatchingTerminal.attach(house.places, id);
  const { entry } = lookForSession(house.places, id)!;
  const stranger = net.connect(entry.socket);
  const closed = new Promise((resolve) => stranger.on("error", () => {}).on("close", resolve));
  stranger.once("data", () => stranger.write(Buffer.alloc(4096, 0xff)));
  stranger.write(
    `${JSON.stringify({ id: 1, type: "session.attach", payload: { session: id, client: "e".repeat(16), cols: 80, rows: 24 } })}\n`,
  );
  stranger.resume();
  await closed;
  terminal.type("still\n");
  await terminal.shows(/got=still/);
  assert.equal(terminal.attachCount, 1);
});

test(
  "clients: what a program asks its terminal is answered once, by the terminal in control or without one",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const ask = (at: string) => `printf '\\033[${at}H\\033[6n'`;
    const hear = (count: number) => `echo heard "$(dd bs=1 count=${count} 2>/dev/null | tr '\\033' E)"`;
    const { id } = await start(
      house,
      `stty raw -echo; ${ask("3;7")}; ${hear(6)}; dd bs=1 count=1 2>/dev/null; ${ask("2;2")}; ${hear(7)}; sleep 1000`,
    );
    const screen = async () => (await house.looker().request("session.screen", { session: id })).lines.join("\n");
    await waitUntil(async () => (await screen()).includes("heard E[3;7R"), { what: "the emulator's answer" });
    using terminal = await WatchingTerminal.attach(house.places, id);
    using viewer = await WatchingTerminal.attach(house.places, id, { isViewer: true });
    terminal.type("g");
    await terminal.shows(/\[2;2H\x1b\[6n/);
    await screen(); // the emulator has seen it too
    terminal.type("\x1b[9;9Rz");
    await viewer.shows(/heard E\[9;9Rz/);
  },
);
