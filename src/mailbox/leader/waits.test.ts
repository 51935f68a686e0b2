import assert from "node:assert/strict";
import { test } from "node:test";
import { Waits } from "./waits.ts";

const never = new AbortController().signal;

test("waits: what happens between a look and the wait is not missed", async () => {
  const waits = new Waits();
  using waiter = waits.listen("to bob");
  waits.wake("to bob");
  assert.equal(await waiter.next(60_000, never), true);
});

test("waits: only who waits for it is woken; late is told from woken", async () => {
  const waits = new Waits();
  using bob = waits.listen("to bob");
  using eve = waits.listen("to eve");
  const [first, second] = [bob.next(60_000, never), eve.next(5, never)];
  assert.equal(waits.count, 2);
  waits.wake("to bob");
  assert.deepEqual([await first, await second], [true, false]);
  assert.equal(waits.count, 0);
});

test("waits: a signal ends it, also one that was aborted before", async () => {
  const waits = new Waits();
  const gone = new AbortController();
  using waiter = waits.listen("to bob");
  const waiting = waiter.next(60_000, gone.signal);
  gone.abort();
  assert.equal(await waiting, false);
  assert.equal(await waiter.next(60_000, gone.signal), false);
});
