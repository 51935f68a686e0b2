import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { STREAMS, type Stream } from "./files.ts";
import { collect, countingReader, described, type LogFixture, temporaryRun } from "./log-fixture.ts";
import { endOfLine, type LogItem, type LogLine } from "./log-item.ts";
import { openRunLog } from "./log-source.ts";
import { mergedLines } from "./merged-lines-fixture.ts";
import type { OrderRecord } from "./order-record.ts";
import type { Start } from "./start.ts";

interface Write {
  stream: Stream;
  bytes: Uint8Array;
  /** A record is made after it. */
  sampled: boolean;
}

const stream = fc.constantFrom<Stream>(...STREAMS);
// Few values, so that newlines are frequent, and bytes that are no UTF-8.
const noise = fc
  .array(fc.constantFrom(10, 13, 65, 0, 0xff, 0xc3), { maxLength: 12 })
  .map((bytes) => Uint8Array.from(bytes));
const writes = fc.array(fc.record({ stream, bytes: noise, sampled: fc.boolean() }), { maxLength: 40 });

/** The run's files as these writes make them. */
function play(run: LogFixture, all: readonly Write[]): OrderRecord[] {
  const ends = { stdout: 0, stderr: 0 };
  const records: OrderRecord[] = [];
  for (const { stream: to, bytes, sampled } of all) {
    run.write(to, bytes);
    ends[to] += bytes.length;
    if (sampled) records.push({ timeMs: 1_000 + records.length, ...ends });
  }
  run.index(records);
  return records;
}

/** The rule, said as simply as it can be: lines sorted by the record that covers their last byte, then stream, then offset. */
function model(all: readonly Write[], records: readonly OrderRecord[]): string[] {
  const lines: { key: [number, number, number]; text: string }[] = [];
  for (const [rank, of] of STREAMS.entries()) {
    const whole = Buffer.concat(all.filter((write) => write.stream === of).map((write) => write.bytes)).toString(
      "latin1",
    );
    let offset = 0;
    for (const text of whole.split(/(?<=\n)/)) {
      if (text === "") continue;
      const end = offset + text.length;
      const record = records.findIndex((one) => one[of] >= end);
      lines.push({ key: [record === -1 ? records.length : record, rank, offset], text: `${of.slice(3)}:${text}` });
      offset = end;
    }
  }
  lines.sort((a, b) => a.key[0] - b.key[0] || a.key[1] - b.key[1] || a.key[2] - b.key[2]);
  return lines.map(({ text }) => (text.endsWith("\n") ? text.slice(0, -1) : `${text}…`));
}

async function read(run: LogFixture, pieceBytes: number, start?: Start): Promise<LogItem[]> {
  await using log = await openRunLog(run.paths, { openFile: countingReader(pieceBytes).openFile });
  return await collect(mergedLines(log, start === undefined ? {} : { start }));
}

test("merged lines: any writes, samples and sizes of reads give the model's lines, byte for byte", async () => {
  await fc.assert(
    fc.asyncProperty(writes, fc.integer({ min: 1, max: 9 }), async (all, pieceBytes) => {
      using run = temporaryRun();
      const records = play(run, all);
      assert.deepEqual(described(await read(run, pieceBytes)), model(all, records));
    }),
    { numRuns: 300 },
  );
});

test("merged lines: whole lines that are sampled one by one come in the order of writing", async () => {
  const line = fc.record({ stream, text: fc.stringMatching(/^[a-z]{0,5}$/) });
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 60 }), async (all) => {
      using run = temporaryRun();
      play(
        run,
        all.map(({ stream: to, text }) => ({ stream: to, bytes: Buffer.from(`${text}\n`), sampled: true })),
      );
      assert.deepEqual(
        described(await read(run, 4)),
        all.map(({ stream: to, text }) => `${to.slice(3)}:${text}`),
      );
    }),
    { numRuns: 100 },
  );
});

