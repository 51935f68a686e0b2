import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job } from "../../protocol/units.ts";
import { badgeOf, EMPTY_FLEET, type Fleet, type FleetAction, type FleetHub, fleetReducer, rowsMaker } from "./fleet.ts";
import { EMPTY_HOME, type Home, type HomeAction, reduceHome } from "./home.ts";
import { hubCount } from "./hub-count.ts";
import { hubAddress, hubWords } from "./hub-words.ts";

const A = "aa".repeat(32);
const B = "bb".repeat(32);

const reduce = fleetReducer(EMPTY_HOME);
const fleetOf = (...actions: FleetAction[]): Fleet => actions.reduce(reduce, EMPTY_FLEET);

const machine = (id: string, ownName: string, more: object = {}): FleetAction => ({
  type: "machine",
  machine: { id, ownName, words: undefined, scopes: ["view"], hubs: { one: true }, liveHub: undefined, ...more },
});
const hub = (fingerprint: string, more: Partial<FleetHub> = {}): FleetHub => ({
  fingerprint,
  label: `hub ${fingerprint}`,
  addresses: ["https://hub.example"],
  addedMs: 0,
  usedMs: undefined,
  isOff: false,
  state: { kind: "ready", address: "https://hub.example", sinceMs: 0 },
  ...more,
});
const job = (id: string, more: Partial<Job> = {}): Job =>
  ({
    id,
    name: id,
    kind: "job",
    state: "running",
    outcome: null,
    command: ["x"],
    workdir: "/w",
    created_at: "2026-01-01T00:00:00.000Z",
    ...more,
  }) as Job;
const home = (...actions: HomeAction[]): Home => actions.reduce(reduceHome, EMPTY_HOME);
const jobs = (...ids: string[]): HomeAction => ({ type: "jobs", jobs: ids.map((id) => job(id)), nowMs: 1 });
const way = (kind: "live" | "away"): HomeAction => ({ type: "way", way: { kind }, nowMs: 5 });

test("fleet: units of the same id on two machines are two rows, each with its own machine", () => {
  const rows = rowsMaker()(
    fleetOf(
      machine(A, "laptop"),
      machine(B, "server"),
      { type: "home", id: A, home: home(way("live"), jobs("web")) },
      { type: "home", id: B, home: home(way("live"), jobs("web")) },
    ),
  );
  assert.deepEqual(
    rows.map(({ key, machineName, asOfMs }) => [key, machineName, asOfMs]),
    [
      [`@${A}/job/web`, "laptop", undefined],
      [`@${B}/job/web`, "server", undefined],
    ],
  );
});

test("fleet: two machines that call themselves the same are told apart, and only then", () => {
  const names = (fleet: Fleet): string[] => [...fleet.machines.values()].map(({ name }) => name);
  const both = fleetOf(machine(A, "vm"), machine(B, "vm"));
  assert.deepEqual(names(both), ["vm aaaa", "vm bbbb"]);
  assert.deepEqual(names(reduce(both, { type: "machine-gone", id: B })), ["vm"]);
});

test("fleet: rows of a machine that is away say as of when; only those of a machine that has changed are made again", () => {
  const make = rowsMaker();
  const first = fleetOf(
    machine(A, "laptop"),
    machine(B, "server"),
    { type: "home", id: A, home: home(way("live"), jobs("api")) },
    { type: "home", id: B, home: home(way("live"), jobs("web"), way("away")) },
  );
  const rows = make(first);
  assert.deepEqual(
    rows.map(({ name, asOfMs }) => [name, asOfMs]),
    [
      ["api", undefined],
      ["web", 1],
    ],
  );
  assert.equal(make({ ...first }), rows, "nothing has changed");
  const next = make(reduce(first, { type: "home", id: A, home: home(way("live"), jobs("api", "zoo")) }));
  assert.equal(
    next.find(({ name }) => name === "web"),
    rows[1],
  );
  assert.equal(next.length, 3);
});

