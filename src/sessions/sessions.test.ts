import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock, test } from "node:test";
import { silentLog } from "../platform/log.ts";
import { HandClock } from "../platform/testing/hand-clock.ts";
import type { KeeperCall, KeeperChannel } from "../protocol/keeper-calls.ts";
import { type SessionRecord, SessionRecords } from "./record.ts";
import { RemovedSessions } from "./removed-sessions.ts";
import { Screens } from "./screen/screens.ts";
import { Sessions, type SessionsOptions } from "./sessions.ts";

/** A server with the session fox, which has ended, at a small keeper that starts what it is asked to. */
class EndedFox implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "warren-sessions-"));
  readonly records = new SessionRecords(this.directory, () => {});
  readonly clock = new HandClock();
  readonly channels: KeeperChannel[] = [];
  readonly released: number[] = [];
  /** A resume waits for its port. */
  port: Promise<number> = Promise.resolve(1);
  /** Resolves when a resume asks for one. */
  readonly isResuming: Promise<void>;
  readonly sessions: Sessions;

  constructor() {
    const resuming = Promise.withResolvers<void>();
    this.isResuming = resuming.promise;
    this.records.prepare("1fox");
    this.records.write(recordOf(this.directory));
    this.sessions = new Sessions({
      sessionsDir: this.directory,
      ports: {
        take: () => {
          resuming.resolve();
          return this.port;
        },
        release: (port: number) => this.released.push(port),
      },
      server: "blazing",
      keeper: { call: async (call: KeeperCall) => this.#answer(call), write() {}, listen() {}, forget() {} },
      clock: this.clock,
      log: silentLog,
      version: "0",
      onMembers: () => {},
    } as unknown as SessionsOptions);
  }

  static async start(): Promise<EndedFox> {
    const fox = new EndedFox();
    await fox.sessions.start();
    return fox;
  }

  #answer(call: KeeperCall): unknown {
    if (call.call === "terminal.open") {
      const channel = {
        ...{ channel: 1, id: call.id, name: call.name, kind: "terminal", server: call.server, epoch: 1, exit: null },
        ...{ output: 0, input: 0, segment: 1, segmentBytes: 0, cols: 80, rows: 24, pid: process.pid, startTicks: 0 },
      } as KeeperChannel;
      this.channels.push(channel);
      return channel;
    }
    return { channels: this.channels };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sessions.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const recordOf = (directory: string): SessionRecord => ({
  ...{ format: 1, oldest_reader: 1, id: "1fox", name: "fox", kind: "session", server: "blazing" },
  ...{ command: ["/bin/sh"], directory, env: [], labels: {}, tag: 1 },
  ...{ created_at_ms: 1, started_at_ms: 1, active_at_ms: 1, cols: 80, rows: 24, resume_count: 0 },
  ended: { outcome: { kind: "exited", status: 0 }, at_ms: 1, saved: false },
});

const LIVE = { code: "SESSION_LIVE" };

test("remove: a session that is resumed while its last screen is being written is not removed", async () => {
  await using fox = await EndedFox.start();
  const [asked, written] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const forgotten = mock.method(Screens.prototype, "forgotten", () => {
    asked.resolve();
    return written.promise;
  });
  try {
    const removed = assert.rejects(fox.sessions.remove({ session: "fox" }, "request"), LIVE);
    await asked.promise;
    await fox.sessions.resume({ session: "fox" });
    written.resolve();
    await removed;
    assert.equal(fox.records.read("1fox")?.ended, null);
    await assert.rejects(fox.sessions.remove({ session: "fox" }, "request"), LIVE, "nor is it by a repeat");
    assert.deepEqual([fox.records.read("1fox")?.name, fox.released], ["fox", []]);
  } finally {
    forgotten.mock.restore();
  }
});

test("remove: a session that is being resumed is not removed", async () => {
  await using fox = await EndedFox.start();
  const port = Promise.withResolvers<number>();
  fox.port = port.promise;
  const resumed = fox.sessions.resume({ session: "fox" });
  await fox.isResuming;
  const removed = assert.rejects(fox.sessions.remove({ session: "fox" }), LIVE);
  await waitForRequests();
  port.resolve(1);
  assert.equal((await resumed).session.name, "fox");
  await removed;
  assert.equal(fox.records.read("1fox")?.ended, null);
});

test("remove: nor one that another server has resumed meanwhile", async () => {
  await using fox = await EndedFox.start();
  const forgotten = mock.method(Screens.prototype, "forgotten", async () => {
    const record = { ...recordOf(fox.directory), server: "frozen", resume_count: 1, ended: null };
    fox.records.write(record);
    fox.channels.splice(0, 1, { id: "1fox.1", name: "fox", server: "frozen" } as KeeperChannel);
  });
  try {
    await assert.rejects(fox.sessions.remove({ session: "fox" }), { code: "SESSION_MOVED" });
    assert.equal(fox.records.read("1fox")?.server, "frozen");
  } finally {
    forgotten.mock.restore();
  }
});

test("remove: a repeat of what a killed server has begun goes on with it, unless it was resumed since", async () => {
  for (const isResumed of [false, true]) {
    await using fox = await EndedFox.start();
    const { session } = await fox.sessions.get({ session: "fox" });
    new RemovedSessions(fox.directory, fox.clock).note("request", session);
    if (isResumed) {
      await fox.sessions.resume({ session: "fox" });
      await assert.rejects(fox.sessions.remove({ session: "fox" }, "request"), LIVE);
    } else {
      for (const _ of ["first", "again"])
        assert.equal((await fox.sessions.remove({ session: "fox" }, "request")).session.id, "1fox");
    }
    assert.equal(fox.records.read("1fox") !== undefined, isResumed);
  }
});

test("remove: a request that comes twice at once gets one answer", async () => {
  await using fox = await EndedFox.start();
  const answers = await Promise.all([1, 2].map(() => fox.sessions.remove({ session: "fox" }, "request")));
  assert.deepEqual(answers[1], answers[0]);
  assert.equal(fox.records.read("1fox"), undefined);
});

test("rename: the name that an ended session gets while it is being resumed stays", async () => {
  await using fox = await EndedFox.start();
  const port = Promise.withResolvers<number>();
  fox.port = port.promise;
  const resumed = fox.sessions.resume({ session: "fox" });
  await fox.isResuming;
  const renamed = fox.sessions.rename({ session: "fox", name: "owl" });
  await waitForRequests();
  port.resolve(1);
  await Promise.all([resumed, renamed]);
  assert.deepEqual(
    [(await fox.sessions.get({ session: "1fox" })).session.name, fox.records.read("1fox")?.name],
    ["owl", "owl"],
  );
});

test("resume: of two at once one starts it, and the other one is told that it runs", async () => {
  await using fox = await EndedFox.start();
  const port = Promise.withResolvers<number>();
  fox.port = port.promise;
  const first = fox.sessions.resume({ session: "fox" }, "request");
  await fox.isResuming;
  const repeat = fox.sessions.resume({ session: "fox" }, "request");
  const other = assert.rejects(fox.sessions.resume({ session: "fox" }), LIVE);
  await waitForRequests();
  port.resolve(1);
  assert.equal((await repeat).session.id, (await first).session.id);
  await other;
  assert.equal(fox.channels.length, 1);
});

/** What can be carried out of the requests so far has been. */
const waitForRequests = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};
