import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatDuration, formatRelative, parseBytes, parseDuration } from "./durations.ts";

const cases = <I, O>(name: string, of: (input: I) => O, table: readonly (readonly [I, O])[]) =>
  test(name, () => {
    for (const [input, expected] of table) assert.deepEqual(of(input), expected, `input ${JSON.stringify(input)}`);
  });

cases("parseDuration: units, sums, decimals and bare seconds", parseDuration, [
  ["30s", 30_000],
  ["1.5m", 90_000],
  ["2h30m", 9_000_000],
  ["500ms", 500],
  ["1m500ms", 60_500],
  ["1d", 86_400_000],
  ["30", 30_000],
  ["0", 0],
  ["0.25", 250],
  [" 5s ", 5_000],
  [10, 10_000],
]);

cases("parseDuration: refuses what is not a duration", parseDuration, [
  ["", undefined],
  ["s", undefined],
  ["-5s", undefined],
  [-5, undefined],
  ["5x", undefined],
  ["5 s", undefined],
  ["1m2h", undefined],
  ["1s1s", undefined],
  ["1e3", undefined],
  ["Infinity", undefined],
  [Number.NaN, undefined],
  ["99999999999999999d", undefined],
]);

cases("formatDuration: gob's four ranges and their edges", formatDuration, [
  [0, "0ms"],
  [350, "350ms"],
  [999.9, "999ms"],
  [1_000, "1.0s"],
  [4_250, "4.2s"],
  [59_999, "59.9s"],
  [60_000, "1m0s"],
  [135_000, "2m15s"],
  [3_599_999, "59m59s"],
  [3_900_000, "1h5m"],
  [180_000_000, "50h0m"],
  [-5, "0ms"],
]);

cases("formatRelative: the largest whole unit", formatRelative, [
  [-1, "just now"],
  [59_999, "just now"],
  [60_000, "1 min ago"],
  [119_999, "1 min ago"],
  [300_000, "5 mins ago"],
  [3_600_000, "1 hour ago"],
  [7_200_000, "2 hours ago"],
  [86_400_000, "1 day ago"],
  [864_000_000, "10 days ago"],
]);

cases("formatBytes: powers of 1024, never 1024 of a unit", formatBytes, [
  [0, "0 B"],
  [512, "512 B"],
  [1023, "1023 B"],
  [1024, "1 KB"],
  [1434, "1.4 KB"],
  [12 * 1024 ** 2, "12 MB"],
  [1024 ** 2 - 1, "1 MB"],
  [3.5 * 1024 ** 3, "3.5 GB"],
]);

cases("parseBytes: sizes as people write them", parseBytes, [
  [4096, 4096],
  ["4096", 4096],
  ["64MB", 64 * 1024 ** 2],
  ["1.5 GiB", 1.5 * 1024 ** 3],
  ["200k", 200 * 1024],
  ["-1", undefined],
  ["12 apples", undefined],
  ["99999999PB", undefined],
]);
