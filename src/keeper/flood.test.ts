import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { segmentName } from "../protocol/journal-records.ts";
import type { KeeperChannel } from "../protocol/keeper-calls.ts";
import { encodeFrame, FRAME, type Frame, FrameSplitter } from "../protocol/keeper-frames.ts";
import { until } from "../runs/run-fixture.ts";
import type { Holder } from "./testing/holder.ts";
import { KeeperProcess } from "./testing/keeper-process.ts";
import { readWritten } from "./testing/written.ts";

/** Numbers that are all different, 64 MB of them: a byte that is lost, doubled or moved is seen. */
const NUMBERS = 8_600_000;
const FLOOD = `stty raw; read go < gate; exec seq ${NUMBERS}`;
const MEGABYTE = 1024 * 1024;
/** What a flood may add to what the keeper has resident: chunks on their way, and what is not collected yet. */
const GROWTH_BYTES_MAX = 64 * MEGABYTE;
const SOURCE = "00000000000000a1";

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const numbers = (): Buffer => execFileSync("seq", [String(NUMBERS)], { maxBuffer: 128 * MEGABYTE });
const openGate = ({ directory }: KeeperProcess): void => writeFileSync(join(directory, "gate"), "go\n");

const LAST_CALL = 40_000n;
const isDoorbell = ({ type }: Frame): boolean => type === FRAME.output;

/** A server that was stopped (SIGSTOP) with its socket full: it asks much and reads nothing. */
async function takeAndFallSilent(keeper: KeeperProcess, watcher: Holder, ids: string[]): Promise<Socket> {
  const silent = await keeper.stranger();
  const send = (id: bigint, call: object): boolean =>
    silent.write(encodeFrame({ type: FRAME.call, channel: 0, offset: id, payload: Buffer.from(JSON.stringify(call)) }));
  send(0n, { call: "lease.take", server: "blazing", ids });
  await once(silent, "readable"); // the lease is taken
  silent.removeAllListeners("readable");
  for (let id = 1n; id <= LAST_CALL; id++) send(id, { call: "hello" });
  // Each round trip is a turn of the keeper's event loop and of ours: when none of them moves anything, both directions are full.
  for (let waiting = 0, turns = 0; turns < 20; turns++) {
    if (silent.writableLength !== waiting || waiting === 0) turns = 0;
    waiting = silent.writableLength;
    await watcher.call({ call: "hello" });
  }
  return silent;
}

async function framesUntil(socket: Socket, isLast: (frame: Frame) => boolean): Promise<Frame[]> {
  const splitter = new FrameSplitter();
  const frames: Frame[] = [];
  for await (const chunk of socket) {
    frames.push(...splitter.push(chunk));
    if (frames.some(isLast)) break;
  }
  return frames;
}

/** Asks until the program has ended: its exit is told to nobody but its holder. */
async function ended(watcher: Holder, id: string): Promise<KeeperChannel> {
  for (const deadline = AbortSignal.timeout(60_000); ; deadline.throwIfAborted()) {
    const channel = (await watcher.call({ call: "channels" })).channels.find((one) => one.id === id);
    if (channel?.exit) return channel;
  }
}

test("flood: 64 MB whose holder never reads are in the journal to the byte, and hold up neither their program nor another", async () => {
  await using keeper = await KeeperProcess.start();
  const watcher = await keeper.holder();
  execFileSync("mkfifo", [join(keeper.directory, "gate")]);
  await watcher.terminal("fox", FLOOD);
  const other = await watcher.terminal("owl", "stty raw -echo; exec cat");
  const silent = await takeAndFallSilent(keeper, watcher, ["fox"]);
  const before = keeper.peakBytes;
  openGate(keeper);
  const flooded = ended(watcher, "fox");
  for (let at = 0; at < 50; at++)
    assert.deepEqual(await watcher.reply(other.channel, { epoch: 1, source: SOURCE, offset: at, text: "x" }), {
      bytes: at + 1,
    });
  const { exit, output, segment, segmentBytes } = await flooded;
  const growth = keeper.peakBytes - before;
  assert.equal(exit?.code, 0);
  const expected = numbers();
  const written = readWritten(watcher.journalDir("fox"));
  assert.equal(output, expected.length);
  assert.equal(digest(written.output), digest(expected));
  assert.equal(statSync(join(watcher.journalDir("fox"), segmentName(segment))).size, segmentBytes);
  assert.ok(growth < GROWTH_BYTES_MAX, `grew by ${Math.round(growth / MEGABYTE)} MB`);
  assert.ok(!silent.destroyed && silent.writableLength > 0, "it reads nothing still");
  const doorbells = (await framesUntil(silent, ({ type }) => type === FRAME.exit)).filter(isDoorbell);
  assert.equal(doorbells.length, 1, "one has waited for it, not one for each of a thousand pieces");
});

