import assert from "node:assert/strict";
import { appendFileSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { test } from "node:test";
import { temporaryRun } from "./log-fixture.ts";
import { OrderIndex } from "./order-index.ts";
import { OrderWriter } from "./order-writer.ts";

const START = { stdout: 0, stderr: 0 };

test("order writer: a full disk costs the records that did not fit and nothing else, half-written ones included", async () => {
  using run = temporaryRun();
  let isFull = false;
  const openFile = async (path: string, flags: string, mode: number): Promise<FileHandle> => {
    const handle = await open(path, flags, mode);
    const write = handle.write.bind(handle) as (
      ...args: unknown[]
    ) => Promise<{ bytesWritten: number; buffer: Buffer }>;
    const failing = async (buffer: Buffer, offset: number, length: number, position: number) => {
      if (!isFull) return write(buffer, offset, length, position);
      await write(buffer, offset, 7, position);
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    };
    return Object.assign(handle, { write: failing }) as unknown as FileHandle;
  };
  const writer = new OrderWriter(run.paths.indexPath, { openFile });
  await writer.open();
  writer.append({ timeMs: 1, stdout: 10, stderr: 0 });
  await writer.flush();
  isFull = true;
  writer.append({ timeMs: 2, stdout: 10, stderr: 10 });
  await writer.flush();
  isFull = false;
  writer.append({ timeMs: 3, stdout: 20, stderr: 20 });
  await writer.close();

  await using index = disposable(new OrderIndex(run.paths.indexPath));
  await index.load(START);
  assert.deepEqual([index.segmentOf("stdout", 10), index.segmentOf("stderr", 10)], [0, 1]);
  assert.deepEqual(index.last, { timeMs: 3, stdout: 20, stderr: 20 });
});

test("order writer: a full index thins its older half, stays below its limit, and keeps the newest order exact", async () => {
  using run = temporaryRun();
  const bytesMax = 18 * 101;
  const writer = new OrderWriter(run.paths.indexPath, { bytesMax });
  await writer.open();
  await using reader = disposable(new OrderIndex(run.paths.indexPath));
  for (let n = 1; n <= 1_000; n++) {
    writer.append({ timeMs: n, stdout: Math.ceil(n / 2), stderr: Math.floor(n / 2) });
    await writer.flush();
    assert.ok(statSync(run.paths.indexPath).size <= bytesMax);
    // An index that was opened before it was thinned goes on with the new file.
    if (n === 90) await reader.load(START);
  }
  await writer.close();
  await reader.refresh();
  assert.deepEqual(reader.last, { timeMs: 1_000, stdout: 500, stderr: 500 });
  for (let line = 490; line <= 500; line++) {
    assert.ok(reader.segmentOf("stdout", line) < reader.segmentOf("stderr", line));
    assert.ok(line === 500 || reader.segmentOf("stderr", line) < reader.segmentOf("stdout", line + 1));
  }
  assert.ok(Number.isFinite(reader.segmentOf("stdout", 1)));
});

test("order writer: times never go down, whatever the clock does, over a restart too", async () => {
  using run = temporaryRun();
  const first = new OrderWriter(run.paths.indexPath);
  await first.open();
  first.append({ timeMs: 5_000, stdout: 1, stderr: 0 });
  first.append({ timeMs: 3_000, stdout: 2, stderr: 0 });
  await first.close();
  const second = new OrderWriter(run.paths.indexPath);
  await second.open();
  assert.deepEqual(second.last, { timeMs: 5_000, stdout: 2, stderr: 0 });
  second.append({ timeMs: 4_000, stdout: 3, stderr: 0 });
  await second.close();
  await using index = disposable(new OrderIndex(run.paths.indexPath));
  await index.load(START);
  assert.deepEqual(
    [0, 1, 2].map((segment) => index.timeOf(segment)),
    [5_000, 5_000, 5_000],
  );
  assert.deepEqual(await index.positionsBefore(5_000), START);
  assert.deepEqual(await index.positionsBefore(5_001), { stdout: 3, stderr: 0 });
});

test("order writer: goes on behind the last whole record of a file that ends in half a one", async () => {
  using run = temporaryRun();
  run.index([{ timeMs: 1, stdout: 1, stderr: 0 }]);
  appendFileSync(run.paths.indexPath, Buffer.alloc(7, 0xee));
  const writer = new OrderWriter(run.paths.indexPath);
  await writer.open();
  writer.append({ timeMs: 2, stdout: 2, stderr: 0 });
  await writer.close();
  assert.equal(statSync(run.paths.indexPath).size, 3 * 18);
  await using index = disposable(new OrderIndex(run.paths.indexPath));
  await index.load(START);
  assert.deepEqual(index.last, { timeMs: 2, stdout: 2, stderr: 0 });
});

test("order index: zeroes that a power failure left at the end are passed over, and overwritten", async () => {
  using run = temporaryRun();
  const good = [1, 2, 3].map((n) => ({ timeMs: n, stdout: n, stderr: n }));
  run.index(good);
  appendFileSync(run.paths.indexPath, Buffer.alloc(50 * 18));
  await using index = disposable(new OrderIndex(run.paths.indexPath));
  await index.load({ stdout: 1, stderr: 1 });
  assert.deepEqual([index.timeOf(0), index.timeOf(1), index.timeOf(2)], [2, 3, undefined]);
  assert.deepEqual(await index.positionsBefore(3), { stdout: 2, stderr: 2 });
  const writer = new OrderWriter(run.paths.indexPath);
  await writer.open();
  assert.deepEqual(writer.last, good[2]);
  writer.append({ timeMs: 4, stdout: 4, stderr: 4 });
  await writer.close();
  await index.load({ stdout: 1, stderr: 1 });
  assert.deepEqual(index.last, { timeMs: 4, stdout: 4, stderr: 4 });
  assert.deepEqual([index.timeOf(2), index.timeOf(3)], [4, undefined]);
});

const disposable = <T extends { close(): Promise<void> }>(thing: T): T & AsyncDisposable =>
  Object.assign(thing, { [Symbol.asyncDispose]: () => thing.close() });
