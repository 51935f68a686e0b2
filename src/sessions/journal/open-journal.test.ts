import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { randomOf, withSeed } from "../../../test/harness/random.ts";
import { RECORD } from "../../protocol/journal-records.ts";
import { JournalReader } from "./journal-reader.ts";
import { openJournal } from "./open-journal.ts";
import { JournalWriter } from "./testing/journal-writer.ts";

async function outputOf(dir: string): Promise<string> {
  const reader = new JournalReader(dir);
  let output = "";
  for (let position = await reader.start(); position; ) {
    const read = await reader.read(position);
    if (read.kind !== "records") break;
    for (const { kind, bytes } of read.records) if (kind === RECORD.output) output += Buffer.from(bytes).toString();
    position = read.position;
  }
  await reader.close();
  return output;
}

test("open: torn at any byte of its last record, with or without garbage behind, at most that record is gone, and it can be gone on with", () =>
  withSeed(async ({ seed }) => {
    const random = randomOf(seed);
    using journal = new JournalWriter();
    journal.write("kept ");
    const { segmentBytes: goodBytes } = journal;
    journal.write("the last one");
    const { segmentBytes: wholeBytes } = journal;
    for (let length = goodBytes; length <= wholeBytes; length++) {
      for (const garbageBytes of [0, 1, 40, random.between(2, 5000)]) {
        const isWhole = length === wholeBytes;
        journal.truncate(length);
        journal.appendRaw(Buffer.from(Array.from({ length: garbageBytes }, () => random.between(0, 255))));
        const opened = await openJournal(journal.dir);
        const what = `${length} bytes and ${garbageBytes} of garbage`;
        assert.equal(opened.output, isWhole ? 17 : 5, what);
        assert.equal(opened.segmentBytes, isWhole ? wholeBytes : goodBytes, what);
        assert.equal(opened.cutBytes, length + garbageBytes - opened.segmentBytes, what);
        assert.equal(journal.fileBytes, opened.segmentBytes, what);
        Object.assign(journal, { output: opened.output, segmentBytes: opened.segmentBytes });
        journal.write("appended");
        assert.equal(await outputOf(journal.dir), isWhole ? "kept the last oneappended" : "kept appended", what);
        journal.truncate(goodBytes);
        Object.assign(journal, { output: 5, segmentBytes: goodBytes });
        journal.write("the last one");
      }
    }
  }));

test("open: says where everything ends", async () => {
  using journal = new JournalWriter({ cols: 100, rows: 30 });
  journal.write("output ");
  journal.rotate();
  journal.resize(120, 40);
  journal.write("more");
  const before = await openJournal(journal.dir);
  assert.deepEqual(before, {
    output: 11,
    input: 0,
    segment: 2,
    segmentBytes: journal.segmentBytes,
    cols: 120,
    rows: 40,
    end: null,
    startedAtMs: 1_001,
    lastAtMs: 1_005,
    cutBytes: 0,
  } satisfies typeof before);
  const exit = { code: 3, signal: null, at: "2026-01-02T03:04:05.678Z" };
  journal.append(RECORD.end, Buffer.from(JSON.stringify(exit)));
  assert.deepEqual((await openJournal(journal.dir)).end, exit);
  journal.rotate();
  assert.equal((await openJournal(journal.dir)).end, null, "another program goes on");
});

test("open: what pipes were given is counted, wherever the last of it is", async () => {
  using journal = new JournalWriter({ cols: 0, rows: 0 });
  journal.append(RECORD.input, Buffer.from("sourceidhello"));
  journal.write("answer");
  for (const segment of [2, 3]) {
    journal.rotate();
    journal.write(`in segment ${segment}`);
  }
  const { output, input, cols } = await openJournal(journal.dir);
  assert.deepEqual([output, input, cols], [30, 5, 0]);
});

test("open: a last segment of which nothing was written", async () => {
  using journal = new JournalWriter();
  journal.write("all of it");
  journal.rotate();
  journal.truncate(0);
  const opened = await openJournal(journal.dir);
  assert.deepEqual([opened.output, opened.segment, opened.segmentBytes, opened.cols], [9, 2, 0, 80]);
});

test("open: to look only, nothing is cut", async () => {
  using journal = new JournalWriter();
  journal.write("good");
  journal.appendRaw(Buffer.from("torn"));
  const { fileBytes } = journal;
  assert.equal((await openJournal(journal.dir, { repair: false })).cutBytes, 4);
  assert.equal(journal.fileBytes, fileBytes);
});

test("open: there is none", async () => {
  using journal = new JournalWriter();
  rmSync(journal.dir, { recursive: true });
  const { output, segment, end } = await openJournal(journal.dir);
  assert.deepEqual([output, segment, end], [0, 0, null]);
});
