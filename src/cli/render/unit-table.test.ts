import assert from "node:assert/strict";
import { test } from "node:test";
import type { Worker } from "../../protocol/gateway-units.ts";
import type { Session } from "../../protocol/units.ts";
import { sampleJob } from "../testing/sample-job.ts";
import { COLOURED, PLAIN } from "./style.ts";
import { cutMiddle, cutStart, widthOf } from "./text-width.ts";
import { unitTable } from "./unit-table.ts";

const options = {
  isTerminal: true,
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

const fox = {
  id: "0abc",
  name: "fox",
  icon: "🦊",
  kind: "agent",
  server: "blazing",
  pid: 7,
  status: "running",
  state: "needs_you",
  outcome: null,
  command: ["claude"],
  workdir: "/srv/site",
  attention: "deploy?",
  labels: {},
  created_at: "2026-01-01T00:00:00.000Z",
  started_at: "2026-01-01T00:00:00.000Z",
  active_at: "2026-01-01T00:08:00.000Z",
  cols: 80,
  rows: 24,
  client_count: 1,
  viewer_count: 0,
  output_bytes: 0,
  resume_count: 0,
  port: 4000,
  is_listening: true,
  url: "http://fox.localhost:8080/",
  unread: 2,
  memory_bytes: 30 * 1024 ** 2,
} as Session;
const api: Worker = {
  name: "api",
  kind: "worker",
  status: "running",
  type: "node",
  route: "/api",
  url: "http://127.0.0.1:8080/api",
  state: "healthy",
  version: "9f2c1e",
  instances: [],
};

test("every kind stands in the same columns: a session's address is its name, and its mail is counted", () => {
  assert.deepEqual(unitTable([fox, jobs[0]!, api], { ...options, columnCount: 120 }), [
    '◆ fox   agent    needs you   fox.localhost:8080   2 unread         30 MB    4m   "deploy?"',
    "◉ web   job      working     :3000                           12%   21 MB   12m   npm run dev",
    "◉ api   worker   healthy     /api                                                v 9f2c1e",
  ]);
});

test("a session that listens without a gateway shows its port, and one where nobody listens nothing", () => {
  const { url: _, ...bare } = fox;
  assert.match(unitTable([bare as Session], options)[0]!, / :4000 /);
  assert.doesNotMatch(unitTable([{ ...bare, is_listening: false } as Session], options)[0]!, /4000/);
});

test("in a pipe every column is there, with - for nothing, and a long command is whole", () => {
  const long = sampleJob({ command: ["node", "x".repeat(200)], description: "the site" });
  const piped = { ...options, isTerminal: false, columnCount: 20 };
  const rows = unitTable([fox, long, api], piped).map((row) => row.split(/ {2,}/));
  assert.deepEqual(rows, [
    ["fox", "agent", "needs you", "http://fox.localhost:8080/", "2 unread", "-", "30 MB", "4m", '"deploy?"'],
    ["4xc", "job", "working", "-", "-", "-", "-", "12m", `node ${"x".repeat(200)}`, "the site"],
    ["api", "worker", "healthy", "http://127.0.0.1:8080/api", "-", "-", "-", "-", "v 9f2c1e"],
  ]);
});

test("the table of sessions says the server and who is attached, with icons before the names", () => {
  const [row] = unitTable([fox], { ...options, columnCount: 120, withServer: true, withIcons: true });
  assert.match(row!, /^◆ 🦊 fox .* blazing {3}1 attached {3}4m/);
});
