import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleJob } from "../testing/sample-job.ts";
import { COLOURED, PLAIN } from "./style.ts";
import { cutMiddle, cutStart, widthOf } from "./text-width.ts";
import { unitTable } from "./unit-table.ts";

const options = {
  style: PLAIN,
  glyphs: true,
  columnCount: 80,
  nowMs: Date.parse("2026-01-01T00:12:00.000Z"),
  withDirectory: false,
  userHome: "/srv",
};
const port = (number: number) => ({ port: number, protocol: "tcp" as const, pid: 1, address: "0.0.0.0" });
const jobs = [
  sampleJob({ name: "web", ports: [port(3000)], cpu_percent: 12.4, memory_bytes: 21 * 1024 ** 2 }),
  sampleJob({
    status: "stopped",
    state: "ended",
    outcome: { kind: "exited", status: 1 },
    stopped_at: "2026-01-01T00:11:55.000Z",
    command: ["npm", "test"],
  }),
];

test("rows are aligned, numbers to the right", () => {
  assert.deepEqual(unitTable(jobs, options), [
    "◉ web   job   working      :3000   12%   21 MB   12m   npm run dev",
    "✗ 4xc   job   failed (1)                          5s   npm test",
  ]);
});

test("without glyphs every mark is a plain sign of one width", () => {
  const [working, failed] = unitTable(jobs, { ...options, glyphs: false });
  assert.ok(working!.startsWith("*  web"));
  assert.ok(failed!.startsWith("x  4xc"));
});

test("the command is cut in its middle, so that no row is wider than the terminal", () => {
  const long = sampleJob({ command: ["node", "x".repeat(200), "last"] });
  for (const style of [PLAIN, COLOURED]) {
    const [row] = unitTable([long], { ...options, style, columnCount: 60 });
    assert.ok(widthOf(row!) <= 60, String(widthOf(row!)));
    assert.match(row!, /…x* last$/);
  }
});

test("a foreign command cannot move the cursor", () => {
  const [row] = unitTable([sampleJob({ command: ["printf", "\x1b[2J\n"] })], options);
  assert.ok(!row!.includes("\x1b") && !row!.includes("\n"));
});

test("directories are shown when jobs of several are, with ~ for the home", () => {
  const [row] = unitTable([sampleJob()], { ...options, withDirectory: true });
  assert.match(row!, / ~\/site {3}npm run dev$/);
});

test("widths count columns, not characters", () => {
  assert.equal(widthOf("\x1b[1mab\x1b[0m"), 2);
  assert.equal(widthOf("🔥a"), 3);
  assert.equal(widthOf("日本"), 4);
  assert.equal(cutMiddle("abcdefgh", 5), "ab…gh");
  assert.equal(cutStart("~/code/site", 6), "…/site");
  assert.equal(cutMiddle("日本日本日本", 5), "日…本");
});

test("a narrow terminal loses columns instead of wrapping", () => {
  const wide = { ...options, withDirectory: true, columnCount: 64 };
  for (const row of unitTable(jobs, wide)) {
    assert.ok(widthOf(row) <= 64, row);
    assert.doesNotMatch(row, / MB| job /);
  }
  assert.match(unitTable(jobs, { ...wide, columnCount: 120 })[0]!, /job .*21 MB/);
});