test("fleet: what came as records counts until the machine is met again", () => {
  const record = (id: string, state: string, atMs: number, more = {}) => ({
    row: { id, kind: "job", name: id, state, ...more },
    atMs,
  });
  const away = home(
    way("live"),
    jobs("api", "web", "old"),
    way("away"),
    {
      type: "recorded",
      units: [
        record("new", "needs_you", 70, { kind: "agent", asks: "deploy?" }),
        record("web", "ended", 60),
        record("old", "gone", 60),
      ],
    },
    { type: "recorded", units: [record("web", "running", 50)] },
  );
  const shown = (of: Home): unknown[] =>
    rowsMaker()(fleetOf(machine(A, "laptop"), { type: "home", id: A, home: of })).map(
      ({ name, kind, state, detail, asOfMs }) => [name, kind, state.word, detail, asOfMs],
    );
  assert.deepEqual(shown(away), [
    ["new", "agent", "needs you", "deploy?", 70],
    ["api", "job", "working", "x", 1],
    ["web", "job", "ended", "x", 60],
  ]);
  const met = [way("live"), jobs("api")].reduce(reduceHome, away);
  assert.deepEqual(shown(met), [["api", "job", "working", "x", undefined]]);
});

test("fleet: a hub's badge is there where there are two to tell apart: the one that is used, else one that could be", () => {
  const two: FleetAction = { type: "hubs", hubs: [hub("one"), hub("two")] };
  assert.equal(badgeOf(fleetOf(machine(A, "a"), { type: "hubs", hubs: [hub("one")] }), A), undefined);
  assert.equal(
    badgeOf(fleetOf(machine(A, "a", { liveHub: "two", hubs: { one: true, two: true } }), two), A),
    "hub two",
  );
  assert.equal(badgeOf(fleetOf(machine(A, "a", { hubs: { one: false, two: undefined } }), two), A), "hub two");
});

test("fleet: twenty thousand units of fifty machines are put in one order, and a change of one machine takes a part of that", () => {
  const ids = Array.from({ length: 50 }, (_, at) => at.toString(16).padStart(64, "0"));
  const actions = ids.flatMap((id): FleetAction[] => [
    machine(id, `m${id.slice(-2)}`),
    { type: "home", id, home: home(way("live"), jobs(...Array.from({ length: 400 }, (_, at) => `job-${at}`))) },
  ]);
  const make = rowsMaker();
  const fleet = fleetOf(...actions);
  assert.equal(make(fleet).length, 20_000);
  const next = make(reduce(fleet, { type: "home", id: ids[0]!, home: home(way("live"), jobs("only")) }));
  assert.equal(next.length, 19_601);
});

test("hub words: how a hub is, why, and how many are there", () => {
  const error = Object.assign(new Error("nothing answers there"), {
    code: "HUB_UNREACHABLE",
    fix: "warren hub status",
  });
  const waiting = hub("one", {
    state: { kind: "waiting", address: "https://hub.example", untilMs: 0, error: error as never },
  });
  assert.equal(hubWords(waiting, 1).why, "nothing answers there");
  assert.match(hubWords(hub("one", { isOff: true }), 0).why ?? "", /No machine of it/);
  assert.equal(hubWords(hub("one", { isOff: true }), 1).text, "disconnected here");
  assert.equal(hubCount({ hubs: [] }), undefined);
  assert.equal(hubCount({ hubs: [hub("one"), waiting, hub("three", { isOff: true })] }), "1/2 hubs");
});

test("hub words: an address is written in one way, or refused with why", () => {
  assert.equal(hubAddress(" Home.Example/ "), "https://home.example");
  assert.equal(hubAddress("http://localhost:7117/a/?x#y"), "http://localhost:7117/a");
  for (const text of ["ftp://x", "https://me:secret@x", "https://"])
    assert.throws(() => hubAddress(text), { code: "HUB_ADDRESS" }, text);
});
