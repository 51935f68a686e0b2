import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { HandClock } from "../platform/testing/hand-clock.ts";
import type { Session } from "../protocol/units.ts";
import { RemovedSessions } from "./removed-sessions.ts";
import { sessionIdFor } from "./session-ids.ts";

const MINUTE_MS = 60_000;

test("removed: after ten minutes an answer is gone with the next removal, a younger one answers a repeat", () => {
  const sessionsDir = mkdtempSync(join(tmpdir(), "warren-removed-"));
  const dir = join(sessionsDir, ".removed");
  const clock = new HandClock();
  const removed = new RemovedSessions(sessionsDir, clock);
  const note = (requestId: string, name: string): void => {
    removed.note(requestId, { name } as Session);
    utimesSync(join(dir, sessionIdFor(requestId)), clock.wallMs() / 1_000, clock.wallMs() / 1_000);
  };
  try {
    note("first", "fox");
    clock.pass(2 * MINUTE_MS);
    note("second", "owl");
    assert.equal(removed.answerTo("first")?.name, "fox");
    clock.pass(9 * MINUTE_MS);
    note("third", "elk");
    assert.equal(removed.answerTo("first"), undefined);
    assert.equal(removed.answerTo("second")?.name, "owl");
    assert.equal(readdirSync(dir).length, 2);
  } finally {
    rmSync(sessionsDir, { recursive: true, force: true });
  }
});
