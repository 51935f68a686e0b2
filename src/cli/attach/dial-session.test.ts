import assert from "node:assert/strict";
import { test } from "node:test";
import { WarrenError } from "../../protocol/errors.ts";
import { dialSession, type SessionServer } from "./dial-session.ts";

const EVENTS = { onBytes() {}, onClose() {} };
const WIRE = { send() {}, pause() {}, resume() {}, close() {} };
const refused = (): Error => Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
const code = (wanted: string) => (error: unknown) => (error as { code?: string }).code === wanted;

test("dial: asks anew each time where the session is", async () => {
  const servers: SessionServer[] = [
    { socket: "/a", name: "fox" },
    { socket: "/b", name: "fox" },
  ];
  const dialled: string[] = [];
  const dial = dialSession({
    findServer: async () => servers.shift()!,
    dialSocket: async (socket) => {
      dialled.push(socket);
      return WIRE;
    },
  });
  await dial(EVENTS);
  await dial(EVENTS);
  assert.deepEqual(dialled, ["/a", "/b"]);
});

test("dial: a session that nobody knows any more is asked of the server that had it last", async () => {
  let found: SessionServer | undefined;
  const dialled: string[] = [];
  const dial = dialSession({
    findServer: async () => {
      if (!found) throw new WarrenError("SESSION_NOT_FOUND", "session not found: fox");
      return found;
    },
    dialSocket: async (socket) => {
      dialled.push(socket);
      return WIRE;
    },
  });
  await assert.rejects(dial(EVENTS), code("SESSION_NOT_FOUND"));
  found = { socket: "/a", name: "fox" };
  await dial(EVENTS);
  found = undefined;
  await dial(EVENTS);
  assert.deepEqual(dialled, ["/a", "/a"]);
});

test("dial: nobody listens: tried again for a while, since a keeper comes back; then it is over", async () => {
  let nowMs = 0;
  let isThere = false;
  const dial = dialSession({
    findServer: async () => ({ socket: "/a", name: "fox" }),
    dialSocket: async () => {
      if (!isThere) throw refused();
      return WIRE;
    },
    nowMs: () => nowMs,
  });
  await assert.rejects(dial(EVENTS), code("ECONNREFUSED"));
  nowMs += 9_999;
  await assert.rejects(dial(EVENTS), code("ECONNREFUSED"));
  isThere = true;
  await dial(EVENTS);
  isThere = false;
  nowMs += 60_000;
  await assert.rejects(dial(EVENTS), code("ECONNREFUSED"), "counted from the last time that somebody was there");
  nowMs += 10_000;
  await assert.rejects(dial(EVENTS), code("SERVER_GONE"));
});
