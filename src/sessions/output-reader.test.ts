import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import { JournalWriter } from "./journal/testing/journal-writer.ts";
import { OutputReader } from "./output-reader.ts";

/** How many files of this journal the process has open. */
function openSegmentCount(journalDir: string): number {
  return readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(journalDir);
    } catch {
      return false; // that of the look itself
    }
  }).length;
}

test("close: a read after it opens nothing", async () => {
  using journal = new JournalWriter();
  journal.write("one ");
  const reader = (await OutputReader.open(journal.dir, 0))!;
  assert.equal(openSegmentCount(journal.dir), 1);
  await reader.close();
  journal.write("two ");
  assert.deepEqual(await reader.read(1024), { kind: "none" });
  assert.equal(openSegmentCount(journal.dir), 0);
});

test("close: what a read that is under way opens is closed too", async () => {
  using journal = new JournalWriter();
  journal.write("one ");
  const reader = (await OutputReader.open(journal.dir, { segment: 1, at: 0, offset: 0 }))!;
  const reading = reader.read(1024);
  await reader.close();
  await reading;
  assert.equal(openSegmentCount(journal.dir), 0);
});
