import assert from "node:assert/strict";
import { on, once } from "node:events";
import { writeFileSync } from "node:fs";
import net from "node:net";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { temporaryDirectory } from "../mailbox/log/log-fixture.ts";
import { makeDirectories } from "../platform/directories.ts";
import { silentLog } from "../platform/log.ts";
import { type Places, resolvePlaces } from "../platform/paths.ts";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { ownProcess } from "./agent-process.ts";
import { NOTHING } from "./answer.ts";
import { HookSession } from "./hook-session.ts";
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
    for (const file of [places.mailSocket, places.mailLeaderFile]) makeDirectories(dirname(file), 0o700);
    writeFileSync(places.mailLeaderFile, "{}");
    const leader = net.createServer((socket) => {
      socket.on("error", () => {});
      createInterface(socket).on("line", (line) => {
        const { id, payload } = JSON.parse(line) as { id: number; payload: { as?: string } };
        const refuse = (code: string): void =>
          void socket.write(`${JSON.stringify({ id, success: false, code, error: code })}\n`);
        if (payload.as !== undefined) leader.emit("asked", { as: payload.as, refuse });
      });
    });
    const asked = on(leader, "asked");
    const next = async () => (await asked.next()).value?.[0] as { as: string; refuse: (code: string) => void };
    leader.listen(places.mailSocket);
    await once(leader, "listening");
    const clock = new HandClock();
    const session = new HookSession(places, "s");
    const called = (name: string): void => session.remember({ format: 1, name, client_id: "c" });
    try {
      called("fox");
      const ended = wake(worldOf(places, clock), session, { clock, watchDirectory: refusesToWatch });
      assert.equal((await next()).as, "fox");
      called("bear");
      clock.pass(2_000);
      const second = await next();
      assert.equal(second.as, "bear");
      called("owl");
      second.refuse("NAME_TAKEN");
      const third = await next();
      assert.equal(third.as, "owl");
      third.refuse("NAME_OWNED");
      assert.equal(await ended, NOTHING);
    } finally {
      leader.close();
    }
  },
);
