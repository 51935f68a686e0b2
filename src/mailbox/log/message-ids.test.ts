import assert from "node:assert/strict";
import { test } from "node:test";
import { TestWriter } from "./log-fixture.ts";
import { MessageIds } from "./message-ids.ts";

const NOW_MS = Date.UTC(2026, 10, 21);

test("message ids: nine letters, and each greater than the one before, whatever the clock does", () => {
  const ids = new MessageIds();
  const times = [NOW_MS, NOW_MS, NOW_MS + 1, NOW_MS - 60_000, NOW_MS + 60_000, NOW_MS + 60_000.5];
  const given = times.flatMap((nowMs) => Array.from({ length: 100 }, () => ids.next(nowMs)));
  assert.deepEqual(given, [...new Set(given)].sort());
  for (const id of given) assert.match(id, /^[0-9a-hjkmnp-tv-z]{9}$/);
});

test("message ids: a clock before the first of them gives ids all the same", () => {
  const ids = new MessageIds();
  assert.deepEqual([ids.next(0), ids.next(0)], ["000000000", "000000001"]);
});

test("a transaction's messages are neighbours in the index of ids: it writes fewer pages than messages", () => {
  using log = new TestWriter();
  const send = (count: number): void => {
    const steps = Array.from({ length: count }, () => ({
      type: "mail.send" as const,
      payload: { to: [`owl${sent++ % 2}`], body: "hi" },
      by: { name: "fox", client: "fox's" },
      nowMs: log.nowMs,
    }));
    for (const outcome of log.writer.perform(steps)) assert.ok(!("error" in outcome));
  };
  const pages = (): number => Number(log.writer.log.get("pragma wal_checkpoint(noop)")?.log);
  let sent = 0;
  while (sent < 10_000) send(250);
  const before = pages();
  send(64);
  assert.ok(pages() - before < 32, `${pages() - before} pages`);
});
