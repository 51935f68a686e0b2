import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSince } from "./since.ts";

const NOW = new Date(2026, 2, 10, 14, 0, 0).getTime();
const local = (...parts: [number, number, number, number, number, number?]) => new Date(...parts).getTime();

test("since: durations before now", () => {
  assert.equal(parseSince("10m", NOW), NOW - 600_000);
  assert.equal(parseSince("2h", NOW), NOW - 7_200_000);
  assert.equal(parseSince("1h30m", NOW), NOW - 5_400_000);
});

test("since: a clock time is the last time the clock showed it", () => {
  assert.equal(parseSince("13:30", NOW), local(2026, 2, 10, 13, 30));
  assert.equal(parseSince("13:30:05", NOW), local(2026, 2, 10, 13, 30, 5));
  assert.equal(parseSince("14:01", NOW), local(2026, 2, 9, 14, 1));
  assert.equal(parseSince("9:05", NOW), local(2026, 2, 10, 9, 5));
});

test("since: RFC 3339, and local time without a zone", () => {
  assert.equal(parseSince("2026-03-01T10:00:00Z", NOW), Date.UTC(2026, 2, 1, 10));
  assert.equal(parseSince("2026-03-01t10:00:00.250+02:00", NOW), Date.UTC(2026, 2, 1, 8, 0, 0, 250));
  assert.equal(parseSince("2026-03-01 10:00", NOW), local(2026, 2, 1, 10, 0));
  assert.equal(parseSince("2026-03-01", NOW), local(2026, 2, 1, 0, 0));
});

test("since: anything else is refused, with the text", () => {
  for (const text of ["", "yesterday", "25:00", "2026-13-01", "10:00 pm", "-5m"]) {
    assert.throws(
      () => parseSince(text, NOW),
      (error: Error & { code?: string }) => error.code === "SINCE_INVALID" && error.message.includes(`"${text}"`),
    );
  }
});
