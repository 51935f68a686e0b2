import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  DEFAULTS,
  mergeSettings,
  readSettings,
  type Settings,
  textOfSettings,
  valuesOf,
  withSetting,
} from "./settings.ts";

const NOW_MS = 1_000_000;
const field = fc.record(
  {
    value: fc.oneof(fc.boolean(), fc.constantFrom("dark", "light", "odd"), fc.integer({ min: -1, max: 30 })),
    atMs: fc.integer({ min: 0, max: 5 }),
    by: fc.constantFrom("a", "b"),
  },
  { noNullPrototype: true },
);
const settings = fc.dictionary(fc.constantFrom("appearance", "sounds", "of a newer app"), field, {
  noNullPrototype: true,
}) as fc.Arbitrary<Settings>;

test("settings: copies become the same, in whatever order they meet and however often", () => {
  fc.assert(
    fc.property(settings, settings, settings, (a, b, c) => {
      const merged = mergeSettings(mergeSettings(a, b), c);
      assert.deepEqual(merged, mergeSettings(c, mergeSettings(b, a)));
      assert.deepEqual(merged, mergeSettings(mergeSettings(a, c), mergeSettings(b, c)));
      assert.deepEqual(merged, mergeSettings(merged, b));
      assert.deepEqual(merged, readSettings(textOfSettings(merged), NOW_MS));
    }),
  );
});

test("settings: of each field the one set last counts, whatever else was set", () => {
  const phone = withSetting({}, { name: "appearance", value: "dark", nowMs: 10, by: "phone" });
  const both = withSetting(phone, { name: "sounds", value: true, nowMs: 20, by: "phone" });
  const desktop = withSetting({}, { name: "appearance", value: "light", nowMs: 15, by: "desktop" });
  assert.deepEqual(valuesOf(mergeSettings(both, desktop)), { ...DEFAULTS, appearance: "light", sounds: true });
  const later = withSetting(desktop, { name: "appearance", value: "system", nowMs: 3, by: "desktop" });
  assert.equal(valuesOf(mergeSettings(desktop, later)).appearance, "system", "with a clock that was put back too");
});

test("settings: what makes no sense here is the default, and is kept for whoever understands it", () => {
  const text = JSON.stringify({
    appearance: { value: "sepia", atMs: 5, by: "newer" },
    terminalFontPx: { value: 900, atMs: 5, by: "newer" },
    swipe: { value: { left: "stop" }, atMs: 5, by: "newer" },
    sounds: { value: true, atMs: "soon", by: "odd" },
    keyBar: null,
  });
  const read = readSettings(text, NOW_MS);
  assert.deepEqual(valuesOf(read), DEFAULTS);
  assert.deepEqual(Object.keys(read), ["appearance", "terminalFontPx", "swipe"]);
  for (const odd of [null, "", "no JSON", "[]", "7", "null"]) assert.deepEqual(readSettings(odd, NOW_MS), {});
});

test("settings: a clock that was years ahead does not win for ever", () => {
  const ahead = withSetting({}, { name: "order", value: "name", nowMs: NOW_MS * 1_000_000, by: "z" });
  const read = readSettings(textOfSettings(ahead), NOW_MS);
  const now = withSetting({}, { name: "order", value: "recent", nowMs: NOW_MS + 1, by: "a" });
  assert.equal(valuesOf(mergeSettings(read, now)).order, "recent");
});
