import assert from "node:assert/strict";
import { test } from "node:test";
import { FirstBytes, type Spoken } from "./first-bytes.ts";

const WHOLE: [text: string, spoken: Spoken | undefined][] = [
  ['{"id":1,"type":"hello"}', "ours"],
  ['{"type":', "ours"],
  ['  \r\n{"id":1,"payload":{"action":"x"},"type":"hello"}', "ours"],
  ['{"action":"list"}', "ipc"],
  ['{"message":{"type":"file","content":"a\\"b{"},"list":[{"type":1}],"action" : "send"}', "ipc"],
  ['{"from":"type","note":"action","action":"send"}', "ipc"],
  ['{"a":1}', "other"],
  ["{}", "other"],
  ["GET /health HTTP/1.1\r\n", "http"],
  ["OPTIONS /", "http"],
  ["GETAWAY", "other"],
  ["[1]", "other"],
  ["\0\0\0\x20{", "other"],
  ["garbage", "other"],
  ['{"__proto__":1,"constructor":2', undefined],
  ["GE", undefined],
  ["", undefined],
  ["   ", undefined],
];

test("first bytes: tell the protocol, whole and byte by byte", () => {
  for (const [text, spoken] of WHOLE) {
    const bytes = Buffer.from(text);
    assert.equal(new FirstBytes().push(bytes), spoken, text);
    const one = new FirstBytes();
    let said: Spoken | undefined;
    for (const byte of bytes) said = one.push(Buffer.of(byte));
    assert.equal(said, spoken, `${text} byte by byte`);
  }
});

test("first bytes: a megabyte before the key that tells costs one look at each byte", () => {
  const first = new FirstBytes();
  const chunk = Buffer.alloc(64 * 1024, "x");
  first.push(Buffer.from('{"message":"'));
  for (let count = 0; count < 16; count++) assert.equal(first.push(chunk), undefined);
  assert.equal(first.push(Buffer.from('","action":"send"}')), "ipc");
});
