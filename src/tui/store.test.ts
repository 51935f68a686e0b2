import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { job, NOW_MS, Played } from "../../test/tui/played.ts";
import type { Effect } from "./model/model.ts";
import { Store } from "./store.ts";

test("many actions of one turn are drawn once; actions that change nothing are not drawn", async () => {
  let drawn = 0;
  const effects: Effect[] = [];
  const store = new Store(new Played().model, () => {
    drawn += 1;
  });
  store.onEffect = (effect) => effects.push(effect);
  store.dispatch({ type: "snapshot", jobs: [job("1aa"), job("1bb")], nowMs: NOW_MS });
  store.dispatch({ type: "key", key: "j" });
  await setImmediate();
  assert.equal(drawn, 1);
  assert.equal(store.model.selectedId, "1bb");
  assert.ok(effects.some(({ kind }) => kind === "load-runs"));
  store.dispatch({ type: "tick", nowMs: NOW_MS + 1 });
  store.dispatch({ type: "key", key: "z" });
  await setImmediate();
  assert.equal(drawn, 1, "idle draws nothing");
});

test("closed: what was due is not drawn", async () => {
  let drawn = 0;
  const store = new Store(new Played().model, () => {
    drawn += 1;
  });
  store.dispatch({ type: "key", key: "?" });
  store.close();
  await setImmediate();
  assert.equal(drawn, 0);
});
