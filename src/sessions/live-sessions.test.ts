import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../platform/log.ts";
import { readProcess } from "../platform/process.ts";
import { Conditions } from "../platform/testing/conditions.ts";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { isWarrenError } from "../protocol/errors.ts";
import type { KeeperCall, KeeperChannel } from "../protocol/keeper-calls.ts";
import type { ChannelEvents } from "./keeper-port.ts";
import type { LiveSession } from "./live-session.ts";
import { LiveSessions, type LiveSessionsOptions } from "./live-sessions.ts";
import { type SessionRecord, SessionRecords } from "./record.ts";

/** Records on a disk that is full when the test says so. */
class DiskRecords extends SessionRecords {
  isFull = false;
  refusedCount = 0;

  override write(record: SessionRecord): void {
    if (!this.isFull) return super.write(record);
    this.refusedCount += 1;
    throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  }
}

/** One session that a server has taken up: a real program, whose end a small keeper tells. */
class OneSession implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "warren-live-"));
  readonly records = new DiskRecords(this.directory, () => {});
  readonly clock = new HandClock();
  /** Channels that the keeper was told to forget. */
  readonly closed: string[] = [];
  readonly live: LiveSessions;
  readonly #program: ChildProcess;
  readonly #changes = new Conditions();
  readonly #channel: KeeperChannel;
  #events: ChannelEvents | undefined;

  constructor() {
    this.#program = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
    const pid = this.#program.pid!;
    this.#channel = {
      ...{ channel: 1, id: "1fox", name: "fox", kind: "terminal", server: "blazing", epoch: 1, exit: null },
      ...{ output: 0, input: 0, segment: 1, segmentBytes: 0, cols: 80, rows: 24 },
      ...{ pid, startTicks: readProcess(pid)?.startTicks ?? 0 },
    } as KeeperChannel;
    this.#program.once("exit", (code, signal) => {
      const number = signal === null ? null : constants.signals[signal];
      this.#events?.onExit({ code, signal: number, at: new Date().toISOString() });
    });
    this.records.prepare("1fox");
    this.records.write(recordOf(this.directory));
    this.live = new LiveSessions({
      records: this.records,
      server: "blazing",
      keeper: {
        call: async (call: KeeperCall) => {
          if (call.call === "close") this.closed.push(call.id);
          return { channels: [this.#channel] };
        },
        write: () => {},
        listen: (_: number, events: ChannelEvents) => {
          this.#events = events;
        },
        forget: () => {},
      },
      clock: this.clock,
      log: silentLog,
      version: "0",
      onMembers: () => {},
    } as unknown as LiveSessionsOptions);
    this.live.watch(() => this.#changes.look());
  }

  static async start(): Promise<OneSession> {
    const one = new OneSession();
    await one.live.start();
    return one;
  }

  get session(): LiveSession {
    return this.live.get("1fox")!;
  }

  /** Its program ends by itself. */
  kill(): void {
    this.#program.kill("SIGKILL");
  }

  until(condition: () => boolean, what: string): Promise<void> {
    return this.#changes.until(condition, what);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.live.close();
    this.#program.kill("SIGKILL");
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const recordOf = (directory: string): SessionRecord => ({
  ...{ format: 1, oldest_reader: 1, id: "1fox", name: "fox", kind: "session", server: "blazing" },
  ...{ command: ["sleep", "1000"], directory, env: [], labels: {}, tag: randomInt(2 ** 47) },
  ...{ created_at_ms: 1, started_at_ms: 1, active_at_ms: 1, cols: 80, rows: 24, resume_count: 0, ended: null },
});

test("end: on a full disk it fails with what the disk says, and is written down once there is room", async () => {
  await using one = await OneSession.start();
  const { session } = one;
  one.records.isFull = true;
  for (const _ of ["first", "again"])
    await assert.rejects(one.live.end(session, "stop", { force: true }), (error) => {
      assert.ok(isWarrenError(error, "SESSION_END_NOT_NOTED") && /no space left/.test(error.message), `${error}`);
      return true;
    });
  assert.equal(one.live.get("1fox"), session, "its end is not forgotten");
  assert.deepEqual(one.closed, []);
  one.records.isFull = false;
  one.clock.pass(1_000);
  await one.until(() => one.live.get("1fox") === undefined, "the end to be written down");
  const { ended } = one.records.read("1fox")!;
  assert.deepEqual(ended?.outcome, { kind: "signalled", signal: "SIGKILL", status: 137, by: "stop" });
  assert.deepEqual([ended?.saved, one.closed], [false, ["1fox"]]);
});

test("end: no full disk holds up the server's own end", async () => {
  await using one = await OneSession.start();
  one.records.isFull = true;
  await one.live.end(one.session, "stop", { force: true }, true);
  assert.deepEqual([one.live.all(), one.closed, one.records.refusedCount], [[], ["1fox"], 1]);
  assert.equal(one.records.read("1fox")!.ended, null, "it counts as lost");
});

test("end: nor one by which a program's end before it was not written down", async () => {
  await using one = await OneSession.start();
  one.records.isFull = true;
  one.kill();
  await one.until(() => one.records.refusedCount === 1, "an end that has no room");
  const ended = one.live.end(one.session, "stop", { force: true }, true);
  one.clock.pass(1_000);
  await ended;
  assert.deepEqual([one.live.all(), one.closed], [[], ["1fox"]]);
});
