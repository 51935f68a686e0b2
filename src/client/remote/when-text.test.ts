import assert from "node:assert/strict";
import { test } from "node:test";
import { whenText } from "./when-text.ts";

test("when: of today the time alone, of another day the day as well", () => {
  const noon = new Date(2026, 10, 21, 12, 3).getTime();
  assert.equal(whenText(noon, noon + 3_600_000), "at 12:03");
  assert.equal(whenText(noon, noon + 24 * 3_600_000), "on 2026-11-21 at 12:03");
});
