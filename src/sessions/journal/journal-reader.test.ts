import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { encodeRecordHeader, RECORD, RECORD_HEADER_BYTES, segmentName } from "../../protocol/journal-records.ts";
import { runs } from "../screen/testing/streams.ts";
import { type JournalPosition, JournalReader } from "./journal-reader.ts";
import { JournalWriter } from "./testing/journal-writer.ts";

/** Output from a place on, as far as there is any. */
async function outputFrom(reader: JournalReader, from: JournalPosition, bytesMax?: number) {
  let position = from;
  let output = "";
  const sizes: number[] = [];
  for (;;) {
    const read = await reader.read(position, bytesMax);
    if (read.kind !== "records") return { output, position, sizes, kind: read.kind, goesOnAt: read.position };
    for (const { kind, bytes } of read.records) {
      if (kind === RECORD.output) output += Buffer.from(bytes).toString("latin1");
      if (kind === RECORD.size) sizes.push(bytes.length);
    }
    position = read.position;
  }
}

async function withReader(journal: JournalWriter, work: (reader: JournalReader) => Promise<void>): Promise<void> {
  const reader = new JournalReader(journal.dir);
  try {
    await work(reader);
  } finally {
    await reader.close();
  }
}

test("read: from the start to the end, through segments, and on when there is more", async () => {
  using journal = new JournalWriter();
  journal.write("one ").write("two ");
  journal.rotate();
  journal.write("three ");
  await withReader(journal, async (reader) => {
    const start = await reader.start();
    assert.deepEqual(start, { segment: 1, at: 0, offset: 0 });
    const first = await outputFrom(reader, start!);
    assert.equal(first.output, "one two three ");
    assert.deepEqual(first.position, { segment: 2, at: journal.segmentBytes, offset: journal.output });
    assert.deepEqual(await reader.end(), first.position);
    journal.write("four ");
    journal.rotate();
    journal.write("five");
    assert.equal((await outputFrom(reader, first.position)).output, "four five");
  });
});

test("read: what is not whole yet is not there yet", async () => {
  using journal = new JournalWriter();
  journal.write("whole");
  const { segmentBytes } = journal;
  journal.write("in two writes");
  const whole = journal.fileBytes;
  for (let length = segmentBytes; length < whole; length++) {
    journal.truncate(length);
    await withReader(journal, async (reader) => {
      const read = await outputFrom(reader, (await reader.start())!);
      assert.equal(read.output, "whole", `cut at ${length}`);
      assert.equal(read.kind, "none");
      assert.equal(read.position.at, segmentBytes);
      assert.deepEqual(await reader.end(), read.position);
    });
    journal.truncate(segmentBytes);
    journal.output = 5;
    journal.write("in two writes");
  }
});

test("read: a record that is longer than what is asked for comes whole", async () => {
  using journal = new JournalWriter();
  const long = Buffer.alloc(700_000, "x");
  journal.write("a").write(long).write("b");
  await withReader(journal, async (reader) => {
    const { output } = await outputFrom(reader, (await reader.start())!, 4096);
    assert.equal(output.length, long.length + 2);
    assert.match(output, /^ax+b$/);
  });
});

test("seek: any offset finds the record that holds it, in any segment", async () => {
  using journal = new JournalWriter();
  for (const words of ["alpha beta ", "gamma ", "delta epsilon"]) {
    for (const letter of words.split(" ")) journal.write(letter);
    journal.append(RECORD.errors, Buffer.from("not counted"));
    journal.append(RECORD.input, Buffer.from("01234567typed"));
    journal.rotate();
  }
  await withReader(journal, async (reader) => {
    const { output } = await outputFrom(reader, (await reader.start())!);
    for (let offset = 0; offset <= journal.output; offset++) {
      const position = await reader.seek(offset);
      assert.ok(typeof position === "object", `offset ${offset}`);
      assert.ok(position.offset <= offset, `${position.offset} is not behind ${offset}`);
      const rest = (await outputFrom(reader, position)).output.slice(offset - position.offset);
      assert.equal(rest, output.slice(offset), `offset ${offset}`);
    }
    assert.equal(await reader.seek(journal.output + 1), undefined, "not written yet");
  });
});

