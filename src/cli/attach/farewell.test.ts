import assert from "node:assert/strict";
import { test } from "node:test";
import { forAMoment } from "./farewell.ts";

test("farewell: a name that is asked for is waited for, but not for long", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await forAMoment(Promise.resolve());
  await forAMoment(Promise.reject(new Error("away")));
  const { promise: never } = Promise.withResolvers<void>();
  let isOver = false;
  const left = forAMoment(never).then(() => {
    isOver = true;
  });
  t.mock.timers.tick(499);
  await new Promise(setImmediate);
  assert.equal(isOver, false);
  t.mock.timers.tick(1);
  await left;
});
