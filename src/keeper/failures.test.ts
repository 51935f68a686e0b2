import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { messageOf } from "../protocol/errors.ts";
import { RECORD, segmentName } from "../protocol/journal-records.ts";
import type { KeeperChannel } from "../protocol/keeper-calls.ts";
import { encodeFrame, FRAME } from "../protocol/keeper-frames.ts";
import type { Holder } from "./testing/holder.ts";
import { KeeperProcess } from "./testing/keeper-process.ts";
import { readWritten } from "./testing/written.ts";

/** Where the disk or the descriptors give out: an error that names it, for who asked; nothing for the others. */

const MEGABYTE = 1024 * 1024;
const SOURCE = "00000000000000a1";
const SERVES = "echo warm >&4; read go <&4; echo ready >&4; read drain <&4; exit 0";
/** Half a megabyte of numbers, then a word; fits into one segment. */
const SCRIPT = "stty raw; seq 80000; touch written; echo done";
const SAID = `${Array.from({ length: 80_000 }, (_, at) => at + 1).join("\n")}\ndone\n`;

/** Asks until it is so: the keeper rings for output, not for its want. */
async function channelOnce(holder: Holder, id: string, isSo: (channel: KeeperChannel) => boolean) {
  for (const deadline = AbortSignal.timeout(15_000); ; deadline.throwIfAborted()) {
    const { channels } = await holder.call({ call: "channels" });
    const channel = channels.find((one) => one.id === id);
    if (channel && isSo(channel)) return channel;
  }
}

async function echoes(holder: Holder, { channel }: KeeperChannel): Promise<void> {
  const { bytes } = await holder.call({ call: "input.seen", id: "echo", source: SOURCE });
  const reply = await holder.reply(channel, { epoch: 1, source: SOURCE, offset: bytes, text: "x" });
  assert.deepEqual(reply, { bytes: bytes + 1 });
}

const openEcho = (holder: Holder) => holder.terminal("echo", "stty raw -echo; exec cat");

test("disk: a journal at the limit of its file's size stalls its program and says why; when there is room all of it comes", async () => {
  // Of 512 bytes each: 200 KB for any file of the keeper's.
  await using keeper = await KeeperProcess.start({ limits: "ulimit -S -f 400" });
  const holder = await keeper.holder();
  const echo = await openEcho(holder);
  const { channel } = await holder.terminal("fox", SCRIPT);
  const { stalled, exit } = await channelOnce(holder, "fox", (one) => one.stalled !== undefined);
  assert.match(stalled ?? "", /EFBIG|disk is full/);
  assert.equal(exit, null);
  for (let at = 0; at < 50; at++) await echoes(holder, echo);
  assert.equal(existsSync(join(keeper.directory, "written")), false, "it waits in its full terminal");
  execFileSync("prlimit", ["--pid", String(keeper.pid), "--fsize=unlimited"]);
  assert.equal((await holder.exit(channel)).code, 0);
  const written = readWritten(holder.journalDir("fox"));
  assert.equal(String(written.output), SAID);
  assert.equal(written.tornBytes, 0);
  assert.equal((await channelOnce(holder, "fox", () => true)).stalled, undefined);
});

/** A small file system of its own for journals, or why there is none. */
function smallDisk(keeper: KeeperProcess, sizeBytes: number): (Disposable & { path: string }) | string {
  const path = join(keeper.directory, "disk");
  mkdirSync(path);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", path], { stdio: "pipe" });
  } catch (error) {
    return `no tmpfs can be mounted here: ${messageOf(error).split("\n")[0]}`;
  }
  return { path, [Symbol.dispose]: () => execFileSync("umount", ["-l", path]) };
}

test("disk: full at the start of a program, that is said and nothing is left; full later, its program waits", async (context) => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const echo = await openEcho(holder);
  const made = smallDisk(keeper, 4 * MEGABYTE);
  if (typeof made === "string") return context.skip(made);
  using disk = made;
  const journalDir = join(disk.path, "journal");
  const filler = join(disk.path, "filler");
  mkdirSync(journalDir);
  assert.throws(() => writeFileSync(filler, Buffer.alloc(5 * MEGABYTE)), { code: "ENOSPC" });
  await assert.rejects(holder.terminal("fox", SCRIPT, { journalDir }), (error) => /ENOSPC|full/.test(messageOf(error)));
  assert.deepEqual(readdirSync(journalDir), []);

  writeFileSync(filler, Buffer.alloc(4 * MEGABYTE - 256 * 1024));
  const { channel } = await holder.terminal("fox", SCRIPT, { journalDir });
  const { stalled } = await channelOnce(holder, "fox", (one) => one.stalled !== undefined);
  assert.match(stalled ?? "", /ENOSPC|disk is full/);
  assert.equal(readWritten(journalDir).tornBytes, 0, "a record that has no room is not there at all");
  await echoes(holder, echo);
  rmSync(filler);
  assert.equal((await holder.exit(channel)).code, 0);
  assert.equal(String(readWritten(journalDir).output), SAID);
});

