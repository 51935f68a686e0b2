import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../mailbox/log/log-fixture.ts";
import { makeDirectories } from "../platform/directories.ts";
import { silentLog } from "../platform/log.ts";
import { type Places, resolvePlaces } from "../platform/paths.ts";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { ownProcess } from "./agent-process.ts";
import { NOTHING } from "./answer.ts";
import { onEvent } from "./events.ts";
import type { HookInput } from "./hook-input.ts";
import { HookSession } from "./hook-session.ts";
import { AskedLeader } from "./testing/asked-leader.ts";
import { wake } from "./wake.ts";
import type { HookWorld } from "./world.ts";

const refusesToWatch = (): never => {
  throw Object.assign(new Error("inotify instances are used up"), { code: "EMFILE" });
};

const worldOf = (places: Places, clock: HandClock): HookWorld => ({
  env: {},
  places,
  log: silentLog,
  agent: ownProcess(),
  self: ownProcess(),
  begunMs: 0,
  nowMs: () => clock.wallMs(),
  randomId: () => "id",
});

test("wake: where nothing can be watched, it looks every two seconds", async () => {
  using directory = temporaryDirectory();
  const places = resolvePlaces({ HOME: directory.path, XDG_RUNTIME_DIR: directory.path });
  const clock = new HandClock();
  const session = new HookSession(places, "s");
  const ended = wake(worldOf(places, clock), session, { clock, watchDirectory: refusesToWatch });
  session.remember({ format: 1, name: "fox", client_id: "c", stands_down: true });
  clock.pass(2_000);
  assert.equal(await ended, NOTHING);
});

test(
  "wake: under another name it waits on, while a wait is under way and when the old name is refused",
  {
    timeout: 20_000,
  },
  async () => {
    using directory = temporaryDirectory();
    const places = resolvePlaces({ HOME: directory.path, XDG_RUNTIME_DIR: directory.path });
    using leader = await AskedLeader.listen(places);
    const clock = new HandClock();
    const session = new HookSession(places, "s");
    const called = (name: string): void => session.remember({ format: 1, name, client_id: "c" });
    called("fox");
    const ended = wake(worldOf(places, clock), session, { clock, watchDirectory: refusesToWatch });
    assert.equal((await leader.next()).as, "fox");
    called("bear");
    clock.pass(2_000);
    const second = await leader.next();
    assert.equal(second.as, "bear");
    called("owl");
    second.refuse("NAME_TAKEN");
    const third = await leader.next();
    assert.equal(third.as, "owl");
    third.refuse("NAME_OWNED");
    assert.equal(await ended, NOTHING);
  },
);

/** What the registry says of a session of Warren's. */
const nameIn = (places: Places, name: string): void => {
  makeDirectories(places.serversDir, 0o700);
  const entry = { oldest_reader: 1, name: "blazing", socket: "s", started_at: "", sessions: [{ id: "u1", name }] };
  writeFileSync(join(places.serversDir, "blazing.json"), JSON.stringify(entry));
};

test("wake: in a session of Warren's it waits on under the name that this has now", { timeout: 20_000 }, async () => {
  using directory = temporaryDirectory();
  const places = resolvePlaces({ HOME: directory.path, XDG_RUNTIME_DIR: directory.path });
  using leader = await AskedLeader.listen(places);
  const clock = new HandClock();
  const session = new HookSession(places, "s");
  nameIn(places, "fox");
  session.remember({ format: 1, name: "fox", client_id: "c", is_in_env: true });
  const world = { ...worldOf(places, clock), env: { WARREN_SESSION: "u1" } };
  const ended = wake(world, session, { clock, watchDirectory: refusesToWatch });
  const first = await leader.next();
  assert.equal(first.as, "fox");
  nameIn(places, "bear");
  first.refuse("NAME_TAKEN");
  const second = await leader.next();
  assert.equal(second.as, "bear");
  nameIn(places, "owl");
  clock.pass(2_000);
  const third = await leader.next();
  assert.equal(third.as, "owl");
  third.refuse("NAME_OWNED");
  assert.equal(await ended, NOTHING);
});

test(
  "events: in a session of Warren's a hook asks in the name that this has now, and one with a key in its record's",
  {
    timeout: 20_000,
  },
  async () => {
    using directory = temporaryDirectory();
    const places = resolvePlaces({ HOME: directory.path, XDG_RUNTIME_DIR: directory.path });
    using leader = await AskedLeader.listen(places);
    const world = { ...worldOf(places, new HandClock()), env: { WARREN_SESSION: "u1" } };
    const stop: HookInput = { event: "Stop", sessionId: "s", isStopActive: false, isSubagent: false };
    const slow = (): Promise<never> => Promise.reject(new Error("nothing is introduced"));
    const session = new HookSession(places, "s");
    nameIn(places, "bear");
    for (const [record, name] of [
      [{ format: 1, name: "fox", client_id: "c", is_in_env: true }, "bear"],
      [{ format: 1, name: "fox", client_id: "c", key_file: "k" }, "fox"],
    ] as const) {
      session.remember(record);
      const answered = onEvent(stop, world, session, slow);
      const asked = await leader.next();
      assert.deepEqual([asked.as, session.record()?.name], [name, name]);
      asked.answer({ messages: [], unread: 0 });
      assert.equal(await answered, NOTHING);
      assert.equal(session.isIdle, true);
    }
  },
);
