import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../platform/log.ts";
import { HandClock } from "../platform/testing/hand-clock.ts";
import type { FrontTable } from "../protocol/front-messages.ts";
import { tableOf } from "./proxy/testing/test-front.ts";
import { TableFile } from "./table-file.ts";

/** A disk that takes as long as the test says. */
function slowDisk() {
  const clock = new HandClock();
  const begun: number[] = [];
  const writes: PromiseWithResolvers<void>[] = [];
  const file = new TableFile({
    path: "/nowhere/table.json",
    log: silentLog,
    clock,
    replace: (_path, text) => {
      begun.push((JSON.parse(text) as FrontTable).revision);
      const write = Promise.withResolvers<void>();
      writes.push(write);
      return write.promise;
    },
  });
  const save = (...revisions: number[]): void => {
    for (const revision of revisions) file.save(tableOf([], { revision }));
  };
  return { clock, begun, writes, file, save };
}

test("table file: one write at a time, however slow the disk; of what comes meanwhile the newest", async () => {
  const { clock, begun, writes, save } = slowDisk();
  save(1, 2);
  await clock.passSlowly(1_000);
  save(3);
  assert.deepEqual(begun, [1], "the first is under way still");
  writes[0]!.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  await clock.passSlowly(200);
  assert.deepEqual(begun, [1, 3]);
  writes[1]!.reject(new Error("no room"));
  save(4);
  await new Promise((resolve) => setImmediate(resolve));
  await clock.passSlowly(200);
  assert.deepEqual(begun, [1, 3, 4]);
});

test("table file: of what comes often the newest is written now and then; nothing after the end", async () => {
  const { clock, begun, writes, file, save } = slowDisk();
  save(1);
  writes[0]!.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  save(2, 3);
  assert.deepEqual(begun, [1]);
  await clock.passSlowly(200);
  assert.deepEqual(begun, [1, 3]);
  save(4);
  file.stop();
  save(5);
  writes[1]!.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  await clock.passSlowly(1_000);
  assert.deepEqual(begun, [1, 3]);
});