test("disk: room is made of the oldest segments, and the newest output is there", async (context) => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const made = smallDisk(keeper, 12 * MEGABYTE);
  if (typeof made === "string") return context.skip(made);
  using disk = made;
  const { channel } = await holder.terminal("fox", "stty raw; seq 3000000", { journalDir: disk.path });
  assert.equal((await holder.exit(channel)).code, 0);
  const expected = execFileSync("seq", ["3000000"], { maxBuffer: 64 * MEGABYTE });
  const { segments, output, outputFrom } = readWritten(disk.path);
  assert.ok(segments[0]! > 1, "the first are gone");
  assert.ok(output.equals(expected.subarray(outputFrom)));
});

test("journal: one that goes on counts from where it was told, and what was there before counts to its cap", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const journalDir = holder.journalDir("fox");
  mkdirSync(journalDir);
  const before = Buffer.alloc(MEGABYTE);
  for (const number of [7, 8, 9, 10]) writeFileSync(join(journalDir, segmentName(number)), before);
  writeFileSync(join(journalDir, "notes.txt"), "no segment");
  const start = { startOutput: 5_000_000_000, startInput: 3, startSegment: 11 };
  const { channel } = await holder.pipe("fox", "cat", { journalBytesMax: 2 * MEGABYTE, ...start });
  await holder.reply(channel, { epoch: 1, source: SOURCE, offset: 0, text: "more" });
  await holder.call({ call: "input.end", id: "fox", epoch: 1 });
  await holder.exit(channel);
  assert.deepEqual(readdirSync(journalDir).sort(), ["10.seg", "11.seg", "9.seg", "notes.txt"]);
  const { channels } = await holder.call({ call: "channels" });
  assert.deepEqual(
    channels.map(({ output, input, segment }) => [output, input, segment]),
    [[5_000_000_004, 7, 11]],
  );
  for (const number of [9, 10]) rmSync(join(journalDir, segmentName(number)));
  const { records } = readWritten(journalDir);
  assert.deepEqual(
    records.map(({ kind, offset }) => [kind, offset]),
    [
      [RECORD.size, start.startOutput],
      [RECORD.input, start.startInput],
      [RECORD.output, start.startOutput],
      [RECORD.end, start.startOutput + 4],
    ],
  );
});

test("disk: a pipe's input that cannot be journalled is refused, not given, and can be sent again", async () => {
  await using keeper = await KeeperProcess.start({ limits: "ulimit -S -f 400" });
  const holder = await keeper.holder();
  const { channel } = await holder.pipe("fox", "wc -c");
  const text = Buffer.alloc(300 * 1024, "x");
  const write = () => holder.reply(channel, { epoch: 1, source: SOURCE, offset: 0, text });
  assert.deepEqual(await write(), { bytes: 0, code: "JOURNAL_FAILED" });
  execFileSync("prlimit", ["--pid", String(keeper.pid), "--fsize=unlimited"]);
  assert.deepEqual(await write(), { bytes: text.length });
  await holder.call({ call: "input.end", id: "fox", epoch: 1 });
  await holder.exit(channel);
  const { output, input } = readWritten(holder.journalDir("fox"));
  assert.deepEqual([Number(output), input.length], [text.length, text.length]);
});

test("disk: a journal that is there already is not written over; a directory that is not there is said", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  await openEcho(holder);
  mkdirSync(holder.journalDir("fox"));
  const path = join(holder.journalDir("fox"), segmentName(1));
  writeFileSync(path, "of somebody else");
  await assert.rejects(holder.terminal("fox", "true"), (error) => /EEXIST/.test(messageOf(error)));
  assert.ok(existsSync(path));
  const file = join(keeper.directory, "file");
  writeFileSync(file, "");
  const missing = { call: "terminal.open", cols: 80, rows: 24, id: "owl", server: "blazing" } as const;
  const call = { ...missing, command: ["/bin/true"], directory: "/", env: {}, journalBytesMax: 0 };
  for (const [journalDir, code] of [
    ["/nowhere", /ENOENT/],
    [file, /ENOTDIR/],
  ] as const) {
    await assert.rejects(holder.call({ ...call, journalDir }), (error) => code.test(messageOf(error)));
  }
});

