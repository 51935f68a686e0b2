import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpProblem } from "../http/problem.ts";
import { Input } from "./input.ts";

const HEAD = "GET / HTTP/1.1\r\nHost: a\r\nX: \xe9\t\r\n\r\n";

test("a head is found wherever it is torn, and what follows it is left", () => {
  const text = `${HEAD}body\r\n\r\n`;
  for (let first = 1; first < text.length; first++)
    for (const second of [1, 2, 5, text.length]) {
      const input = new Input();
      let head: string | undefined;
      for (let at = 0; at < text.length && head === undefined; ) {
        const end = Math.min(text.length, at === 0 ? first : at + second);
        input.push(Buffer.from(text.slice(at, end), "latin1"));
        at = end;
        head = input.head(true);
      }
      assert.equal(head?.slice(0, HEAD.length), HEAD, `${first} ${second}`);
    }
});

test("what can be no head is refused before its end comes", () => {
  const refused = (text: string): number => {
    const input = new Input();
    try {
      for (const byte of Buffer.from(text, "latin1")) {
        input.push(Buffer.of(byte));
        input.head(true);
      }
    } catch (error) {
      if (error instanceof HttpProblem) return error.status;
      throw error;
    }
    return 0;
  };
  assert.equal(refused("GET / HTTP/1.1\n"), 400);
  assert.equal(refused("GET / HTTP/1.1\r\nHost: a\n"), 400);
  assert.equal(refused("\x16\x03\x01"), 400, "TLS");
  assert.equal(refused("GET /\x00"), 400);
  assert.equal(refused(`GET /${"a".repeat(65_536)}`), 414);
  assert.equal(refused(`GET / HTTP/1.1\r\nA: ${"a".repeat(65_536)}`), 431);
  assert.equal(refused("GET / HTTP/1.1\r\nHost: a\r\nX: \xe9\t\r\n"), 0);
});

test("a head of 64 KiB that comes byte by byte is copied a bounded number of times", () => {
  const input = new Input();
  const buffers = new Set<Buffer>();
  const text = `GET / HTTP/1.1\r\nA: ${"a".repeat(60_000)}\r\n\r\n`;
  let head: string | undefined;
  for (const byte of Buffer.from(text)) {
    input.push(Buffer.of(byte));
    buffers.add(input.bytes);
    head = input.head(true);
  }
  assert.equal(head, text);
  assert.ok(buffers.size < 12, `${buffers.size} buffers`);
});
