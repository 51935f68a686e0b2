import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job, Session } from "../../protocol/units.ts";
import { EMPTY_HOME, type Home, type HomeAction, reduceHome, sessionsOf } from "./home.ts";

const after = (...actions: HomeAction[]): Home => actions.reduce(reduceHome, EMPTY_HOME);
const job = (id: string, more: Partial<Job> = {}): Job => ({ id, kind: "job", ...more }) as Job;
const session = (id: string, more: Partial<Session> = {}): Session =>
  ({ id, name: id, kind: "session", ...more }) as Session;
const jobEvent = (event: string, data: Record<string, unknown>, job_id?: string): HomeAction => ({
  type: "job-event",
  event: { event, stream: "jobs", seq: 1, data, ...(job_id === undefined ? {} : { job_id }) },
  nowMs: 2,
});

test("home: a job's events replace, mend and remove it; one of a newer server changes nothing", () => {
  const known = after({ type: "jobs", jobs: [job("a"), job("b")], nowMs: 1 });
  const started = reduceHome(known, jobEvent("job_started", { job: job("a", { state: "running" }) }));
  assert.equal(started.jobs.get("a")?.state, "running");
  assert.equal(known.jobs.get("a")?.state, undefined, "what was there is not changed");
  const ports = [{ port: 3000, protocol: "tcp" as const, pid: 1, address: "0.0.0.0" }];
  assert.deepEqual(reduceHome(started, jobEvent("ports_updated", { ports }, "a")).jobs.get("a")?.ports, ports);
  assert.deepEqual([...reduceHome(started, jobEvent("job_removed", {}, "a")).jobs.keys()], ["b"]);
  assert.equal(reduceHome(started, jobEvent("job_painted", {}, "a")).jobs, started.jobs);
  assert.equal(reduceHome(started, jobEvent("job_painted", {})).jobs, started.jobs);
});

test("home: sessions are their server's; a server that goes takes its own along, one that moves is shown once", () => {
  const servers = (...names: string[]): HomeAction => ({
    type: "servers",
    servers: names.map((name, at) => ({ name, icon: "", version: "1", primary: at === 0, sessions: [] })),
    nowMs: 1,
  });
  const home = after(
    servers("new", "old"),
    { type: "sessions", server: "new", sessions: [session("fox")], nowMs: 1 },
    { type: "sessions", server: "old", sessions: [session("bear")], nowMs: 1 },
    { type: "session-changed", server: "old", session: session("bear", { state: "idle" }), nowMs: 1 },
    { type: "session-changed", server: "old", session: session("owl"), nowMs: 1 },
    { type: "session-changed", server: "new", session: session("owl", { server: "new" }), nowMs: 1 },
  );
  assert.deepEqual(
    sessionsOf(home)
      .map(({ id }) => id)
      .sort(),
    ["bear", "fox", "owl"],
  );
  assert.equal(sessionsOf(home).find(({ id }) => id === "bear")?.state, "idle");
  const gone = reduceHome(home, { type: "session-gone", server: "new", id: "fox", nowMs: 2 });
  assert.deepEqual(
    sessionsOf(gone)
      .map(({ id }) => id)
      .sort(),
    ["bear", "owl"],
  );
  assert.deepEqual(
    sessionsOf(reduceHome(gone, servers("new"))).map(({ id }) => id),
    ["owl"],
  );
});

test("home: says when something was confirmed last, and keeps what it knows while the way is cut", () => {
  const live = after({ type: "way", way: { kind: "live" }, nowMs: 5 }, { type: "jobs", jobs: [job("a")], nowMs: 7 });
  const away = reduceHome(live, { type: "way", way: { kind: "away" }, nowMs: 90 });
  assert.deepEqual([away.confirmedMs, away.jobs.size, away.way.kind], [7, 1, "away"]);
  assert.equal(reduceHome(away, { type: "way", way: { kind: "away" }, nowMs: 95 }), away, "nothing new is no change");
});

test("home: what a browser remembers is shown until something is heard, and never in its place", () => {
  const known = { confirmedMs: 3, jobs: new Map([["a", job("a")]]), sessions: new Map(), servers: [], gateways: [] };
  const shown = after({ type: "remembered", home: known }, { type: "way", way: { kind: "away" }, nowMs: 9 });
  assert.deepEqual([shown.jobs.size, shown.confirmedMs], [1, 3]);
  const heard = after({ type: "jobs", jobs: [], nowMs: 4 }, { type: "remembered", home: known });
  assert.deepEqual([heard.jobs.size, heard.confirmedMs], [0, 4]);
});

test("home: a session that the registry names no more is over, one that it does not name yet is not", () => {
  const servers = (...sessions: string[]): HomeAction => ({
    type: "servers",
    servers: [{ name: "old", icon: "", version: "1", primary: false, sessions }],
    nowMs: 1,
  });
  const home = after(servers("bear"), {
    type: "sessions",
    server: "old",
    sessions: [session("bear"), session("new")],
    nowMs: 1,
  });
  assert.deepEqual(
    sessionsOf(reduceHome(home, servers())).map(({ id }) => id),
    ["new"],
  );
});
