import assert from "node:assert/strict";
import { test } from "node:test";
import { replaceFigures, report, verdict } from "./report.ts";

const warren = (...samples: number[]) => [{ subject: "warren", samples }];

test("verdict: judges the statistic that the target names", () => {
  const measured = warren(1, 1, 1, 9);
  assert.equal(verdict({ target: { atLeast: 2, of: "p50" }, measured }), "**not met**");
  assert.equal(verdict({ target: { atMost: 5, of: "p50" }, measured }), "met");
  assert.equal(verdict({ target: { atMost: 5, of: "p99" }, measured }), "**not met**");
  assert.equal(verdict({ measured }), "–");
});

test("report: a row has the target, our statistics, and how many times ours a peer takes", () => {
  const measured = [...warren(10, 10, 10), { subject: "pm2", samples: [30, 30, 40] }];
  const text = report(
    ["a fact"],
    [{ title: "T", rows: [{ what: "w", unit: "ms", target: { atMost: 5, of: "p50" }, measured }] }],
    ["pm2", "supervisor"],
  );
  assert.match(text, /^- a fact\n/);
  assert.match(
    text,
    /\| w \| ≤ 5 ms \| 10\.0 ms \| 10\.0 \| 10\.0 \| 3 \| \*\*not met\*\* \| 30\.0 \(40\.0\) \| 3\.00 \| – \| – \|/,
  );
});

test("figures: replaced between the markers, the text around them kept", () => {
  const document = "before\n<!-- figures: begin (npm run bench -- jobs) -->\nold\n<!-- figures: end -->\nafter\n";
  const replaced = replaceFigures(document, "jobs", "new");
  assert.match(replaced, /^before\n[\s\S]*\nnew\n[\s\S]*\nafter\n$/);
  assert.doesNotMatch(replaced, /old/);
  assert.throws(() => replaceFigures(document, "sessions", "new"));
  assert.throws(() => replaceFigures("no markers", "jobs", "new"));
});
