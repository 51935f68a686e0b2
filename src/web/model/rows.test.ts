import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job, Session } from "../../protocol/units.ts";
import { EMPTY_HOME, reduceHome } from "./home.ts";
import { filterRows, rowOfJob, rowsOf } from "./rows.ts";

const job = (name: string, more: Partial<Job> = {}): Job =>
  ({
    id: `id-${name}`,
    name,
    kind: "job",
    state: "running",
    outcome: null,
    command: ["/usr/bin/npm", "run", name],
    workdir: "/home/ann/site",
    created_at: "2026-01-01T00:00:00.000Z",
    ...more,
  }) as Job;
const session = (name: string, more: Partial<Session> = {}): Session =>
  ({
    id: `id-${name}`,
    name,
    kind: "agent",
    icon: "x",
    state: "idle",
    outcome: null,
    command: ["agent"],
    workdir: "/home/ann/site",
    started_at: "2026-01-01T00:00:00.000Z",
    active_at: "2026-01-01T00:00:00.000Z",
    ...more,
  }) as Session;

const homeOf = (jobs: Job[], sessions: Session[]) =>
  [{ type: "jobs", jobs, nowMs: 1 } as const, { type: "sessions", server: "one", sessions, nowMs: 1 } as const].reduce(
    reduceHome,
    EMPTY_HOME,
  );
const names = (rows: readonly { name: string }[]): string[] => rows.map(({ name }) => name);

test("rows: who needs somebody stands first, then by project, then by name, whatever else changes", () => {
  const units = (state: Session["state"], active_at: string): string[] =>
    names(
      rowsOf(
        homeOf(
          [
            job("web"),
            job("api", { workdir: "/home/ann/api", state: "ended", outcome: { kind: "exited", status: 1 } }),
          ],
          [session("owl", { state, active_at }), session("bear", { state: "needs_you", attention: "deploy?" })],
        ),
      ),
    );
  assert.deepEqual(units("idle", "2026-01-01T00:00:00.000Z"), ["bear", "api", "owl", "web"]);
  assert.deepEqual(units("working", "2026-02-01T00:00:00.000Z"), ["bear", "api", "owl", "web"]);
});

test("rows: a row says in words how it is, and what it asks or does", () => {
  const rows = rowsOf(
    homeOf(
      [job("test", { state: "ended", outcome: { kind: "exited", status: 3 } })],
      [session("owl", { state: "needs_you", attention: "deploy?" })],
    ),
  );
  assert.deepEqual(
    rows.map(({ state, detail, project }) => [`${state.glyph} ${state.word}`, detail, project]),
    [
      ["◆ needs you", "deploy?", "~/site"],
      ["✗ failed (3)", "npm run test", "~/site"],
    ],
  );
  const stopped = rowOfJob(
    job("a", { state: "ended", outcome: { kind: "signalled", signal: "SIGTERM", status: 143, by: "user" } }),
  );
  assert.equal(stopped.state.word, "stopped");
});

test("rows: every word of a search has to stand in the row; kinds are told apart", () => {
  const rows = rowsOf(homeOf([job("web"), job("api")], [session("owl")]));
  assert.deepEqual(names(filterRows(rows, { search: "NPM web", kind: "all" })), ["web"]);
  assert.deepEqual(names(filterRows(rows, { search: "", kind: "agent" })), ["owl"]);
  assert.deepEqual(names(filterRows(rows, { search: "nobody", kind: "all" })), []);
});

test("rows: twenty thousand are put in order and searched", () => {
  const jobs = Array.from({ length: 20_000 }, (_, at) => job(`job-${at}`));
  const rows = rowsOf(homeOf(jobs, []));
  assert.equal(rows.length, 20_000);
  assert.equal(filterRows(rows, { search: "job-19999", kind: "all" }).length, 1);
});
