import assert from "node:assert/strict";
import { test } from "node:test";
import { plainText } from "./plain-text.ts";
import { age, bytes, duration, shortCommand, shortPath, splitCommand, when } from "./text.ts";

test("text: ages, durations and sizes as people say them", () => {
  const nowMs = new Date(2026, 0, 10, 12).getTime();
  assert.deepEqual(
    [0, 12_000, 240_000, 3 * 3_600_000, 26 * 3_600_000, 5 * 86_400_000, -5_000].map((ms) => age(nowMs - ms, nowMs)),
    ["0s", "12s", "4m", "3h", "yesterday", "5d", "0s"],
  );
  assert.equal(age(Number.NaN, nowMs), "");
  assert.deepEqual([250, 1_250, 45_000, 200_000, 7_300_000].map(duration), [
    "250 ms",
    "1.3 s",
    "45 s",
    "3 m 20 s",
    "2 h 1 m",
  ]);
  assert.deepEqual([12, 640_000, 1_200_000, 3e9].map(bytes), ["12 B", "640 kB", "1.2 MB", "3.0 GB"]);
});

test("text: yesterday is a day of the calendar, wherever the person is", () => {
  const at = (...given: [month: number, day: number, hours: number, minutes: number]): number =>
    new Date(2026, ...given).getTime();
  const morning = at(0, 10, 1, 0);
  assert.deepEqual(
    [at(0, 9, 23, 59), at(0, 9, 0, 30), at(0, 8, 23, 0), at(0, 8, 1, 30)].map((ms) => age(ms, morning)),
    ["1h", "yesterday", "2d", "2d"],
  );
  assert.deepEqual(
    [at(0, 10, 0, 3), at(0, 9, 23, 59), at(0, 9, 0, 3), at(0, 8, 23, 59)].map((ms) => when(ms, morning)),
    ["00:03", "yesterday 23:59", "yesterday 00:03", "2026-01-08 23:59"],
  );
  assert.equal(when(at(10, 20, 12, 3), at(10, 23, 12, 3)), "2026-11-20 12:03");
});

test("text: paths are cut from the left, by whole folders; commands in the middle", () => {
  assert.equal(shortPath("/home/ann/site"), "~/site");
  assert.equal(shortPath("/root"), "~");
  assert.equal(shortPath("/rooted/site"), "/rooted/site");
  assert.equal(shortPath("/srv/a/very/long/way/to/the/site/api", 16), "…/the/site/api");
  assert.equal(shortCommand(["/usr/bin/node", "a.js"]), "node a.js");
  assert.equal(shortCommand(["x".repeat(100)], 11), "xxxxx…xxxxx");
  assert.equal(shortCommand([`x${"🦊".repeat(50)}x`], 9), "x🦊…🦊x");
});

test("text: a command line is split as a shell does, and a quote without an end is refused", () => {
  assert.deepEqual(splitCommand(`sh -c 'echo "a  b"' "it\\"s" c\\ d ''`), [
    "sh",
    "-c",
    'echo "a  b"',
    'it"s',
    "c d",
    "",
  ]);
  assert.throws(() => splitCommand("sh 'x"), /no end/);
});

test("text: what a terminal would obey is left out", () => {
  assert.equal(plainText("\x1b[31mred\x1b[0m \x1b]0;title\x07ok\r\n\x00\tend\x9b"), "red ok\n\tend");
});
