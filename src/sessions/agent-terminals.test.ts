import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../platform/log.ts";
import { readProcess } from "../platform/process.ts";
import { WarrenError } from "../protocol/errors.ts";
import { encodeRecordHeader, encodeSize, RECORD, segmentName } from "../protocol/journal-records.ts";
import type { ChannelExit, KeeperCall, KeeperChannel, PipeOpenCall } from "../protocol/keeper-calls.ts";
import { KeeperTerminals } from "./agent-terminals.ts";
import type { ChannelEvents, KeeperPort } from "./keeper-port.ts";
import type { SessionRecord } from "./record.ts";

/** Real commands with real journals, written when they have ended; what the keeper's own tests prove is left out. */
class SmallKeeper implements KeeperPort {
  readonly channels: KeeperChannel[] = [];
  readonly closed: string[] = [];
  readonly #events = new Map<number, ChannelEvents>();

  async call(call: KeeperCall): Promise<never> {
    if (call.call === "pipe.open") return this.#open(call) as never;
    if (call.call === "lease.take") {
      const channels = this.channels.filter(({ id }) => call.ids?.includes(id));
      for (const channel of channels) channel.epoch += 1;
      return { channels } as never;
    }
    if (call.call === "close") this.closed.push(call.id);
    return { done: true } as never;
  }

  write(): void {}

  listen(channel: number, events: ChannelEvents): void {
    this.#events.set(channel, events);
  }

  forget(channel: number): void {
    this.#events.delete(channel);
  }

  #open(call: PipeOpenCall): KeeperChannel {
    if (this.channels.some(({ id }) => id === call.id)) throw new WarrenError("CHANNEL_EXISTS", call.id);
    const [program = "", ...args] = call.command;
    const child = spawn(program, args, { cwd: call.directory, env: call.env, stdio: ["ignore", "pipe", "ignore"] });
    const number = this.channels.length + 1;
    const channel = {
      channel: number,
      id: call.id,
      kind: "pipe",
      pid: child.pid,
      startTicks: readProcess(child.pid!)?.startTicks ?? 0,
      server: call.server,
      epoch: 1,
      exit: null as ChannelExit | null,
    } as KeeperChannel;
    this.channels.push(channel);
    const parts: Buffer[] = [];
    child.stdout.on("data", (part: Buffer) => parts.push(part));
    void once(child, "close").then(([code, signal]) => {
      channel.exit = { code, signal: signal ? 15 : null, at: new Date().toISOString() };
      writeFileSync(join(call.journalDir, segmentName(1)), segmentOf(Buffer.concat(parts)));
      this.#events.get(number)?.onExit(channel.exit);
    });
    return channel;
  }
}

function segmentOf(output: Buffer): Buffer {
  const records = [
    { kind: RECORD.size, timeMs: 1, offset: 0, bytes: encodeSize(0, 0) },
    { kind: RECORD.output, timeMs: 1, offset: 0, bytes: output },
  ];
  return Buffer.concat(records.flatMap((record) => [encodeRecordHeader(record), record.bytes]));
}

function place(): { directory: string } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), "warren-commands-"));
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}

function terminalsOf(keeper: KeeperPort, directory: string): KeeperTerminals {
  const record = {
    id: "1fox",
    name: "fox",
    kind: "agent",
    tag: 123,
    directory,
    env: [`PATH=${process.env.PATH}`],
  } as unknown as SessionRecord;
  return new KeeperTerminals({ record, directory, server: "s", keeper, log: silentLog });
}

const specOf = (script: string, outputByteLimit = 1000) => ({
  command: "sh",
  args: ["-c", script],
  env: [{ name: "WORD", value: "hello" }],
  outputByteLimit,
});
const never = new AbortController().signal;

