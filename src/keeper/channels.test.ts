import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hasEnded, readProcess } from "../platform/process.ts";
import { isWarrenError } from "../protocol/errors.ts";
import { RECORD } from "../protocol/journal-records.ts";
import type { KeeperChannel } from "../protocol/keeper-calls.ts";
import { encodeFrame, encodeInput, FRAME, FRAME_PAYLOAD_BYTES_MAX, type Frame } from "../protocol/keeper-frames.ts";
import { until } from "../runs/run-fixture.ts";
import { KeeperProcess } from "./testing/keeper-process.ts";
import { readWritten } from "./testing/written.ts";

const FIRST = "00000000000000a1";
const SECOND = "00000000000000b2";
/** Reads bytes as they come and says them back, without what a terminal adds. */
const SAYS_BACK = "stty raw -echo; echo up; exec cat";

const withCode = (code: string) => (error: unknown) => isWarrenError(error, code);

test("lease: who takes it writes, and the former holder's writes are refused and not written", async () => {
  await using keeper = await KeeperProcess.start();
  const former = await keeper.holder();
  const { channel, epoch } = await former.terminal("fox", SAYS_BACK);
  const said = () => readWritten(former.journalDir("fox")).output.toString();
  await former.rung(channel, () => said().includes("up") || undefined);
  assert.deepEqual(await former.reply(channel, { epoch, source: FIRST, offset: 0, text: "one" }), { bytes: 3 });

  const latter = await keeper.holder();
  const [taken] = (await latter.call({ call: "lease.take", server: "frozen", ids: ["fox"] })).channels;
  assert.deepEqual([taken?.server, taken?.epoch], ["frozen", epoch + 1]);
  assert.deepEqual(await former.reply(channel, { epoch, source: FIRST, offset: 3, text: "two" }), {
    bytes: 3,
    code: "STALE_EPOCH",
  });
  for (const steering of [
    { call: "resize", id: "fox", epoch, cols: 10, rows: 10 },
    { call: "signal", id: "fox", epoch, signal: 9 },
    { call: "rename", id: "fox", epoch, name: "owl" },
    { call: "input.end", id: "fox", epoch },
    { call: "close", id: "fox", epoch },
  ] as const) {
    await assert.rejects(former.call(steering), withCode("STALE_EPOCH"));
  }
  const from = former.frames.length;
  assert.deepEqual(await latter.reply(channel, { epoch: epoch + 1, source: SECOND, offset: 0, text: "three" }), {
    bytes: 5,
  });
  await latter.rung(channel, () => said().endsWith("onethree") || undefined);
  assert.deepEqual(former.frames.slice(from), [], "the doorbell rings at the new holder alone");
});

test("lease: taken from a holder who has lost it meanwhile, nothing is taken", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const fox = await holder.terminal("fox", "read x");
  const owl = await holder.terminal("owl", "read x");
  const take = async (server: string, epoch: number) =>
    (await holder.call({ call: "lease.take", server, ids: ["fox", "owl"], from: { id: "fox", epoch } })).channels.map(
      (channel) => [channel.server, channel.epoch],
    );
  assert.deepEqual(await take("frozen", fox.epoch), [
    ["frozen", fox.epoch + 1],
    ["frozen", owl.epoch + 1],
  ]);
  await assert.rejects(take("swift", fox.epoch), withCode("STALE_EPOCH"));
  await assert.rejects(
    holder.call({ call: "lease.take", server: "swift", ids: ["fox"], from: { id: "bear", epoch: 1 } }),
    withCode("CHANNEL_NOT_FOUND"),
  );
  const { channels } = await holder.call({ call: "channels" });
  assert.deepEqual(
    channels.map(({ server, epoch }) => [server, epoch]),
    [
      ["frozen", fox.epoch + 1],
      ["frozen", owl.epoch + 1],
    ],
  );
});

test("lease: taken by the server's name it is all of that server's, and no other's", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  await holder.terminal("fox", "read x");
  await holder.terminal("owl", "read x");
  await holder.terminal("bear", "read x", { server: "frozen" });
  const { channels } = await (await keeper.holder()).call({ call: "lease.take", server: "blazing" });
  assert.deepEqual(
    channels.map(({ id, epoch }) => [id, epoch]),
    [
      ["fox", 2],
      ["owl", 2],
    ],
  );
});

