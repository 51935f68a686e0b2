import assert from "node:assert/strict";
import { test } from "node:test";
import { AHEAD_MS_MAX, parseSettings, readSettings } from "../../protocol/settings.ts";
import { DEFAULTS, valuesOf, withSetting } from "./settings.ts";
import { newerThan, sharedOf, withAnswer, withShared } from "./shared-settings.ts";

const NOW_MS = 1_000_000;

test("settings: of each field the one set last counts, whatever else was set", () => {
  const phone = withSetting({}, { name: "appearance", value: "dark", nowMs: 10, by: "phone" });
  const both = withSetting(phone, { name: "sounds", value: true, nowMs: 20, by: "phone" });
  const desktop = withSetting({}, { name: "appearance", value: "light", nowMs: 15, by: "desktop" });
  assert.deepEqual(valuesOf(withShared(both, desktop)), { ...DEFAULTS, appearance: "light", sounds: true });
  const later = withSetting(desktop, { name: "appearance", value: "system", nowMs: 3, by: "desktop" });
  assert.equal(valuesOf(withShared(desktop, later)).appearance, "system", "with a clock that was put back too");
});

test("settings: what makes no sense here is the default, and is kept for whoever understands it", () => {
  const text = JSON.stringify({
    appearance: { value: "sepia", at_ms: 5, by: "newer" },
    terminalFontPx: { value: 900, at_ms: 5, by: "newer" },
    swipe: { value: { left: "stop" }, at_ms: 5, by: "newer" },
  });
  const read = parseSettings(text, NOW_MS);
  assert.deepEqual(valuesOf(read), DEFAULTS);
  assert.deepEqual(Object.keys(sharedOf(read)), ["appearance", "swipe"]);
});

test("settings: what is of this browser alone is neither given nor taken", () => {
  const set = { at_ms: 5, by: "phone" };
  const own = { terminalFontPx: { value: 20, ...set }, order: { value: "name", ...set } };
  const theirs = {
    terminalFontPx: { value: 9, at_ms: 9, by: "desk" },
    confirmApprove: { value: false, at_ms: 9, by: "a machine that lies" },
    everywhere: { value: false, at_ms: 9, by: "desk" },
    sounds: { value: true, at_ms: 9, by: "desk" },
  };
  assert.deepEqual(newerThan(own, {}), { order: own.order });
  assert.deepEqual(withShared(own, theirs), { ...own, sounds: theirs.sounds });
});

test("settings: a machine's word that a clock here is ahead counts, but not for what was set meanwhile", () => {
  const sent = withSetting({}, { name: "order", value: "name", nowMs: NOW_MS * 1_000, by: "ahead" });
  const answered = readSettings(sent, NOW_MS + AHEAD_MS_MAX);
  const own = withAnswer(sent, sent, answered);
  assert.equal(own.order!.at_ms, NOW_MS + AHEAD_MS_MAX);
  const elsewhere = withSetting({}, { name: "order", value: "recent", nowMs: own.order!.at_ms + 1, by: "a" });
  assert.equal(valuesOf(withShared(own, elsewhere)).order, "recent");
  const changed = withSetting(sent, { name: "order", value: "project", nowMs: NOW_MS * 1_000, by: "ahead" });
  assert.equal(valuesOf(withAnswer(changed, sent, answered)).order, "project");
});
