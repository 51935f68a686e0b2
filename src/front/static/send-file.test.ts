import assert from "node:assert/strict";
import { fstatSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { sendFile } from "./send-file.ts";

/** An open file of that many bytes, whose name is gone already. */
function openFile(sizeBytes: number): number {
  const directory = mkdtempSync(join(tmpdir(), "warren-send-"));
  const path = join(directory, "file");
  writeFileSync(path, Buffer.alloc(sizeBytes, 7));
  const fd = openSync(path, "r");
  rmSync(directory, { recursive: true });
  return fd;
}

class Sink {
  bytes = 0;
  writeCount = 0;
  isOpen = true;
  #drained = Promise.withResolvers<void>();
  #waiting = Promise.withResolvers<void>();

  write(piece: Buffer): boolean {
    this.bytes += piece.length;
    this.writeCount++;
    return false;
  }

  ready(): Promise<void> {
    this.#waiting.resolve();
    return this.#drained.promise;
  }

  /** Resolves when the next piece waits. */
  async whenWaiting(): Promise<void> {
    await this.#waiting.promise;
  }

  drain(): void {
    const { resolve } = this.#drained;
    this.#drained = Promise.withResolvers();
    this.#waiting = Promise.withResolvers();
    resolve();
  }
}

const isOpen = (fd: number): boolean => {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
};

test("sending a file: a piece goes when the one before was taken; the file is closed at the end", async () => {
  const fd = openFile(300_000);
  const sink = new Sink();
  const sending = sendFile({ fd, start: 0, lengthBytes: 300_000, injected: undefined }, sink);
  for (const count of [1, 2, 3]) {
    await sink.whenWaiting();
    assert.equal(sink.writeCount, count);
    sink.drain();
  }
  assert.deepEqual(await sending, { isWhole: true });
  assert.equal(sink.bytes, 300_000);
  assert.ok(!isOpen(fd));
});

test("sending a file: a client that goes ends it, and so does a file that is shorter than was said", async () => {
  const left = openFile(300_000);
  const sink = new Sink();
  const sending = sendFile({ fd: left, start: 0, lengthBytes: 300_000, injected: undefined }, sink);
  await sink.whenWaiting();
  sink.isOpen = false;
  sink.drain();
  assert.deepEqual(await sending, { isWhole: false });
  assert.ok(!isOpen(left));

  const short = openFile(10);
  const { isWhole, error } = await sendFile(
    { fd: short, start: 0, lengthBytes: 20, injected: undefined },
    { write: () => true, ready: async () => {}, isOpen: true },
  );
  assert.equal(isWhole, false);
  assert.equal((error as { code?: string }).code, "FILE_SHRANK");
  assert.ok(!isOpen(short));
});
