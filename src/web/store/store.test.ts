import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "./store.ts";

test("store: listeners are told once for all changes of a turn, and not of none", async () => {
  const store = new Store(0, (state: number, add: number) => state + add);
  const seen: number[] = [];
  const forget = store.subscribe(() => seen.push(store.get()));
  store.dispatch(1);
  store.dispatch(2);
  assert.equal(store.get(), 3, "at once");
  await Promise.resolve();
  store.dispatch(0);
  await Promise.resolve();
  forget();
  store.dispatch(5);
  await Promise.resolve();
  assert.deepEqual(seen, [3]);
});