test("commands: run with their environment, read, waited for, released", async () => {
  using here = place();
  const keeper = new SmallKeeper();
  const terminals = terminalsOf(keeper, here.directory);
  const id = await terminals.create(specOf('echo "$WORD $WARREN_UNIT"; exit 3'), "0:1");
  assert.deepEqual(await terminals.waitForExit(id, never), { exitCode: 3, signal: null });
  assert.deepEqual(await terminals.output(id), {
    output: "hello fox\n",
    truncated: false,
    exit: { exitCode: 3, signal: null },
  });
  await terminals.release(id);
  await terminals.release(id); // served again after its answer was lost
  assert.deepEqual(keeper.closed, [id]);
  assert.deepEqual(readdirSync(join(here.directory, "terminals")), [], "nothing of it stays on the disk");
  await assert.rejects(terminals.output(id), { code: "TERMINAL_NOT_FOUND" });
});

test("commands: the same request, served again by the next server, starts nothing", async () => {
  using here = place();
  const keeper = new SmallKeeper();
  const former = terminalsOf(keeper, here.directory);
  const id = await former.create(specOf("echo 12345äöü", 6), "0:1");
  await former.close();
  const next = terminalsOf(keeper, here.directory);
  for (const channel of keeper.channels) next.adopt(channel);
  assert.equal(await next.create(specOf("echo 12345äöü", 6), "0:1"), id);
  assert.equal(keeper.channels.length, 1);
  await next.waitForExit(id, never);
  const { output, truncated } = await next.output(id);
  assert.deepEqual([output, truncated], ["öü\n", true], "the limit is known, and cuts between characters");
  assert.notEqual(await next.create(specOf("true"), "1:1"), id, "of another program of the agent it is another one");
  await next.endAll();
});

test("commands: one that the former server was starting while the sessions went over is the next one's, and runs once", async () => {
  using here = place();
  const keeper = new SmallKeeper();
  const former = terminalsOf(keeper, here.directory);
  const id = await former.create(specOf("echo ran; exit 4"), "0:1");
  await former.close();
  const next = terminalsOf(keeper, here.directory); // what there was to adopt was listed before
  assert.equal(await next.create(specOf("echo ran; exit 4"), "0:1"), id);
  assert.deepEqual(await next.waitForExit(id, never), { exitCode: 4, signal: null });
  assert.equal((await next.output(id)).output, "ran\n");
  await next.release(id);
  assert.deepEqual([keeper.channels.length, keeper.closed], [1, [id]]);
});

test("commands: what a killed server has left of others goes, what runs and what is only just being started stays", async () => {
  using here = place();
  const keeper = new SmallKeeper();
  const former = terminalsOf(keeper, here.directory);
  const id = await former.create(specOf("sleep 1705"), "0:1");
  await former.close();
  const [running = ""] = readdirSync(join(here.directory, "terminals"));
  for (const name of ["left", "fresh"])
    mkdirSync(join(here.directory, "terminals", name, "journal"), { recursive: true });
  for (const name of ["left", running]) utimesSync(join(here.directory, "terminals", name), 1, 1);
  const next = terminalsOf(keeper, here.directory);
  for (const channel of keeper.channels) next.adopt(channel);
  await next.sweep();
  assert.deepEqual(readdirSync(join(here.directory, "terminals")).sort(), ["fresh", running].sort());
  await next.release(id);
  assert.deepEqual(readdirSync(join(here.directory, "terminals")), ["fresh"]);
  await terminalsOf(keeper, join(here.directory, "an agent that has run nothing")).sweep();
});

test("commands: killed with everything that they have started", async () => {
  using here = place();
  const keeper = new SmallKeeper();
  const terminals = terminalsOf(keeper, here.directory);
  const id = await terminals.create(specOf("sleep 100000 & sleep 100000; true"), "0:1");
  await terminals.kill(id);
  const { exit } = await terminals.output(id);
  assert.ok(exit && exit.exitCode !== 0);
  await terminals.endAll();
  assert.deepEqual(keeper.closed, [id]);
});