test("input: repeated after a reconnect it is written once; a gap is refused; of what overlaps the new part is written", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const { channel } = await holder.pipe("fox", "cat");
  await holder.reply(channel, { epoch: 1, source: FIRST, offset: 0, text: "abcd" });
  holder.close();

  const again = await keeper.holder();
  const [{ epoch } = { epoch: 0 }] = (await again.call({ call: "lease.take", server: "blazing" })).channels;
  const write = (offset: number, text: string, source = FIRST) => again.reply(channel, { epoch, source, offset, text });
  assert.deepEqual(await again.call({ call: "input.seen", id: "fox", source: FIRST }), { bytes: 4 });
  assert.deepEqual(await again.call({ call: "input.seen", id: "fox", source: SECOND }), { bytes: 0 });
  assert.deepEqual(await write(0, "abcd"), { bytes: 4 });
  assert.deepEqual(await write(5, "f"), { bytes: 4, code: "INPUT_GAP" });
  assert.deepEqual(await write(2, "cdef"), { bytes: 6 });
  assert.deepEqual(await write(0, "ab"), { bytes: 6 }, "all of it was taken before");
  assert.deepEqual(await write(0, "-", SECOND), { bytes: 1 }, "each source counts its own");
  await again.call({ call: "input.end", id: "fox", epoch });
  assert.deepEqual((await again.exit(channel)).code, 0);
  const { input, output } = readWritten(again.journalDir("fox"));
  assert.deepEqual([String(input), String(output)], ["abcdef-", "abcdef-"]);
});

test("input: what a program does not read waits up to a limit, then it is refused and can be sent again", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  execFileSync("mkfifo", [join(keeper.directory, "gate")]);
  const { channel } = await holder.pipe("fox", "read go < gate; wc -c");
  const piece = Buffer.alloc(1024 * 1024, "x");
  const count = 20;
  for (let at = 0; at < count; at++)
    holder.write(channel, { epoch: 1, source: FIRST, offset: at * piece.length, text: piece });
  const refused = await holder.replyFrom(channel, FIRST, 0);
  assert.equal(refused.code, "INPUT_FULL");
  assert.ok(refused.bytes > 0 && refused.bytes < count * piece.length, `${refused.bytes}`);

  writeFileSync(join(keeper.directory, "gate"), "go\n");
  const isDrained = ({ type, offset }: Frame) => type === FRAME.ack && Number(offset) === refused.bytes;
  await holder.frame(isDrained);
  for (let bytes = refused.bytes; bytes < count * piece.length; ) {
    bytes = (await holder.reply(channel, { epoch: 1, source: FIRST, offset: bytes, text: piece })).bytes;
  }
  await holder.call({ call: "input.end", id: "fox", epoch: 1 });
  await holder.exit(channel);
  assert.equal(String(readWritten(holder.journalDir("fox")).output).trim(), String(count * piece.length));
});

test("program: a terminal that a grandchild keeps open: the exit is told, with what was said until then", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const script = "trap '' HUP; (while echo still; do sleep 0.01; done) & echo parent; exit 7";
  const { channel } = await holder.terminal("fox", script);
  const { code, signal } = await holder.exit(channel);
  assert.deepEqual([code, signal], [7, null]);
  const { output, records } = readWritten(holder.journalDir("fox"));
  assert.match(String(output), /parent/);
  assert.match(String(output), /still/);
  assert.equal(records.at(-1)?.kind, RECORD.end);
  assert.deepEqual(JSON.parse(Buffer.from(records.at(-1)!.bytes).toString()).code, 7);
});

test("program: ended by a signal, by its number; a signal can go to the terminal's foreground group alone", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const killed = await holder.terminal("fox", "echo up; exec sleep 60");
  await holder.call({ call: "signal", id: "fox", epoch: 1, signal: 9 });
  assert.deepEqual((({ code, signal }) => ({ code, signal }))(await holder.exit(killed.channel)), {
    code: null,
    signal: 9,
  });
  // An interactive shell gives its child a group of its own, in the foreground.
  const shell = await holder.terminal("owl", "exec sh -i");
  await holder.reply(shell.channel, { epoch: 1, source: FIRST, offset: 0, text: "sleep 60; echo status $?\n" });
  await until(() => {
    const group = readProcess(shell.pid)?.foregroundGroup ?? 0;
    return group > 0 && group !== shell.pid;
  }, "its child to be in the foreground");
  await holder.call({ call: "signal", id: "owl", epoch: 1, signal: 9, foreground: true });
  const said = () => String(readWritten(holder.journalDir("owl")).output);
  await holder.rung(shell.channel, () => said().includes("status 137") || undefined);
  assert.equal(readProcess(shell.pid)?.pid, shell.pid, "the shell goes on");
});

