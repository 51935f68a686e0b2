import assert from "node:assert/strict";
import { test } from "node:test";
import type { JournalRecord } from "../../protocol/journal-records.ts";
import { RECORD } from "../../protocol/journal-records.ts";
import { journalPage } from "../../sessions/history/journal-page.ts";
import { JournalWriter } from "../../sessions/journal/testing/journal-writer.ts";
import type { SessionJournal } from "./session-journal.ts";
import { historyLines } from "./session-output.ts";

/** A journal that is far away, and what has come of it. */
function farJournal(writer: JournalWriter): SessionJournal & { came: number } {
  const journal = {
    came: 0,
    records: () => read({}),
    last: (lastBytes: number) => read({ lastBytes }),
    follow: () => assert.fail("nothing is followed"),
  };
  async function* read(start: { lastBytes?: number }): AsyncGenerator<JournalRecord, void> {
    let page = await journalPage(writer.dir, start, { waitMs: 0, signal: new AbortController().signal });
    for (;;) {
      for (const { kind, time_ms, offset, base64 } of page.records) {
        const bytes = Buffer.from(base64, "base64");
        if (kind === RECORD.output) journal.came += bytes.length;
        yield { kind, timeMs: time_ms, offset, bytes };
      }
      if (!page.isMore) return;
      page = await journalPage(writer.dir, { from: page.next }, { waitMs: 0, signal: new AbortController().signal });
    }
  }
  return journal;
}

const lastOf = async (journal: SessionJournal, count?: number): Promise<string[]> =>
  Array.fromAsync(historyLines(journal, count));

test("history: of a long journal that is far away only the end comes", async () => {
  using writer = new JournalWriter();
  for (let part = 0; part < 4_000; part++) {
    if (part % 1_000 === 999) writer.rotate();
    writer.write(Array.from({ length: 20 }, (_, at) => `line ${part * 20 + at} ${"x".repeat(80)}\r\n`).join(""));
  }
  const journal = farJournal(writer);
  const lines = await lastOf(journal, 50);
  assert.deepEqual([lines.length, lines[0]!.split(" ")[1], lines.at(-1)!.split(" ")[1]], [50, "79950", "79999"]);
  assert.ok(journal.came < 512 * 1024, `${journal.came} of ${writer.output} bytes came`);
  assert.deepEqual(lines, (await lastOf(journal)).slice(-50), "the same lines as of all of it");
});

test("history: few and long lines, and all that there is when there are no more", async () => {
  using writer = new JournalWriter();
  for (let line = 0; line < 30; line++) writer.write(`${line} ${"x".repeat(30_000)}\r\n`);
  const journal = farJournal(writer);
  assert.equal((await lastOf(journal, 20))[0]!.slice(0, 3), "10 ");
  assert.equal((await lastOf(journal, 1_000)).length, 30);
  using short = new JournalWriter();
  short.write("one\r\ntwo");
  assert.deepEqual(await lastOf(farJournal(short), 5), ["one", "two"]);
});

test("history: what a full-screen program drew before the end that came is left out", async () => {
  using writer = new JournalWriter();
  for (let line = 0; line < 100; line++) writer.write(`before ${line}\r\n`);
  writer.write("\x1b[?1049h");
  for (let row = 0; row < 10_000; row++) writer.write(`drawn ${row} ${"~".repeat(40)}\r\n`);
  writer.write("\x1b[?1049lafter\r\n");
  const journal = farJournal(writer);
  assert.deepEqual(await lastOf(journal, 1), ["after"]);
  assert.deepEqual(await lastOf(journal, 3), ["before 98", "before 99", "after"]);
});
