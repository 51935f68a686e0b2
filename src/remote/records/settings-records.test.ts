import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../protocol/settings.ts";
import { RECORD_KINDS } from "../../sealing/record.ts";
import { decodeSettings } from "../../sealing/settings-text.ts";
import { decodeUnitRow } from "../../sealing/unit-row.ts";
import { RecordsSite, type TestReader } from "./testing/records-site.ts";

const dark: Settings = { appearance: { value: "dark", at_ms: 5, by: "phone" } };
const light: Settings = { appearance: { value: "light", at_ms: 6, by: "desk" } };

/** All that the device was told of the settings, in order; the other states are rows of units. */
function told(reader: TestReader, nowMs: number): Settings[] {
  const states = reader.store.rows.filter(({ kind }) => kind === RECORD_KINDS.state);
  return states.flatMap(({ text }) => {
    const settings = decodeSettings(text, nowMs);
    if (!settings) assert.ok(decodeUnitRow(text).id);
    return settings ? [settings] : [];
  });
}

test("settings: sealed where there are any, again only when they differ, and anew in each period; rows go on beside them", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  const nowMs = site.clock.wallMs();
  await site.rows([{ id: "web", kind: "job", name: "web", state: "running" }]);
  await phone.fetch();
  assert.deepEqual(told(phone, nowMs), [], "nobody has set anything");
  await site.settings.merge(dark);
  await site.pass(4_000);
  await phone.fetch();
  assert.deepEqual(told(phone, nowMs), [dark]);

  site.kill();
  await site.start();
  await site.isReady();
  await site.settings.merge(dark);
  await site.pass(4_000);
  await phone.fetch();
  assert.deepEqual(told(phone, nowMs), [dark], "the next server says what is new alone");
  await site.settings.merge(light);
  await site.pass(4_000);
  await phone.fetch();
  assert.deepEqual(told(phone, nowMs), [dark, light]);

  await site.pass(24 * 3_600_000 + 60_000, 3_000_000);
  await site.isReady();
  await phone.fetch();
  assert.deepEqual(told(phone, nowMs), [light], "under the key of the next day, and nothing else counts");
  assert.deepEqual([await phone.gaps(), phone.refused], [[], []]);
});
