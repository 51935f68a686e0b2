import assert from "node:assert/strict";
import { test } from "node:test";
import { saysPortTaken } from "./port-taken.ts";

test("port taken: by what programs of several languages say, of their own port alone", () => {
  const says = (line: string): boolean =>
    saysPortTaken(["starting", line, "    at Server.listen (node:net:1:2)"], 9001);
  assert.equal(says("Error: listen EADDRINUSE: address already in use 127.0.0.1:9001"), true);
  assert.equal(says("Error: listen EADDRINUSE: address already in use :::9001"), true);
  assert.equal(says("listen tcp :9001: bind: address already in use"), true);
  assert.equal(says("OSError: [Errno 98] Address already in use"), true);
  assert.equal(says("Error: listen EADDRINUSE: address already in use 127.0.0.1:9002"), false);
  const error = ["Error: listen EADDRINUSE: address already in use :::9002", "  code: 'EADDRINUSE',", "  port: 9002"];
  assert.equal(saysPortTaken(error.slice(1), 9001), false, "without its first line");
  assert.deepEqual([saysPortTaken(error, 9001), saysPortTaken(error, 9002)], [false, true]);
  assert.equal(says("listen tcp :90011: bind: address already in use"), false);
  assert.equal(says("Error: connect ECONNREFUSED 127.0.0.1:9001"), false);
});
