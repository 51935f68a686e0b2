import assert from "node:assert/strict";
import { test } from "node:test";
import { PlainLines } from "./plain-lines.ts";

function linesOf(text: string, pieceBytes = Number.POSITIVE_INFINITY): string[] {
  const plain = new PlainLines();
  const bytes = Buffer.from(text);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += Math.min(pieceBytes, bytes.length))
    lines.push(...plain.push(bytes.subarray(at, at + Math.min(pieceBytes, bytes.length))));
  return [...lines, ...plain.rest()];
}

const SCREEN = [
  "\x1b]0;a title\x07\x1b[1;32muser\x1b[0m:~$ ls\r\n",
  "größe 日本 👩‍🚀\r\n",
  "10%\r50%\r100% done\r\n",
  "abcdef\x1b[3D\b\b\r\n",
  "old text\rnew\x1b[K\r\n",
  "before \x1b[?1049hdrawn by vim\r\n~\r\n\x1b[?1049lafter\r\n",
  "\x1b(0lqk\x1b(B \x1bP+q544e\x1b\\dcs\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\r\n",
  "no end",
].join("");
const EXPECTED = [
  "user:~$ ls",
  "größe 日本 👩‍🚀",
  "100% done",
  "abcdef",
  "new",
  "before after",
  "lqk dcslink",
  "no end",
];

test("plain lines: what a person would have read, without what draws it", () => {
  assert.deepEqual(linesOf(SCREEN), EXPECTED);
});

test("plain lines: the same however the bytes are cut", () => {
  for (const pieceBytes of [1, 2, 3, 5, 7, 64])
    assert.deepEqual(linesOf(SCREEN, pieceBytes), EXPECTED, `${pieceBytes}`);
});

test("plain lines: a line without an end and a sequence without an end are bounded", () => {
  const plain = new PlainLines();
  const long = plain.push(Buffer.alloc(200_000, "x"));
  assert.ok(long.length >= 3 && long.every((line) => line.length <= 64 * 1024));
  const unended = new PlainLines();
  assert.deepEqual(unended.push(Buffer.from(`\x1b]0;${"t".repeat(10_000)}\nnext\n`)).at(-1), "next");
});
