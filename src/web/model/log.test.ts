import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogPiece } from "../../protocol/units.ts";
import { LOG_LINES_MAX, withPieces } from "./log.ts";

const line = (offset: number, text: string, more: object = {}): LogPiece => ({
  kind: "line",
  stream: "stdout",
  offset,
  line: text,
  ...more,
});
const texts = (...pages: LogPiece[][]): string[] =>
  pages.reduce(withPieces, []).map(({ kind, text }) => `${kind} ${text}`);

test("log: a line that was half there is mended in its place, whatever the other stream says meanwhile", () => {
  assert.deepEqual(
    texts(
      [line(0, "one"), line(4, "half", { complete: false })],
      [line(0, "oops", { stream: "stderr" }), line(8, " and half"), line(18, "three")],
    ),
    ["stdout one", "stdout half and half", "stderr oops", "stdout three"],
  );
  assert.deepEqual(
    texts([line(0, "ha", { complete: false })], [line(0, "half")]),
    ["stdout half"],
    "said again, whole",
  );
});

test("log: what is missing or no text is said; the oldest lines go", () => {
  assert.deepEqual(
    texts([
      { kind: "omitted", reason: "dropped", bytes: 2_000_000 },
      { kind: "omitted", reason: "limit", bytes: 10, lines: 3 },
      { kind: "line", stream: "stderr", offset: 0, base64: "AAEC" },
      line(0, "\x1b[31mred\x1b[0m"),
    ]),
    [
      "omitted … 2.0 MB are not on the disk any more",
      "omitted … 3 lines are left out here",
      "stderr [3 B that are no text]",
      "stdout red",
    ],
  );
  const many = Array.from({ length: LOG_LINES_MAX + 5 }, (_, at) => line(at, `${at}`));
  const kept = withPieces([], many);
  assert.deepEqual([kept.length, kept[0]?.text], [LOG_LINES_MAX, "5"]);
});
