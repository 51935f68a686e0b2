import assert from "node:assert/strict";
import { test } from "node:test";
import { bounded, SETTINGS_MAX } from "../protocol/settings.ts";
import { utf8 } from "./bytes.ts";
import { RECORD_TEXT_BYTES_MAX } from "./record.ts";
import { decodeSettings, encodeSettings } from "./settings-text.ts";
import { decodeUnitRow, encodeUnitRow } from "./unit-row.ts";

const NOW_MS = 1_000;
const dark = { value: "dark", at_ms: 5, by: "phone" };
const order = { value: "name", at_ms: 7, by: "desk" };

test("settings text: the same settings are the same bytes, and come out as they went in", () => {
  const text = encodeSettings({ order, appearance: dark });
  assert.deepEqual(text, encodeSettings({ appearance: dark, order }));
  assert.deepEqual(decodeSettings(text, NOW_MS), { appearance: dark, order });
});

test("settings text: a unit's row is none, and a reader that knows rows alone takes it for no row", () => {
  assert.throws(() => decodeUnitRow(encodeSettings({ order })), { code: "FORM_INVALID" });
  const row = encodeUnitRow({ id: "web", kind: "job", name: '{"settings":{}}', state: "running" });
  assert.equal(decodeSettings(row, NOW_MS), undefined);
  for (const odd of ["", "null", "[]", '{"settings":7}', '{"settings":{},"id":"web"}'])
    assert.equal(decodeSettings(utf8(odd), NOW_MS), undefined, odd);
  assert.equal(decodeSettings(new Uint8Array([0xff]), NOW_MS), undefined);
});

test("settings text: as much as there may be fits a record", () => {
  const many = Array.from({ length: 200 }, (_, at) => [`field ${at}`, { ...dark, value: "x".repeat(3_000) }]);
  const text = encodeSettings(bounded(Object.fromEntries(many)));
  assert.ok(text.length > SETTINGS_MAX.bytes * 0.9 && text.length <= RECORD_TEXT_BYTES_MAX, `${text.length}`);
});