test("merged lines: a tail of n lines is the last n of the whole", async () => {
  await fc.assert(
    fc.asyncProperty(writes, fc.nat(12), async (all, lines) => {
      using run = temporaryRun();
      play(run, all);
      const whole = described(await read(run, 5));
      const tail = described(await read(run, 5, { kind: "tail", lines }));
      assert.deepEqual(tail, lines === 0 ? [] : whole.slice(-lines));
    }),
    { numRuns: 300 },
  );
});

test("merged lines: reading on from the positions after any line gives the rest, nothing lost and nothing twice", async () => {
  await fc.assert(
    fc.asyncProperty(writes, fc.nat(30), async (all, stop) => {
      using run = temporaryRun();
      play(run, all);
      const whole = (await read(run, 7)) as LogLine[];
      const positions = { stdout: 0, stderr: 0 };
      for (const item of whole.slice(0, stop)) positions[item.stream] = endOfLine(item);
      const rest = await read(run, 3, { kind: "positions", positions });
      assert.deepEqual(described(rest), described(whole.slice(stop)));
    }),
    { numRuns: 200 },
  );
});

test("merged lines: since a time gives the lines that were finished from then on, whole", async () => {
  using run = temporaryRun();
  run.write("stdout", "one\ntwo\nthree\n");
  run.write("stderr", "oops\n");
  run.index([
    { timeMs: 1_000, stdout: 4, stderr: 0 },
    // Inside "two": the line was finished later.
    { timeMs: 2_000, stdout: 6, stderr: 0 },
    { timeMs: 3_000, stdout: 8, stderr: 0 },
    { timeMs: 4_000, stdout: 8, stderr: 5 },
  ]);
  const since = async (timeMs: number) => described(await read(run, 100, { kind: "since", timeMs }));
  assert.deepEqual(await since(0), ["out:one", "out:two", "err:oops", "out:three"]);
  assert.deepEqual(await since(2_500), ["out:two", "err:oops", "out:three"]);
  assert.deepEqual(await since(3_001), ["err:oops", "out:three"]);
  // Bytes that no record covers may be newer than any record.
  assert.deepEqual(await since(9_000), ["out:three"]);
  const items = await read(run, 100);
  assert.deepEqual(
    items.map((item) => item.kind === "line" && item.timeMs),
    [1_000, 3_000, 4_000, undefined],
  );
});

test("merged lines: since a time without an index is everything, or nothing when the file is older", async () => {
  using run = temporaryRun();
  run.write("stdout", "a\n");
  assert.deepEqual(described(await read(run, 9, { kind: "since", timeMs: Date.now() - 60_000 })), ["out:a"]);
  assert.deepEqual(described(await read(run, 9, { kind: "since", timeMs: Date.now() + 60_000 })), []);
});

test("merged lines: a torn record, a record that goes down and a strange header are ignored", async () => {
  using run = temporaryRun();
  run.write("stdout", "a\nb\n");
  run.write("stderr", "x\n");
  run.index([
    { timeMs: 1, stdout: 2, stderr: 0 },
    { timeMs: 0, stdout: 0, stderr: 0 },
    { timeMs: 2, stdout: 2, stderr: 2 },
  ]);
  appendFileSync(run.paths.indexPath, Buffer.from([1, 2, 3, 4, 5, 6, 7]));
  assert.deepEqual(described(await read(run, 9)), ["out:a", "err:x", "out:b"]);
  writeFileSync(run.paths.indexPath, "something else entirely, and long enough\n");
  assert.deepEqual(described(await read(run, 9)), ["out:a", "out:b", "err:x"]);
});

test("merged lines: one stream alone, and no files at all", async () => {
  using run = temporaryRun();
  assert.deepEqual(await read(run, 9), []);
  run.write("stdout", "a\n");
  run.write("stderr", "x");
  await using log = await openRunLog(run.paths);
  assert.deepEqual(described(await collect(mergedLines(log, { streams: ["stderr"] }))), ["err:x…"]);
  assert.deepEqual(described(await collect(mergedLines(log, { unterminated: false }))), ["out:a"]);
});