test("seek: near the end of a long segment, whatever the program wrote there", async () => {
  using journal = new JournalWriter();
  for (let at = 0; at < 6_000; at++) journal.write(`${at % 7} line ${at}\r\n`);
  // What looks like records: the end of its own journal, and headers that lead nowhere.
  const own = readFileSync(journal.path).subarray(-9_000);
  journal.write(own);
  journal.resize(100, 40);
  const header = encodeRecordHeader({ kind: RECORD.output, timeMs: 1, offset: journal.output, bytes: own });
  for (let at = 0; at < 300; at++) journal.write(header);
  journal.append(RECORD.errors, Buffer.from("oh"));
  for (let at = 0; at < 500; at++) journal.write(`and ${at}\r\n`);
  const whole = journal.output;
  journal.appendRaw(header.subarray(0, 11)); // being written
  await withReader(journal, async (reader) => {
    const all = (await outputFrom(reader, (await reader.start())!)).output;
    for (let offset = whole; offset > whole - 30_000; offset -= 97) {
      const position = (await reader.seek(offset)) as JournalPosition;
      const { output } = await outputFrom(reader, position);
      assert.ok(position.offset <= offset && offset - position.offset < 9_001, `${offset}: ${position.offset}`);
      assert.equal(output.slice(offset - position.offset), all.slice(offset), `from ${offset} on`);
    }
  });
});

test("seek: finds its way through a segment of megabytes", async () => {
  using journal = new JournalWriter();
  const piece = Buffer.alloc(10_000);
  for (let count = 0; count < 200; count++) journal.write(piece.fill(count));
  await withReader(journal, async (reader) => {
    const position = await reader.seek(1_234_567);
    assert.deepEqual((position as JournalPosition).offset, 1_230_000);
    assert.deepEqual((await reader.end())?.offset, 2_000_000);
  });
});

test("gap: the oldest segments are gone", async () => {
  using journal = new JournalWriter();
  journal.write("gone ");
  const early = { segment: 1, at: 0, offset: 0 };
  journal.rotate();
  journal.write("gone too ");
  journal.rotate();
  journal.write("kept");
  for (const segment of [1, 2]) rmSync(join(journal.dir, segmentName(segment)));
  await withReader(journal, async (reader) => {
    const read = await outputFrom(reader, early);
    assert.equal(read.kind, "gap");
    assert.deepEqual(read.goesOnAt, { segment: 3, at: 0, offset: 14 });
    assert.equal((await outputFrom(reader, read.goesOnAt)).output, "kept");
    assert.equal(await reader.seek(3), "gone");
    assert.deepEqual(await reader.start(), read.goesOnAt);
  });
});

test("gap: a segment goes while it is read; who has it open reads it to its end", async () => {
  using journal = new JournalWriter();
  journal.write("first ");
  await withReader(journal, async (reader) => {
    const { position } = await outputFrom(reader, (await reader.start())!);
    journal.write("last ");
    rmSync(journal.path);
    journal.rotate();
    journal.write("next");
    assert.equal((await outputFrom(reader, position)).output, "last next", "nothing is missing");
  });
});

test("gap: damage in a finished segment is passed over and told", async () => {
  using journal = new JournalWriter();
  journal.write("good ");
  const { segmentBytes } = journal;
  journal.write("damaged ");
  journal.truncate(segmentBytes + RECORD_HEADER_BYTES + 3);
  journal.rotate();
  journal.write("good again");
  await withReader(journal, async (reader) => {
    const read = await outputFrom(reader, (await reader.start())!);
    assert.deepEqual([read.output, read.kind, read.goesOnAt.offset], ["good ", "gap", 13]);
    assert.equal((await outputFrom(reader, read.goesOnAt)).output, "good again");
  });
});

test("a journal that is absent or empty has neither a start nor an end", async () => {
  using journal = new JournalWriter();
  rmSync(journal.path);
  await withReader(journal, async (reader) => {
    assert.deepEqual(
      [await reader.start(), await reader.end(), await reader.seek(0)],
      [undefined, undefined, undefined],
    );
    rmSync(journal.dir, { recursive: true });
    assert.equal(await reader.start(), undefined);
    const nowhere = { segment: 1, at: 0, offset: 0 };
    assert.deepEqual(await reader.read(nowhere), { kind: "none", position: nowhere });
  });
});

test("read: in pieces of any size, with any records, the output is whole and the offsets are right", async () => {
  const records = fc.array(
    fc.record({ kind: fc.constantFrom(1, 1, 1, 2, 3, 4), length: fc.nat({ max: 3000 }), rotates: fc.boolean() }),
    { maxLength: 20 },
  );
  await fc.assert(
    fc.asyncProperty(records, fc.integer({ min: 1, max: 5000 }), async (list, bytesMax) => {
      using journal = new JournalWriter();
      let expected = "";
      for (const [at, { kind, length, rotates }] of list.entries()) {
        const bytes = Buffer.alloc(kind === RECORD.size ? 4 : kind === RECORD.input ? length + 8 : length, 97 + at);
        journal.append(kind, bytes);
        if (kind === RECORD.output) expected += bytes.toString("latin1");
        if (rotates) journal.rotate();
      }
      await withReader(journal, async (reader) => {
        const { output, position } = await outputFrom(reader, (await reader.start())!, bytesMax);
        assert.equal(output, expected);
        assert.deepEqual(position, { segment: journal.segment, at: journal.segmentBytes, offset: journal.output });
      });
    }),
    runs(60),
  );
});