test("descriptors: used up by programs, the next one is refused by name, and there is room again when one is closed", async () => {
  await using keeper = await KeeperProcess.start({ limits: "ulimit -n 64" });
  const holder = await keeper.holder();
  const echo = await openEcho(holder);
  for (const open of ["terminal", "pipe"] as const) {
    let count = 0;
    for (; count < 100; count++) {
      const refusal = await holder[open](`${open}-${count}`, "exec cat").then(
        () => undefined,
        (error) => error,
      );
      if (refusal === undefined) continue;
      assert.match(refusal.message, /EMFILE|no process, terminal or descriptor is left/);
      assert.deepEqual(readdirSync(holder.journalDir(`${open}-${count}`)), [], "nothing is left of it");
      break;
    }
    assert.ok(count < 100);
    await echoes(holder, echo);
  }
  for (const id of ["terminal-0", "terminal-1"]) {
    await holder.call({ call: "signal", id, epoch: 1, signal: 9 });
    await channelOnce(holder, id, ({ exit }) => exit !== null);
    await holder.call({ call: "close", id, epoch: 1 });
  }
  assert.ok((await holder.terminal("again", "exec cat")).pid);
});

/** Connects until it is turned away. */
async function allThatAreTaken(keeper: KeeperProcess): Promise<Socket[]> {
  const hello = encodeFrame({ type: FRAME.call, channel: 0, offset: 1n, payload: Buffer.from('{"call":"hello"}') });
  for (const taken: Socket[] = []; ; ) {
    const stranger = await keeper.stranger();
    const isTaken = new Promise<boolean>((resolve) => {
      stranger.on("data", () => resolve(true)).on("close", () => resolve(false));
    });
    stranger.write(hello);
    if (!(await isTaken)) return taken;
    taken.push(stranger);
  }
}

/** Resolves when the keeper has closed it as well. */
async function hangUp(stranger: Socket): Promise<void> {
  stranger.end().resume();
  await once(stranger, "close");
}

test("descriptors: used up by connections, a server that cannot be started says so, one that serves goes on", async () => {
  await using keeper = await KeeperProcess.start({ limits: "ulimit -n 64" });
  const holder = await keeper.holder();
  const echo = await openEcho(holder);
  const spec = (name: string, hash: string) => ({
    name,
    hash,
    command: ["sh", "-c", SERVES, "generation"],
    logPath: join(keeper.directory, `${name}.log`),
  });
  const start = (name: string, hash: string) =>
    holder.call({ call: "server.start", spec: spec(name, hash), socketPath: join(keeper.directory, `${name}.sock`) });
  await start("blazing", "aaa");
  const refusals: string[] = [];
  for (let free = 0; free < 8; free++) {
    const strangers = await allThatAreTaken(keeper);
    for (const stranger of strangers.splice(0, free)) await hangUp(stranger);
    const started = await start(`frozen-${free}`, `bbb-${free}`).catch((error) => error);
    const replaced = await holder
      .call({ call: "server.replace", spec: spec("blazing", "aaa") })
      .catch((error) => error);
    for (const answer of [started, replaced]) {
      if (!(answer instanceof Error)) continue;
      refusals.push(answer.message);
      assert.match(answer.message, /EMFILE/);
    }
    await echoes(holder, echo);
    const { servers } = await holder.call({ call: "list" });
    assert.deepEqual(
      servers.map(({ state }) => state),
      servers.map(() => "ready"),
      "none is stuck",
    );
    for (const { name } of servers)
      if (name !== "blazing") await holder.call({ call: "server.stop", name, force: true });
    for (const stranger of strangers) await hangUp(stranger);
  }
  assert.ok(refusals.length > 3, "some were refused");
  assert.equal((await start("bear", "ccc")).state, "ready");
  assert.ok(keeper.isAlive);
});

test("descriptors: connections past the limit are turned away, and the keeper takes new ones when others have gone", async () => {
  await using keeper = await KeeperProcess.start({ limits: "ulimit -n 48" });
  const holder = await keeper.holder();
  const echo = await openEcho(holder);
  const strangers = await allThatAreTaken(keeper);
  assert.ok(strangers.length > 10);
  await echoes(holder, echo);
  await hangUp(strangers[0]!);
  const again = await keeper.holder();
  assert.equal((await again.call({ call: "hello" })).contract, 1);
});
