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

test("turns: those that wait or work are called off, and not those that come after", async () => {
  const turns = new Turns();
  const gate = Promise.withResolvers<void>();
  const seen: boolean[] = [];
  const first = turns.take("a", async (calledOff) => {
    await gate.promise;
    seen.push(calledOff.aborted);
  });
  const second = turns.take("a", async (calledOff) => void seen.push(calledOff.aborted));
  turns.callOff("a");
  turns.callOff("b");
  const third = turns.take("a", async (calledOff) => void seen.push(calledOff.aborted));
  gate.resolve();
  await Promise.all([first, second, third]);
  assert.deepEqual(seen, [true, true, false]);
});