test("close: refused while the program runs, then it is forgotten, its journal stays and its name is free", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const { channel } = await holder.terminal("fox", "read line", { name: "fox" });
  await assert.rejects(holder.call({ call: "close", id: "fox", epoch: 1 }), withCode("PROGRAM_RUNS"));
  await assert.rejects(holder.terminal("fox", "true"), withCode("CHANNEL_EXISTS"));
  await assert.rejects(holder.terminal("fox2", "true", { name: "fox" }), withCode("NAME_TAKEN"));
  await holder.reply(channel, { epoch: 1, source: FIRST, offset: 0, text: "\n" });
  await holder.exit(channel);
  assert.deepEqual(await holder.reply(channel, { epoch: 1, source: FIRST, offset: 1, text: "x" }), {
    bytes: 1,
    code: "PROGRAM_ENDED",
  });
  assert.ok((await holder.terminal("fox2", "true", { name: "fox" })).pid, "the name of an ended one is free");
  await holder.call({ call: "close", id: "fox", epoch: 1 });
  assert.deepEqual(
    (await holder.call({ call: "channels" })).channels.map(({ id }) => id),
    ["fox2"],
  );
  await assert.rejects(holder.call({ call: "close", id: "fox", epoch: 1 }), withCode("CHANNEL_NOT_FOUND"));
  assert.deepEqual(await holder.reply(channel, { epoch: 1, source: FIRST, offset: 1, text: "x" }), {
    bytes: 0,
    code: "CHANNEL_NOT_FOUND",
  });
  assert.equal(readWritten(holder.journalDir("fox")).records.at(-1)?.kind, RECORD.end);
});

test("pipes: stdout and stderr are kept apart, stdin has an end, a closed stdin refuses", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const { channel, cols, rows } = await holder.pipe("fox", "cat; echo problem >&2; exit 3");
  assert.deepEqual([cols, rows], [0, 0]);
  await holder.reply(channel, { epoch: 1, source: FIRST, offset: 0, text: "said\n" });
  await holder.call({ call: "input.end", id: "fox", epoch: 1 });
  assert.equal((await holder.exit(channel)).code, 3);
  const { output, errors, input } = readWritten(holder.journalDir("fox"));
  assert.deepEqual([output, errors, input].map(String), ["said\n", "problem\n", "said\n"]);

  const refusal = async (channel: number) =>
    (await holder.reply(channel, { epoch: 1, source: FIRST, offset: 0, text: "x" })).code;
  const ended = await holder.pipe("owl", "exec sleep 60");
  await holder.call({ call: "input.end", id: "owl", epoch: 1 });
  assert.equal(await refusal(ended.channel), "INPUT_CLOSED", "we have closed it");
  const deaf = await holder.pipe("bear", "exec <&-; echo closed; exec sleep 60");
  await holder.rung(deaf.channel, () => readWritten(holder.journalDir("bear")).output.length > 0 || undefined);
  assert.equal(await refusal(deaf.channel), "INPUT_CLOSED", "the program has");
});

test("pipes: have no size to change", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  await holder.pipe("fox", "exec sleep 60");
  const { cols, rows } = await holder.call({ call: "resize", id: "fox", epoch: 1, cols: 80, rows: 24 });
  assert.deepEqual([cols, rows], [0, 0]);
  assert.equal(readWritten(holder.journalDir("fox")).records.length, 1);
});

test("resize: 1 × 1 and 1000 × 500 reach the program and the journal", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const script = "trap 'stty size' WINCH; echo up; while :; do read line; done";
  const { channel } = await holder.terminal("fox", script, { cols: 1, rows: 1 });
  const said = () => String(readWritten(holder.journalDir("fox")).output);
  await holder.rung(channel, () => said().includes("up") || undefined);
  for (const [cols, rows] of [
    [1000, 500],
    [1, 1],
  ] as const) {
    const after = await holder.call({ call: "resize", id: "fox", epoch: 1, cols, rows });
    assert.deepEqual([after.cols, after.rows], [cols, rows]);
    await holder.rung(channel, () => said().includes(`${rows} ${cols}`) || undefined);
  }
  const sizes = readWritten(holder.journalDir("fox")).records.filter(({ kind }) => kind === RECORD.size);
  assert.deepEqual(
    sizes.map(({ bytes }) => Buffer.from(bytes).toString("hex")),
    ["00010001", "03e801f4", "00010001"],
  );
});

test("open: what cannot be started is said by a code, and leaves nothing behind", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const plain = join(keeper.directory, "plain");
  writeFileSync(plain, "not a program", { mode: 0o600 });
  await holder.terminal("owl", "read x"); // a keeper that holds nothing ends
  const before = keeper.descriptorCount;
  for (const [spec, code] of [
    [{ command: ["/nowhere/program"] }, "PROGRAM_NOT_FOUND"],
    [{ command: [plain] }, "PROGRAM_NOT_EXECUTABLE"],
    [{ command: ["/tmp"] }, "PROGRAM_NOT_EXECUTABLE"],
    [{ directory: "/nowhere" }, "WORKDIR_MISSING"],
    [{ directory: plain }, "WORKDIR_MISSING"],
    [{ cols: 70_000 }, "KEEPER_CALL_FAILED"],
    [{ cols: -1 }, "KEEPER_CALL_FAILED"],
  ] as const) {
    await assert.rejects(holder.terminal("fox", "true", spec as object), withCode(code), JSON.stringify(spec));
    assert.deepEqual(readdirSync(holder.journalDir("fox")), [], JSON.stringify(spec));
  }
  await assert.rejects(holder.pipe("fox", "true", { command: ["/nowhere/program"] }), withCode("PROGRAM_NOT_FOUND"));
  await until(() => keeper.descriptorCount <= before, "the descriptors of what could not be started");
  assert.deepEqual(
    (await holder.call({ call: "channels" })).channels.map(({ id }) => id),
    ["owl"],
  );
});

