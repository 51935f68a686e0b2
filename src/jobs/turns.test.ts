import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

test("turns: of one key one after the other, also after a failure; other keys do not wait", async () => {
  const turns = new Turns();
  const said: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.take("a", async () => {
    await gate.promise;
    said.push("first");
    throw new Error("failed");
  });
  const second = turns.take("a", async () => void said.push("second"));
  await turns.take("b", async () => void said.push("other"));
  gate.resolve();
  await assert.rejects(first, /failed/);
  await second;
  assert.deepEqual(said, ["other", "first", "second"]);
});
