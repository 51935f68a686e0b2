import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonEnd, JsonEndScanner } from "./json-end.ts";

const scan = (text: string): JsonEnd => new JsonEndScanner().push(Buffer.from(text));

test("json end: an object ends where its last bracket is", () => {
  assert.deepEqual(scan('{"a": 1}'), { kind: "complete", end: 8 });
  assert.deepEqual(scan(' \n{"a": [{}, "}"]} {'), { kind: "complete", end: 18 });
  assert.deepEqual(scan('{"a": "\\"}"}'), { kind: "complete", end: 12 });
  assert.deepEqual(scan('{"a": "\\\\"}'), { kind: "complete", end: 11 });
  assert.deepEqual(scan("[1]"), { kind: "complete", end: 3 });
});

test("json end: an unfinished one is waited for", () => {
  for (const text of ["", "  ", "{", '{"a": "}', '{"a": "\\', '{"a": {"b": 1}'])
    assert.deepEqual(scan(text), { kind: "incomplete" });
});

test("json end: what is no object is said at once", () => {
  for (const text of ["GET / HTTP/1.1", "\0\0\0\x08{}", "list", '"list"', "}"])
    assert.deepEqual(scan(text), { kind: "not_json" });
});

test("json end: too deep an object is refused", () => {
  assert.deepEqual(scan("[".repeat(64) + "]".repeat(64)), { kind: "complete", end: 128 });
  assert.deepEqual(scan("[".repeat(65)), { kind: "too_deep" });
});

test("json end: the same end wherever the bytes are cut, within a character too", () => {
  const text = '{"action": "send", "message": {"content": "ü ✓ 😀 \\" \\\\ } ]"}}{"action": "list"}';
  const bytes = Buffer.from(text);
  const wanted = Buffer.byteLength(text.slice(0, text.indexOf('{"action": "list"')));
  for (let cut = 0; cut <= wanted; cut += 1) {
    const scanner = new JsonEndScanner();
    const first = scanner.push(bytes.subarray(0, cut));
    if (cut === wanted) {
      assert.deepEqual(first, { kind: "complete", end: wanted });
      continue;
    }
    assert.deepEqual(first, { kind: "incomplete" });
    assert.deepEqual(scanner.push(bytes.subarray(cut)), { kind: "complete", end: wanted - cut });
    assert.equal(scanner.isAtStart, true);
  }
});
