import assert from "node:assert/strict";
import { test } from "node:test";
import type { Session } from "../../protocol/units.ts";
import { firstScreenOf, readFirstScreen, textOfFirstScreen } from "./first-screen.ts";
import { EMPTY_FLEET, type Fleet, type FleetAction, fleetReducer, rowsMaker } from "./fleet.ts";
import { EMPTY_HOME, type Home, type HomeAction, reduceHome } from "./home.ts";
import { LOCAL, type Row } from "./rows.ts";

const A = "aa".repeat(32);
const B = "bb".repeat(32);
const LIVE: HomeAction = { type: "way", way: { kind: "live" }, nowMs: 7_000 };

const fleetOf = (...actions: FleetAction[]): Fleet => actions.reduce(fleetReducer(EMPTY_HOME), EMPTY_FLEET);
const homeOf = (...actions: HomeAction[]): Home => actions.reduce(reduceHome, EMPTY_HOME);
const machine = (id: string): FleetAction => ({
  type: "machine",
  machine: { id, ownName: `machine ${id[0]}`, words: undefined, scopes: ["view"], hubs: {}, liveHub: undefined },
});
const session = (number: number): Session => {
  const id = String(number).padStart(4, "0");
  const more = { state: number % 50 === 0 ? "needs_you" : "working", title: `title ${number}` };
  const at = "2026-01-01T00:00:00.000Z";
  return {
    id,
    name: `fox ${id}`,
    kind: "agent",
    icon: "🦊",
    workdir: "/w",
    command: ["x"],
    started_at: at,
    ...more,
  } as Session;
};
const sessions = (count: number): HomeAction => ({
  type: "sessions",
  server: "blazing",
  sessions: Array.from({ length: count }, (_, number) => session(number)),
  nowMs: 5_000,
});

/** As the next page has it: from what was written, and from the homes as they are remembered. */
const keptAndFollowing = (fleet: Fleet) => {
  const kept = readFirstScreen(textOfFirstScreen(firstScreenOf(rowsMaker()(fleet), fleet, "project")!))!;
  const actions = [...fleet.machines.values()].flatMap((one): FleetAction[] => {
    const { confirmedMs, jobs, sessions: known, servers, gateways } = one.home;
    const home = { confirmedMs, jobs, sessions: known, servers, gateways };
    return [machine(one.id), { type: "home", id: one.id, home: homeOf({ type: "remembered", home }) }];
  });
  return { kept, following: rowsMaker()(fleetOf(...actions)) };
};
const shown = ({ unit: _, ...row }: Row) => row;

test("first screen: its rows are the first ones of the list that follows, each as of the same time", () => {
  const fleet = fleetOf(
    machine(A),
    machine(B),
    { type: "home", id: A, home: homeOf(sessions(70), LIVE) },
    { type: "home", id: B, home: homeOf(sessions(70)) },
  );
  const { kept, following } = keptAndFollowing(fleet);
  assert.equal(kept.rows.length, 60);
  assert.deepEqual(kept.rows.map(shown), following.slice(0, 60).map(shown));
  assert.deepEqual(
    [...new Set(kept.rows.map(({ asOfMs }) => asOfMs))].sort(),
    [5_000, 7_000],
    "nothing is said to be so now",
  );
  assert.deepEqual(kept.counts, { units: 140, working: 136, needYou: 4 });
  assert.equal(kept.machineCount, 2);
});

test("first screen: of a home alone the rows say no time, as the list that follows", () => {
  const { kept, following } = keptAndFollowing(
    fleetOf(machine(LOCAL), { type: "home", id: LOCAL, home: homeOf(sessions(3), LIVE) }),
  );
  assert.deepEqual(kept.rows.map(shown), following.map(shown));
  assert.equal(kept.rows[0]!.asOfMs, undefined);
});

test("first screen: an empty list leaves none, and what the app has not written is none", () => {
  assert.equal(firstScreenOf([], EMPTY_FLEET, "project"), undefined);
  for (const text of [
    null,
    "",
    "{",
    "null",
    "7",
    '{"form":2,"rows":[]}',
    '{"form":1}',
    '{"form":1,"rows":[null]}',
    "[]",
  ])
    assert.equal(readFirstScreen(text), undefined, String(text));
});
