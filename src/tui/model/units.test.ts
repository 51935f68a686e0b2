import assert from "node:assert/strict";
import { test } from "node:test";
import { at, ended, job, Played } from "../../../test/tui/played.ts";
import { raised } from "./units.ts";

test("order: needs you first, then running, then by name", () => {
  const played = new Played().show(
    ended("1zz", 1, { name: "alpha" }),
    job("1bb", { name: "web" }),
    job("1cc", { name: "api" }),
    job("1dd", { name: "zeta", stuck: true }),
    ended("1aa", 0, { name: "build" }),
  );
  assert.deepEqual(played.model.order, ["1dd", "1cc", "1bb", "1zz", "1aa"]);
  assert.equal(played.model.selectedId, "1dd", "the first is selected");
});

test("order: a new job goes below the cursor's unit and moves nothing above it (invariant 2)", () => {
  const played = new Played().show(job("1aa"), job("1bb"), job("1cc")).keys("j");
  assert.equal(played.model.selectedId, "1bb");
  played.event("job_added", job("1dd"));
  assert.deepEqual(played.model.order, ["1aa", "1bb", "1dd", "1cc"]);
  assert.equal(played.model.selectedId, "1bb");
});

test("order: what stands above the cursor and starts again goes to the top", () => {
  const played = new Played().show(ended("1aa"), ended("1bb"), ended("1cc")).keys("G");
  played.event("job_started", job("1bb", { run_id: "1bb-2" }));
  assert.deepEqual(played.model.order, ["1bb", "1aa", "1cc"]);
  assert.equal(played.model.selectedId, "1cc");
});

test("order: an update that starts nothing moves nothing", () => {
  const played = new Played().show(job("1aa"), job("1bb"), job("1cc"));
  played.event("job_updated", job("1cc", { description: "x" })).event("job_stopped", ended("1bb", 3));
  assert.deepEqual(played.model.order, ["1aa", "1bb", "1cc"]);
  assert.equal(played.model.jobs.get("1bb")?.status, "stopped");
});

test("order: a unit that comes to need you is raised", () => {
  const played = new Played().show(job("1aa"), job("1bb"), job("1cc"));
  played.event("job_updated", job("1cc", { stuck: true }));
  assert.deepEqual(played.model.order, ["1aa", "1cc", "1bb"]);
});

test("raised: without a cursor the top is free", () => {
  assert.deepEqual(raised(["1aa", "1bb"], "1cc", null), ["1cc", "1aa", "1bb"]);
  assert.deepEqual(raised(["1aa", "1bb"], "1bb", "1bb"), ["1aa", "1bb"]);
});

test("selection: follows the unit, and goes to the neighbour when it is removed (invariants 1 and 3)", () => {
  const played = new Played().show(job("1aa"), job("1bb"), job("1cc")).keys("j");
  played.event("job_removed", job("1aa"));
  assert.equal(played.model.selectedId, "1bb");
  played.event("job_removed", job("1bb"));
  assert.equal(played.model.selectedId, "1cc");
  played.event("job_removed", job("1cc"));
  assert.equal(played.model.selectedId, null);
  assert.equal(played.model.panes.stdout.source, null, "its log is closed");
});

test("selection: a reconnect keeps the order and the cursor, and drops what is gone", () => {
  const played = new Played().show(job("1aa"), job("1bb"), job("1cc")).keys("j");
  played.do({ type: "connection", state: "reconnecting" });
  assert.equal(played.model.connection, "reconnecting");
  played.show(job("1dd"), job("1cc"), job("1bb"));
  assert.deepEqual(played.model.order, ["1bb", "1dd", "1cc"]);
  assert.equal(played.model.selectedId, "1bb");
  assert.equal(played.model.connection, "live");
  assert.equal(played.effect("load-runs")?.jobId, "1bb", "its runs are read again");
});

test("scope: other directories are hidden until `a`, and one that is shown keeps its selection", () => {
  const played = new Played().show(job("1aa", { workdir: "/other" }), job("1bb"), job("1cc", { workdir: "/p/sub" }));
  assert.deepEqual(played.model.order, ["1bb"]);
  played.keys("a");
  assert.deepEqual(played.model.order, ["1aa", "1bb", "1cc"]);
  assert.equal(played.model.selectedId, "1bb");
  played.event("job_added", job("1dd", { workdir: "/else" }));
  assert.ok(played.model.order.includes("1dd"));
  played.keys("a");
  assert.deepEqual(played.model.order, ["1bb"]);
});

test("scope: a project has its folders' jobs too, but not those of a folder with the same beginning", () => {
  const played = new Played();
  played.model = { ...played.model, scope: { kind: "project", path: "/p", label: "~/p" } };
  played.show(job("1aa", { workdir: "/p/sub" }), job("1bb", { workdir: "/pp" }), job("1cc"));
  assert.deepEqual(played.model.order, ["1aa", "1cc"]);
});

test("ports: an event with ports alone changes the job", () => {
  const played = new Played().show(job("1aa"));
  const port = { port: 3000, protocol: "tcp", pid: 1, address: "127.0.0.1" } as const;
  const data = { job_id: "1aa", ports: [port] };
  played.do({
    type: "event",
    event: { event: "ports_updated", stream: "jobs", seq: 2, job_id: "1aa", data },
    nowMs: 0,
  });
  assert.equal(played.model.jobs.get("1aa")?.ports?.[0]?.port, 3000);
});

test("selecting: asks for the runs and opens both logs; an answer for another unit is dropped", () => {
  const played = new Played().show(job("1aa"), job("1bb"));
  assert.equal(played.effect("load-runs")?.jobId, "1aa");
  assert.equal(played.effect("read-log")?.source.path, "/logs/1aa-1.stdout.log");
  played.keys("j");
  assert.equal(played.effect("load-runs")?.jobId, "1bb");
  assert.equal(played.effect("watch-log")?.source?.path, "/logs/1bb-1.stdout.log");
  played.do({ type: "runs-loaded", jobId: "1aa", runs: [] });
  assert.deepEqual(played.effects, []);
});

test("a newer run of the selected unit is shown when the newest was", () => {
  const played = new Played().show(job("1aa"));
  const paths = { stdout_path: "/logs/1aa-2.stdout.log", stderr_path: "/logs/1aa-2.stderr.log" };
  played.event("job_started", job("1aa", { run_id: "1aa-2", started_at: at(0), ...paths }));
  assert.equal(played.model.panes.stdout.source?.path, "/logs/1aa-2.stdout.log");
});

test("the list scrolls only as far as the cursor needs", () => {
  const jobs = Array.from({ length: 50 }, (_, index) => job(`1${String(index).padStart(2, "0")}`));
  const played = new Played().show(...jobs).keys("G");
  assert.equal(played.model.selectedId, "149");
  assert.ok(played.model.lists.units.top > 30);
  const { top } = played.model.lists.units;
  played.keys("k", "k");
  assert.equal(played.model.lists.units.top, top);
  played.keys("g");
  assert.equal(played.model.lists.units.top, 0);
});

test("an unknown stream's event and a second equal tick leave the very same model", () => {
  const played = new Played().show(job("1aa"));
  const { model } = played;
  played.do({ type: "event", event: { event: "x", stream: "mail/fox", seq: 9, data: {} }, nowMs: 1 });
  assert.equal(played.model, model);
  played.do({ type: "tick", nowMs: model.nowMs + 500 });
  assert.equal(played.model, model, "no age on the screen changes, so nothing is drawn");
  played.do({ type: "tick", nowMs: model.nowMs + 60_000 });
  assert.notEqual(played.model, model);
});
