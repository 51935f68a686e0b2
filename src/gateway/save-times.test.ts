import assert from "node:assert/strict";
import { test } from "node:test";
import { SaveWatch } from "./save-times.ts";

test("save times: each step of a save, from its first sign to the switch", () => {
  const watch = new SaveWatch("api");
  watch.note({ kind: "touched", change: 1 }, 100, "one");
  watch.note({ kind: "sources", change: 1, version: "two" }, 155, "one");
  watch.note({ kind: "built", version: "two" }, 170, "one");
  watch.note({ kind: "probed", instance: "api-2", isOk: true }, 190, "one");
  watch.note({ kind: "applied", publication: 3 }, 195, "two");
  const { at: _, ...times } = watch.last!;
  assert.deepEqual(times, {
    worker: "api",
    version: "two",
    detected_ms: 55,
    built_ms: 70,
    ready_ms: 90,
    switched_ms: 95,
  });
});

test("save times: that the front holds the worker is no switch, also after a save before", () => {
  const watch = new SaveWatch("api");
  watch.note({ kind: "touched", change: 1 }, 100, "one");
  watch.note({ kind: "sources", change: 1, version: "two" }, 150, "one");
  watch.note({ kind: "applied", publication: 2 }, 200, "two");
  watch.note({ kind: "touched", change: 2 }, 1_000, "two");
  watch.note({ kind: "applied", publication: 3 }, 1_002, "two"); // held
  assert.equal(watch.last?.switched_ms, 100, "still of the save before");
  watch.note({ kind: "sources", change: 2, version: "three" }, 1_055, "two");
  watch.note({ kind: "applied", publication: 4 }, 1_110, "three");
  assert.deepEqual([watch.last?.version, watch.last?.switched_ms], ["three", 110]);
});

test("save times: a save that changed nothing, and one that could not be built, are none", () => {
  const watch = new SaveWatch("api");
  watch.note({ kind: "touched", change: 1 }, 100, "one");
  watch.note({ kind: "sources", change: 1, version: "one" }, 150, "one");
  watch.note({ kind: "applied", publication: 2 }, 160, "one");
  assert.equal(watch.last, undefined);
});
