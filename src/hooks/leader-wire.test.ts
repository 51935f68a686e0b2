import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { dirname } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../mailbox/log/log-fixture.ts";
import { makeDirectories } from "../platform/directories.ts";
import { resolvePlaces } from "../platform/paths.ts";
import { LeaderWire } from "./leader-wire.ts";

test("wire: an answer that is too long ends it, and is not asked for again", async () => {
  using directory = temporaryDirectory();
  const places = resolvePlaces({ HOME: directory.path, XDG_RUNTIME_DIR: directory.path });
  makeDirectories(dirname(places.mailSocket), 0o700);
  let connectionCount = 0;
  const answer = `{"id":1,"success":true,"data":{"messages":[]}}\n`;
  const leader = net.createServer((socket) => {
    connectionCount += 1;
    const said = connectionCount === 1 ? "x".repeat(6 * 1024 * 1024) : answer;
    socket.on("error", () => {}).once("data", () => socket.write(said));
  });
  leader.listen(places.mailSocket);
  await once(leader, "listening");
  const wire = await LeaderWire.open({ places, clientId: "c", agent: undefined });
  try {
    await assert.rejects(wire!.ask("mail.fetch", { as: "fox" }), { code: "LINE_TOO_LONG" });
    assert.equal(connectionCount, 1);
  } finally {
    wire!.close();
    leader.close();
  }
});
