import assert from "node:assert/strict";
import { test } from "node:test";
import { capsOf, judgeLooks } from "./judging.ts";
import { FAULTS_MAX, Ledger } from "./ledger.ts";
import { clock, hasPassed, type Outcome, reportOf } from "./report.ts";
import { FOLDERS, type Folder, GROUPS, type Group, type Look, type Taken } from "./sampling.ts";

const LOOKS = 120;
const CAPS = capsOf({ sessions: 9, changes: 10_000, messages: 10_000 });

const same: Taken = { pssMB: 40, ownMB: 30, descriptors: 50, threads: 11, processes: 1 };

/** A run in which nothing changes but what `change` says of one look. */
function looksOf(change: (look: Look, at: number) => void = () => {}): Look[] {
  return Array.from({ length: LOOKS }, (_, at) => {
    const groups = Object.fromEntries(GROUPS.map((group) => [group, { ...same }])) as Record<Group, Taken>;
    const diskMB = Object.fromEntries(FOLDERS.map((folder) => [folder, 5])) as Record<Folder, number>;
    const look: Look = { atMs: at * 10_000, groups, diskMB, fileCount: 100 };
    change(look, at);
    return look;
  });
}

const outcomeOf = (looks: readonly Look[], more: Partial<Outcome> = {}): Outcome => ({
  seed: 7,
  minutes: 20,
  counts: [{ what: "jobs", count: 12 }],
  allowed: new Map([["front killed", 3]]),
  growth: judgeLooks(looks, CAPS, { judgesMemory: true }),
  faults: [],
  ...more,
});

const badOf = (looks: readonly Look[]): string[] =>
  outcomeOf(looks)
    .growth.filter(({ verdict }) => verdict === "GROWS" || verdict === "ABOVE")
    .map(({ what }) => what);

test("report: what stays as it is has passed, and says the seed", () => {
  const outcome = outcomeOf(looksOf());
  assert.equal(hasPassed(outcome), true);
  const text = reportOf(outcome);
  assert.match(text, /^jobs +12$/m);
  assert.match(text, /^3 × as the contract allows: front killed$/m);
  assert.match(text, /passed.*WARREN_SEED=7\)$/);
});

test("report: each thing that grows is found, and named", () => {
  const grown: [string, (look: Look, at: number) => void][] = [
    ["keeper: descriptors", (look, at) => (look.groups.keeper.descriptors += at)],
    ["front: threads", (look, at) => (look.groups.front.threads += Math.floor(at / 4))],
    ["server: memory of its own", (look, at) => (look.groups.server.ownMB += at / 2)],
    ["hubs: memory of its own", (look, at) => (look.groups.hubs.ownMB += at / 2)],
    ["shims: processes", (look, at) => (look.groups.shims.processes += at)],
    ["disk: logs", (look, at) => (look.diskMB.logs += at)],
    ["files of the home", (look, at) => (look.fileCount += at * 40)],
    ["disk: mail", (look, at) => (look.diskMB.mail += at * 10)],
  ];
  for (const [what, change] of grown) {
    assert.deepEqual(badOf(looksOf(change)), [what]);
    const text = reportOf(outcomeOf(looksOf(change)));
    assert.match(text, /FAILED: 0 faults, 1 that grow.*WARREN_SEED=7$/);
  }
});

test("report: what is kept by contract is judged by its limit, and not by its trend", () => {
  const kept = looksOf((look, at) => {
    look.diskMB.mail += at / 4;
    look.diskMB.sessions += at;
  });
  assert.deepEqual(badOf(kept), []);
});

test("report: memory is not judged in a short run, descriptors are", () => {
  const looks = looksOf((look, at) => {
    look.groups.server.ownMB += at;
    look.groups.server.descriptors += at;
  });
  const judged = judgeLooks(looks, CAPS, { judgesMemory: false });
  assert.deepEqual(
    judged.filter(({ verdict }) => verdict === "GROWS").map(({ what }) => what),
    ["server: descriptors"],
  );
});

test("report: a fault fails the run and is told with its moment", () => {
  const text = reportOf(outcomeOf(looksOf(), { faults: [{ part: "jobs", what: "job 4 is lost", atMs: 61_000 }] }));
  assert.match(text, /^jobs, 01:01: job 4 is lost$/m);
  assert.match(text, /FAILED: 1 faults/);
});

test("ledger: the last fault that is kept ends the run", () => {
  let isFull = false;
  const told: string[] = [];
  const ledger = new Ledger({
    onFault: ({ part }) => told.push(part),
    onFull: () => {
      isFull = true;
    },
  });
  for (let at = 1; at < FAULTS_MAX; at++) ledger.fault("jobs", "lost");
  assert.equal(isFull, false);
  for (let at = 0; at < 3; at++) ledger.fault("jobs", "lost");
  assert.deepEqual([isFull, ledger.faults.length, told.length], [true, FAULTS_MAX, FAULTS_MAX]);
});

test("clock: minutes go on past the hour", () => {
  assert.deepEqual([0, 59_999, 61_000, 3_725_000].map(clock), ["00:00", "00:59", "01:01", "62:05"]);
});