test("flood: a holder that was stopped and has lost its lease meanwhile hears no more of the channel when it goes on", async () => {
  await using keeper = await KeeperProcess.start();
  const watcher = await keeper.holder();
  const { channel } = await watcher.terminal("fox", "stty raw -echo; echo up; exec cat");
  const said = () => String(readWritten(watcher.journalDir("fox")).output);
  await watcher.rung(channel, () => said().includes("up") || undefined);
  const silent = await takeAndFallSilent(keeper, watcher, ["fox"]);
  assert.deepEqual(await watcher.reply(channel, { epoch: 2, source: SOURCE, offset: 0, text: "asked" }), { bytes: 5 });
  await until(() => said().includes("asked"), "its doorbell to wait");
  await watcher.call({ call: "lease.take", server: "frozen", ids: ["fox"] });
  const frames = await framesUntil(silent, ({ offset }) => offset === LAST_CALL);
  assert.deepEqual(frames.filter(isDoorbell), []);
});

test("flood: of a journal with a cap the newest bytes stay, at their offsets, within the cap and a segment", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  execFileSync("mkfifo", [join(keeper.directory, "gate")]);
  const cap = 10 * MEGABYTE;
  const { channel } = await holder.terminal("fox", FLOOD, { journalBytesMax: cap });
  openGate(keeper);
  assert.equal((await holder.exit(channel)).code, 0);
  const expected = numbers();
  const { segments, output, outputFrom } = readWritten(holder.journalDir("fox"));
  assert.equal(outputFrom + output.length, expected.length);
  assert.equal(digest(output), digest(expected.subarray(outputFrom)));
  const bytes = segments.reduce((sum, n) => sum + statSync(join(holder.journalDir("fox"), segmentName(n))).size, 0);
  assert.ok(bytes > cap / 2 && bytes < cap + 5 * MEGABYTE, `${bytes} bytes in ${segments}`);
  assert.ok(segments[0]! > 1, "the first are gone");
});

test("flood: a storm of 300 children that all write to their terminal is there, each line of it", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const script = "stty raw; i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo line $i & done; wait";
  const { channel } = await holder.terminal("fox", script);
  assert.equal((await holder.exit(channel)).code, 0);
  const lines = String(readWritten(holder.journalDir("fox")).output)
    .trimEnd()
    .split("\n");
  assert.deepEqual(new Set(lines), new Set(Array.from({ length: 300 }, (_, at) => `line ${at + 1}`)));
  assert.equal(lines.length, 300);
});

/** Terminals that the whole machine may still open (pty(7)). */
function freeTerminals(): number {
  const [max = 0, reserved = 0, open = 0] = ["max", "reserve", "nr"].map((name) =>
    Number(readFileSync(`/proc/sys/kernel/pty/${name}`, "utf8")),
  );
  return max - reserved - open;
}

test("flood: 200 programs at once, each with all of its output", async (context) => {
  if (freeTerminals() < 250) return context.skip(`others have all but ${freeTerminals()} of this machine's terminals`);
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const ids = Array.from({ length: 200 }, (_, at) => `fox-${at}`);
  const opened = await Promise.all(ids.map((id) => holder.terminal(id, `stty raw; seq 5000; echo ${id}`)));
  assert.equal(new Set(opened.map(({ channel }) => channel)).size, ids.length);
  for (const { channel, id } of opened) {
    assert.equal((await holder.exit(channel)).code, 0);
    const text = String(readWritten(holder.journalDir(id)).output);
    assert.ok(text.startsWith("1\n2\n") && text.endsWith(`4999\n5000\n${id}\n`), text.slice(-40));
  }
});