test("connection: garbage, half frames and frames over the limit end theirs and nothing else", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const { channel } = await holder.terminal("fox", SAYS_BACK);
  const tooLong = Buffer.from(encodeFrame({ type: FRAME.write, channel, offset: 0n, payload: Buffer.of() }));
  tooLong.writeUInt32BE(FRAME_PAYLOAD_BYTES_MAX + 1, 13);
  const noInput = encodeFrame({ type: FRAME.write, channel, offset: 0n, payload: Buffer.from("short") });
  for (const bytes of [Buffer.alloc(64, 0xff), tooLong, noInput]) {
    const stranger = await keeper.stranger();
    const closed = once(stranger, "close");
    stranger.write(bytes);
    await closed;
  }
  const half = encodeFrame({
    type: FRAME.write,
    channel,
    offset: 0n,
    payload: encodeInput({ epoch: 1, source: FIRST, bytes: Buffer.from("never whole") }),
  });
  const gone = await keeper.stranger();
  gone.end(half.subarray(0, half.length - 1));
  await once(gone.resume(), "close");
  assert.deepEqual(await holder.reply(channel, { epoch: 1, source: FIRST, offset: 0, text: "ok" }), { bytes: 2 });
  assert.equal(keeper.isAlive, true);
});

test("connection: calls that are no calls are answered, and frames of an unknown kind passed over", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  await holder.terminal("fox", SAYS_BACK);
  for (const call of [null, 1, "hello", [], {}, { call: "toString" }, { call: "terminal.open" }]) {
    await assert.rejects(holder.call(call as never), (error) => isWarrenError(error));
  }
  for (const [cols, rows] of [
    [70_000, 10],
    [10, -1],
    [Number.NaN, 10],
    [10.5, 10],
    ["ten", 10],
  ]) {
    const call = { call: "resize", id: "fox", epoch: 1, cols, rows };
    await assert.rejects(holder.call(call as never), (error) => isWarrenError(error));
  }
  const signal = { call: "signal", id: "fox", epoch: 1, signal: "SIGNOTHING" };
  await assert.rejects(holder.call(signal as never), (error) => isWarrenError(error));
  const { channels } = await holder.call({ call: "channels" });
  assert.deepEqual(
    channels.map(({ cols, rows, exit }) => [cols, rows, exit]),
    [[80, 24, null]],
  );
  const stranger = await keeper.stranger();
  stranger.write(encodeFrame({ type: 200, channel: 7, offset: 9n, payload: Buffer.from("later") }));
  stranger.write(
    encodeFrame({ type: FRAME.call, channel: 0, offset: 9n, payload: Buffer.from('{"call":"hello","later":1}') }),
  );
  const [answer] = (await once(stranger, "data")) as [Buffer];
  assert.equal(answer.readUInt8(0), FRAME.answer);
  assert.equal(JSON.parse(answer.toString("utf8", 17)).ok, true);
});

test("program: has its own terminal or pipes and nothing else of the keeper's, however many were started before", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const script = "echo up; exec cat";
  for (const kind of ["terminal", "pipe", "terminal", "pipe"] as const) {
    const id = `${kind}-${(await holder.call({ call: "channels" })).channels.length}`;
    const { channel, pid } = await holder[kind](id, script);
    await holder.rung(channel, () => readWritten(holder.journalDir(id)).output.length > 0 || undefined);
    // While it loads, its libraries are open too.
    await until(() => readdirSync(`/proc/${pid}/fd`).sort().join() === "0,1,2", `${id} to have three descriptors`);
  }
});

test("program: its terminal is hung up when the keeper is killed, whatever later programs do", async () => {
  await using keeper = await KeeperProcess.start();
  const holder = await keeper.holder();
  const programs: KeeperChannel[] = [];
  for (const id of ["fox", "owl"]) programs.push(await holder.terminal(id, "exec cat"));
  const deaf = await holder.terminal("bear", "trap '' HUP; echo up; exec sleep 60");
  await holder.rung(deaf.channel, () => readWritten(holder.journalDir("bear")).output.length > 0 || undefined);
  keeper.signal("SIGKILL");
  await until(() => programs.every(({ pid }) => isGone(pid)), "all of them to end");
});

function isGone(pid: number): boolean {
  const info = readProcess(pid);
  return info === undefined || hasEnded(info);
}
