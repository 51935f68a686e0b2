import assert from "node:assert/strict";
import { test } from "node:test";
import { JsonLines, type Line } from "./json-lines.ts";

const values = (lines: readonly Line[]): unknown[] => lines.map(({ value, text }) => value ?? text);

test("lines: in any pieces, given twice, with empty ones and both line ends", () => {
  const bytes = Buffer.from('{"a":1}\n\n{"ä":"🦊"}\r\n[2]\nno json\n7\n{"unfinished":');
  const wanted = [{ a: 1 }, { ä: "🦊" }, [2], "no json", "7"];
  for (let size = 1; size <= bytes.length; size++) {
    const lines = new JsonLines();
    const found: Line[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      found.push(...lines.push(at, bytes.subarray(at, at + size)));
      found.push(...lines.push(Math.max(0, at - 3), bytes.subarray(Math.max(0, at - 3), at + size)));
    }
    assert.deepEqual(values(found), wanted, `pieces of ${size}`);
    assert.equal(lines.position, bytes.length);
    assert.equal(lines.pendingBytes, 14);
  }
});

test("lines: one that is too long is garbage of its length, wherever it is cut, and the next is a line", () => {
  const bytes = Buffer.from(`${"ä".repeat(60)}\n{"a":1}\n`);
  for (let size = 1; size <= bytes.length; size++) {
    let lines = new JsonLines(100);
    const found: Line[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      found.push(...lines.push(at, bytes.subarray(at, at + size)));
      const restored = new JsonLines(100);
      restored.restore(JSON.parse(JSON.stringify(lines.snapshot())));
      lines = restored;
    }
    assert.deepEqual(
      found.map(({ value, bytes: length }) => [value, length]),
      [
        [undefined, 120],
        [{ a: 1 }, 7],
      ],
    );
    assert.equal(found[0]?.text, "ä".repeat(50));
  }
});

test("lines: bytes that are missing make the unfinished line garbage", () => {
  const lines = new JsonLines();
  lines.push(0, Buffer.from('{"a":'));
  assert.deepEqual(values(lines.push(9, Buffer.from('{"b":2}\n'))), ['{"a":', { b: 2 }]);
});
