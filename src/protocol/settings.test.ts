import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  AHEAD_MS_MAX,
  areSame,
  bounded,
  mergeSettings,
  newerIn,
  parseSettings,
  readSettings,
  SETTINGS_MAX,
  type Settings,
} from "./settings.ts";

const NOW_MS = 1_000_000;
const field = fc.record(
  {
    value: fc.oneof(fc.boolean(), fc.constantFrom("dark", "light", "odd"), fc.integer({ min: -1, max: 30 })),
    at_ms: fc.integer({ min: 0, max: 5 }),
    by: fc.constantFrom("a", "b"),
  },
  { noNullPrototype: true },
);
const settings = fc.dictionary(fc.constantFrom("appearance", "sounds", "of a newer app"), field, {
  noNullPrototype: true,
}) as fc.Arbitrary<Settings>;

/** What counts, without when. */
const sets = (all: Settings): object =>
  Object.fromEntries(Object.entries(all).map(([name, { value, by }]) => [name, [value, by]]));

test("settings: copies become the same, in whatever order they meet and however often", () => {
  fc.assert(
    fc.property(settings, settings, settings, (a, b, c) => {
      const merged = mergeSettings(mergeSettings(a, b), c);
      assert.deepEqual(merged, mergeSettings(c, mergeSettings(b, a)));
      assert.deepEqual(merged, mergeSettings(mergeSettings(a, c), mergeSettings(b, c)));
      assert.deepEqual(merged, mergeSettings(merged, b));
      assert.deepEqual(merged, parseSettings(JSON.stringify(merged), NOW_MS));
    }),
  );
});

test("settings: what is newer here is all that the other lacks", () => {
  fc.assert(
    fc.property(settings, settings, (a, b) => {
      assert.deepEqual(sets(mergeSettings(b, newerIn(a, b))), sets(mergeSettings(b, a)));
      assert.deepEqual(newerIn(a, mergeSettings(a, b)), {});
      if (areSame(a, b)) assert.deepEqual([newerIn(a, b), newerIn(b, a)], [{}, {}]);
      else assert.notDeepEqual(a, b);
    }),
  );
});

test("settings: what has not the form of one is left out, and what no app here understands is kept", () => {
  const text = JSON.stringify({
    swipe: { value: { left: "stop" }, at_ms: 5, by: "newer" },
    sounds: { value: true, at_ms: "soon", by: "odd" },
    order: { at_ms: 5, by: "without a value" },
    appearance: { value: "x".repeat(SETTINGS_MAX.valueBytes), at_ms: 5, by: "large" },
    ["n".repeat(61)]: { value: true, at_ms: 5, by: "long" },
    constructor: { value: true, at_ms: 5, by: "odd" },
    keyBar: null,
  }).replace("{", '{"__proto__":{"value":true,"at_ms":5,"by":"odd"},');
  assert.deepEqual(Object.keys(parseSettings(text, NOW_MS)), ["swipe"]);
  for (const odd of [null, undefined, "", "no JSON", "[]", "7", "null"])
    assert.deepEqual(parseSettings(odd, NOW_MS), {});
});

test("settings: a clock that was years ahead does not win for ever", () => {
  const ahead = { order: { value: "name", at_ms: NOW_MS * 1_000_000, by: "z" } };
  const later = { order: { value: "recent", at_ms: NOW_MS + AHEAD_MS_MAX + 1, by: "a" } };
  assert.deepEqual(mergeSettings(readSettings(ahead, NOW_MS + AHEAD_MS_MAX), later), later);
});

test("settings: past their bounds what was set longest ago goes, the same for everybody", () => {
  const many = Array.from({ length: SETTINGS_MAX.fields + 20 }, (_, at) => [
    `field ${at}`,
    { value: at, at_ms: (at * 7) % 120, by: "a" },
  ]);
  const kept = bounded(Object.fromEntries(many));
  assert.equal(Object.keys(kept).length, SETTINGS_MAX.fields);
  assert.ok(Object.values(kept).every(({ at_ms }) => at_ms >= 20));
  assert.deepEqual(bounded(Object.fromEntries(many.toReversed())), kept);
  const large = many.map(([name, one]) => [name, { ...(one as object), value: "ü".repeat(1_500) }]);
  const held = bounded(Object.fromEntries(large));
  assert.ok(Buffer.byteLength(JSON.stringify(held)) <= SETTINGS_MAX.bytes);
  assert.ok(Object.keys(held).length > 15);
});
