import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryDirectory } from "../mailbox/log/log-fixture.ts";
import { silentLog } from "../platform/log.ts";
import { resolvePlaces } from "../platform/paths.ts";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { ownProcess } from "./agent-process.ts";
import { NOTHING } from "./answer.ts";
import { HookSession } from "./hook-session.ts";
import { wake } from "./wake.ts";

test("wake: where nothing can be watched, it looks every two seconds", async () => {
  using directory = temporaryDirectory();
  const places = resolvePlaces({ HOME: directory.path, XDG_RUNTIME_DIR: directory.path });
  const clock = new HandClock();
  const world = {
    env: {},
    places,
    log: silentLog,
    agent: ownProcess(),
    self: ownProcess(),
    begunMs: 0,
    nowMs: () => clock.wallMs(),
    randomId: () => "id",
  };
  const session = new HookSession(places, "s");
  const ended = wake(world, session, {
    clock,
    watchDirectory: () => {
      throw Object.assign(new Error("inotify instances are used up"), { code: "EMFILE" });
    },
  });
  session.remember({ format: 1, name: "fox", client_id: "c", stands_down: true });
  clock.pass(2_000);
  assert.equal(await ended, NOTHING);
});
