import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { waitUntil } from "../../../test/harness/wait-until.ts";
import type { Clock } from "../../platform/clock.ts";
import { SourceSigns } from "./source-signs.ts";

const NAMES = "^(?!\\.)(?!.*~$).*\\.ts$";
let dir: string;
let said: string[];
let signs: SourceSigns;
let timers: (() => void)[];

/** Its timers go off when the test says so. */
const clock: Clock = {
  wallMs: () => 0,
  monotonicMs: () => 0,
  timer(_delayMs, task) {
    timers.push(task);
    return () => timers.splice(timers.indexOf(task), 1);
  },
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "signs-"));
  mkdirSync(join(dir, "src"));
  writeFileSync(join(dir, "src", "main.ts"), "1");
  said = [];
  timers = [];
  signs = new SourceSigns({
    clock,
    onUnseen: (worker) => said.push(`unseen ${worker}`),
    onSign: (worker, sign) => said.push(`sign ${worker} ${sign}`),
    onClear: (worker) => said.push(`clear ${worker}`),
  });
});

afterEach(() => {
  signs.forgetAll();
  rmSync(dir, { recursive: true, force: true });
});

const at = (...names: string[]): string => join(dir, "src", ...names);
const follow = (worker = "api", ...more: string[]): void =>
  signs.follow(worker, {
    dirs: [at(), ...more],
    files: [at("main.ts")],
    names: NAMES,
    noFolders: "^dist$",
    apart: [at("bin")],
  });
const hears = (line: string): Promise<unknown> =>
  waitUntil(async () => said.includes(line), { what: `${line} among ${said}`, everyMs: 2 });

test("a save is a sign, told once, until the server has looked at what was there after it", async () => {
  follow();
  writeFileSync(at("main.ts~"), "2");
  renameSync(at("main.ts~"), at("main.ts"));
  await hears("sign api 1");
  assert.deepEqual(said, ["unseen api", "sign api 1"]);
  assert.equal(signs.isUnseen("api"), true);
  signs.seen("api", 0);
  assert.equal(signs.isUnseen("api"), true);
  signs.seen("api", 1);
  assert.equal(signs.isUnseen("api"), false);
  assert.equal(said.at(-1), "clear api");
});

test("what was seen before the newest sign does not settle it", async () => {
  follow();
  writeFileSync(at("main.ts"), "2");
  await hears("sign api 1");
  writeFileSync(at("main.ts"), "3");
  await hears("sign api 2");
  signs.seen("api", 1);
  assert.equal(signs.isUnseen("api"), true);
  assert.equal(said.filter((line) => line === "unseen api").length, 1);
});

test("a file that comes, one that goes and a folder are signs; what no source is named like is none", async () => {
  follow();
  writeFileSync(at(".hidden.ts"), "");
  writeFileSync(at("data.sqlite"), "");
  mkdirSync(at("dist"));
  mkdirSync(at("bin"));
  writeFileSync(at("other.ts"), "");
  await hears("sign api 1");
  signs.seen("api", 1);
  writeFileSync(at("other.ts"), "its content does not matter");
  rmSync(at("other.ts"));
  await hears("sign api 2");
  signs.seen("api", 2);
  mkdirSync(at("lib"));
  await hears("sign api 3");
  assert.deepEqual(
    said.filter((line) => line.startsWith("sign")),
    ["sign api 1", "sign api 2", "sign api 3"],
  );
});

test("a folder that is followed from now on is a sign by itself: it may hold something already", async () => {
  follow();
  mkdirSync(join(dir, "shared"));
  follow("api", join(dir, "shared"));
  await hears("sign api 1");
  signs.seen("api", 1);
  writeFileSync(join(dir, "shared", "new.ts"), "");
  await hears("sign api 2");
});

test("a link that leads to itself is no folder, and ends nobody", async () => {
  follow();
  symlinkSync(at("loop"), at("loop"));
  writeFileSync(at("main.ts"), "2");
  await hears("sign api 1");
});

test("workers that share a folder both have signs, each of its own", async () => {
  follow("api");
  follow("web");
  writeFileSync(at("main.ts"), "2");
  await hears("sign api 1");
  await hears("sign web 2");
  signs.seen("api", 1);
  assert.equal(signs.isUnseen("web"), true);
});

test("what a server that has gone had followed is told the next one, and forgotten when none comes", async () => {
  follow("api");
  follow("web");
  writeFileSync(at("main.ts"), "2");
  await hears("sign web 2");
  signs.seen("web", 2);
  signs.alone();
  assert.equal(signs.isUnseen("api"), true, "what it was told and has not looked at");
  writeFileSync(at("main.ts"), "3");
  await hears("sign web 4");
  follow("api");
  await hears("sign api 5");
  assert.equal(signs.isUnseen("web"), true, "what nobody was there to be told");
  for (const timer of [...timers]) timer();
  assert.equal(signs.isUnseen("web"), false, "nobody has taken it up");
  said = [];
  writeFileSync(at("main.ts"), "4");
  await hears("sign api 6");
  assert.deepEqual(said, ["unseen api", "sign api 6"], "web is followed no more");
});

test("a server that never answers holds nobody for ever; nor does an end", async () => {
  follow("api");
  follow("web");
  writeFileSync(at("main.ts"), "2");
  await hears("sign web 2");
  assert.equal(timers.length, 2);
  timers[0]?.();
  assert.equal(signs.isUnseen("api"), false);
  signs.forgetAll();
  assert.equal(signs.isUnseen("web"), false);
  assert.equal(timers.length, 0);
  assert.deepEqual(said.slice(-2), ["clear api", "clear web"]);
});
