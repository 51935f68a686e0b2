import assert from "node:assert/strict";
import { test } from "node:test";
import { type AnswerFraming, AnswerReader, answerFraming } from "./answer-head.ts";
import { HttpProblem } from "./problem.ts";

const reader = new AnswerReader();

test("answer: what is no answer (RFC 9112 §4)", () => {
  const bad = [
    "HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1.2 200 OK\r\n\r\n",
    "http/1.1 200 OK\r\n\r\n",
    "ICY 200 OK\r\n\r\n",
    "HTTP/1.1  200 OK\r\n\r\n",
    "HTTP/1.1 20 OK\r\n\r\n",
    "HTTP/1.1 2000 OK\r\n\r\n",
    "HTTP/1.1 099 OK\r\n\r\n",
    "HTTP/1.1 600 OK\r\n\r\n",
    "HTTP/1.1 2x0 OK\r\n\r\n",
    "HTTP/1.1 200 O\x00K\r\n\r\n",
    "HTTP/1.1 200 OK\nA: b\r\n\r\n",
    "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
    "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    `HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(101)}\r\n`,
  ];
  for (const text of bad) assert.throws(() => reader.read(text), HttpProblem, JSON.stringify(text.slice(0, 50)));
});

test("answer: what goes on, and what is kept for us", () => {
  const head = reader.read(
    "HTTP/1.1 200 Fine \xe9\r\nA:b\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: max=5, timeout=7\r\n" +
      "Via: 1.1 x\r\nX-Forwarded-For: y\r\nContent-Length: 3\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\nabc",
  );
  assert.equal(head.statusText, "200 Fine \xe9");
  assert.equal(head.lines, "A: b\r\nVia: 1.1 x\r\nX-Forwarded-For: y\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n");
  assert.equal(head.contentLength, 3);
  assert.equal(head.keepsAlive, true);
  assert.equal(head.keepAliveS, 7);
  assert.equal(reader.read("HTTP/1.1 200\r\n\r\n").statusText, "200");
  assert.equal(reader.read("HTTP/1.0 200 OK\r\n\r\n").keepsAlive, false);
  assert.equal(reader.read("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n").keepsAlive, true);
  assert.equal(reader.read("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").keepsAlive, false);
});

test("answer: where its body ends (RFC 9112 §6.3)", () => {
  const cases: [method: string, text: string, framing: AnswerFraming][] = [
    ["GET", "200 OK\r\nContent-Length: 3", "length"],
    ["GET", "200 OK\r\nContent-Length: 0", "none"],
    ["GET", "200 OK\r\nTransfer-Encoding: chunked", "chunked"],
    ["GET", "200 OK\r\nA: b", "close"],
    ["HEAD", "200 OK\r\nContent-Length: 3", "none"],
    ["HEAD", "200 OK\r\nTransfer-Encoding: chunked", "none"],
    ["HEAD", "200 OK\r\nA: b", "none"],
    ["GET", "204 No\r\nContent-Length: 3", "none"],
    ["GET", "304 No\r\nContent-Length: 3", "none"],
    ["POST", "205 Reset\r\nContent-Length: 0", "none"],
  ];
  for (const [method, text, framing] of cases)
    assert.equal(answerFraming(reader.read(`HTTP/1.1 ${text}\r\n\r\n`), method), framing, `${method} ${text}`);
});
