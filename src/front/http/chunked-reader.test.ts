import assert from "node:assert/strict";
import { test } from "node:test";
import { ChunkedReader } from "./chunked-reader.ts";
import { HttpProblem } from "./problem.ts";

interface Read {
  data: string;
  trailers: string | undefined;
  /** What was not of the body. */
  rest: string;
}

/** Reads `text` in pieces of `size` bytes. */
function read(text: string, size = text.length): Read | number | "more" {
  const reader = new ChunkedReader();
  const result: Read = { data: "", trailers: undefined, rest: "" };
  const sink = {
    bodyPart: (bytes: Buffer, start: number, end: number) => {
      result.data += bytes.toString("latin1", start, end);
    },
    bodyEnd: (trailers: string) => {
      assert.equal(result.trailers, undefined, "ends once");
      result.trailers = trailers;
    },
  };
  try {
    for (let at = 0; at < text.length; at += size) {
      const piece = Buffer.from(text.slice(at, at + size), "latin1");
      const position = reader.read(piece, 0, piece.length, sink);
      if (!reader.isDone) continue;
      result.rest = text.slice(at + position);
      return result;
    }
  } catch (error) {
    if (error instanceof HttpProblem) return error.status;
    throw error;
  }
  return "more";
}

const GOOD: [text: string, read: Read][] = [
  ["0\r\n\r\n", { data: "", trailers: "", rest: "" }],
  ["5\r\nhello\r\n0\r\n\r\nGET", { data: "hello", trailers: "", rest: "GET" }],
  ["A\r\n0123456789\r\n00a\r\n0123456789\r\n0\r\n\r\n", { data: "01234567890123456789", trailers: "", rest: "" }],
  ['3;a=b;c="d e"\r\nabc\r\n0;x\r\n\r\n', { data: "abc", trailers: "", rest: "" }],
  ["2\r\n\r\n\r\n000\r\n\r\n", { data: "\r\n", trailers: "", rest: "" }],
  ["1\r\na\r\n0\r\nX-Sum:1\r\nX-B: c\r\n\r\nrest", { data: "a", trailers: "X-Sum: 1\r\nX-B: c\r\n", rest: "rest" }],
  [
    "0\r\nAuthorization: x\r\nCookie: y\r\nX-Ok: 1\r\nX-Forwarded-For: 6\r\n\r\n",
    { data: "", trailers: "X-Ok: 1\r\n", rest: "" },
  ],
];

const BAD = [
  "\r\n",
  "g\r\n",
  " 5\r\nhello\r\n",
  "5 \r\nhello\r\n",
  "+5\r\nhello\r\n",
  "-5\r\nhello\r\n",
  "0x5\r\nhello\r\n",
  "5\nhello\r\n0\r\n\r\n",
  "5\rhello",
  "5\r\nhelloX\r\n",
  "5\r\nhello\n0\r\n\r\n",
  "5\r\nhello\rX",
  "5\r\nhello0\r\n\r\n",
  "123456789\r\n",
  "000000005\r\nhello\r\n",
  ";a\r\n",
  `1;${"a".repeat(257)}\r\n`,
  "1;a\x00\r\n",
  "1;a\nb\r\n",
  "0\r\n\n",
  "0\r\n\rX",
  "0\r\nbad line\r\n\r\n",
  "0\r\n a: b\r\n\r\n",
  "0\r\na : b\r\n\r\n",
  "0\r\na: b\nc: d\r\n\r\n",
  "0\r\nContent-Length: x\r\n\r\n",
  `0\r\na: ${"b".repeat(4_096)}\r\n\r\n`,
];

test("chunks: good bodies, read at once, byte by byte and at every size of pieces (RFC 9112 §7.1)", () => {
  for (const [text, expected] of GOOD)
    for (let size = 1; size <= text.length; size++)
      assert.deepEqual(read(text, size), expected, `${size}: ${JSON.stringify(text)}`);
});

test("chunks: whatever else is refused, however it comes", () => {
  for (const text of BAD)
    for (const size of [1, 2, 3, 7, text.length])
      assert.equal(read(text, size), 400, JSON.stringify(text.slice(0, 40)));
});

test("chunks: a body that is not whole is not taken for one", () => {
  for (const [text, { rest }] of GOOD) {
    const whole = text.slice(0, text.length - rest.length);
    for (let length = 1; length < whole.length; length++) assert.equal(read(whole.slice(0, length)), "more");
  }
});

test("chunks: a coding among the trailers is no coding", () => {
  assert.equal(read("0\r\nTransfer-Encoding: gzip\r\n\r\n"), 501);
  assert.deepEqual(read("0\r\nTransfer-Encoding: chunked\r\n\r\n"), { data: "", trailers: "", rest: "" });
});
