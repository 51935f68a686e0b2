import assert from "node:assert/strict";
import { test } from "node:test";
import { describeCondition, parseCondition } from "./conditions.ts";

const read = (text: string) => parseCondition("--for", text);

test("each kind of condition is read", () => {
  assert.deepEqual(read("exit"), { kind: "exit" });
  assert.deepEqual(read("port"), { kind: "port" });
  assert.deepEqual(read("port=3000"), { kind: "port", port: 3000 });
  assert.deepEqual(read("log=/ready|up/i"), { kind: "log", pattern: "ready|up", flags: "i" });
  assert.deepEqual(read("http=http://localhost:3000/a=b"), { kind: "http", url: "http://localhost:3000/a=b" });
  assert.deepEqual(read("idle=1m30s"), { kind: "idle", idle_ms: 90_000 });
});

test("a text for the log is looked for as it stands", () => {
  const condition = read("log=a.b (c)");
  assert.equal(condition.kind, "log");
  const { pattern } = condition as Extract<typeof condition, { kind: "log" }>;
  assert.match("xx a.b (c) yy", new RegExp(pattern));
  assert.doesNotMatch("axb (c)", new RegExp(pattern));
});

test("what is no condition is told with the offending value", () => {
  for (const [text, said] of [
    ["prot=3000", /prot=3000 is no condition. One of: exit, port/],
    ["port=0", /port=0: a port is 1–65535/],
    ["port=65536", /a port is/],
    ["log=", /log= is no condition/],
    ["log=/(/", /log=\/\(\/: Invalid regular expression/],
    ["http=localhost", /not a http:\/\/ or https:\/\/ address/],
    ["idle=soon", /idle=soon is no condition/],
    ["exit=3", /exit=3 is no condition/],
  ] as const) {
    assert.throws(() => read(text), { code: "USAGE", message: said });
  }
});

test("a condition is said in words", () => {
  assert.equal(describeCondition(read("port=3000")), "port 3000");
  assert.equal(describeCondition(read("idle=30s")), "30s without output");
  assert.equal(describeCondition(read("log=Serving a.b")), '"Serving a.b" in its log');
  assert.equal(describeCondition(read("log=/a.b/i")), "/a.b/i in its log");
});
