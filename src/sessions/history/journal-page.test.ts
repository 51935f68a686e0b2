import assert from "node:assert/strict";
import { test } from "node:test";
import { RECORD } from "../../protocol/journal-records.ts";
import { JournalWriter } from "../journal/testing/journal-writer.ts";
import { journalPage } from "./journal-page.ts";

const WAIT_MS = 60_000;

test("page: what is written behind much input is there at once", { timeout: WAIT_MS / 2 }, async () => {
  using journal = new JournalWriter();
  const at = journal.segmentBytes;
  for (let count = 0; count < 8; count++) journal.append(RECORD.input, Buffer.alloc(64 * 1024));
  journal.write("the answer");
  const start = { from: { segment: 1, at, offset: 0 } };
  const { records } = await journalPage(journal.dir, start, {
    waitMs: WAIT_MS,
    signal: new AbortController().signal,
  });
  assert.deepEqual(
    records.map(({ base64 }) => Buffer.from(base64, "base64").toString()),
    ["the answer"],
  );
});
