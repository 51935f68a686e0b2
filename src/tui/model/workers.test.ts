import assert from "node:assert/strict";
import { test } from "node:test";
import type { Gateway, Worker, WorkerInstance } from "../../protocol/gateway-units.ts";
import { type Effect, initialModel, type Model, type Step } from "./model.ts";
import { update } from "./update.ts";
import { workerFacts } from "./worker-facts.ts";
import { instancesOf, selectedWorker, workerId } from "./workers.ts";

const DIR = "/p/site";

const instance = (id: string, state: WorkerInstance["state"], version = "aaaa1111"): WorkerInstance => ({
  id,
  version,
  state,
  port: 9000,
  stdout_path: `/logs/${id}.stdout.log`,
  stderr_path: `/logs/${id}.stderr.log`,
});

const worker = (name: string, fields: Partial<Worker> = {}): Worker => ({
  name,
  kind: "worker",
  type: "node",
  route: `/${name}`,
  state: "healthy",
  version: "aaaa1111",
  instances: [instance(`${name}-1`, "healthy")],
  requests: 0,
  ...fields,
});

const gateway = (workers: Worker[], dir = DIR): Gateway => ({
  dir,
  project: dir.slice(dir.lastIndexOf("/") + 1),
  mode: "dev",
  host: "127.0.0.1",
  port: 8080,
  url: "http://127.0.0.1:8080",
  workers,
  ports: { from: 9000, to: 9999, used: [] },
});

const start = (path = DIR): Model =>
  initialModel({ columns: 120, rows: 40, nowMs: 0, scope: { kind: "project", path, label: path }, version: "0" });

const told = (model: Model, gateways: Gateway[], nowMs = 0): Step =>
  update(model, { type: "gateways", gateways, nowMs });
const key = (model: Model, name: string): Step => update(model, { type: "key", key: name });
const performed = (effects: readonly Effect[]): unknown[] =>
  effects.flatMap((effect) => (effect.kind === "perform" ? [effect.verb] : []));

/** A model on which the worker api is selected. */
function withApi(fields: Partial<Worker> = {}): Model {
  const [model] = told(start(), [gateway([worker("api", fields), worker("index")])]);
  const [live] = update(model, { type: "snapshot", jobs: [], nowMs: 0 });
  return live;
}

test("workers: the first one is selected when nothing else is there, and is looked at from then on", () => {
  const [connected] = update(start(), { type: "snapshot", jobs: [], nowMs: 0 });
  const [model, effects] = told(connected, [gateway([worker("index"), worker("api")])]);
  assert.deepEqual(model.workerOrder, [workerId(DIR, "api"), workerId(DIR, "index")], "by name");
  assert.equal(selectedWorker(model)?.worker.name, "api");
  assert.ok(effects.some((effect) => effect.kind === "watch-worker" && effect.id === workerId(DIR, "api")));
  assert.equal(model.panes.stdout.source?.path, "/logs/api-1.stdout.log", "its newest instance's output is shown");
});

test("workers: what says nothing new changes nothing", () => {
  const model = withApi();
  const [again, effects] = told(model, [gateway([worker("api"), worker("index")])], 5_000);
  // The rate is known now, which is news once.
  const [third, more] = told(again, [gateway([worker("api"), worker("index")])], 6_000);
  assert.equal(third, again);
  assert.deepEqual([effects.length, more.length], [0, 0]);
});

test("workers: those of other projects are shown with all directories", () => {
  const [model] = told(start(), [gateway([worker("api")]), gateway([worker("api")], "/p/shop")]);
  assert.equal(model.workerOrder.length, 1);
  const [all] = key(model, "a");
  assert.deepEqual(all.workerOrder, [workerId("/p/shop", "api"), workerId(DIR, "api")]);
});

test("workers: the logs follow from one version to the next, unless an instance was chosen", () => {
  const model = withApi();
  const next = [instance("api-1", "standby"), instance("api-2", "healthy", "bbbb2222")];
  const [switched] = told(model, [gateway([worker("api", { instances: next }), worker("index")])], 1_000);
  assert.equal(switched.panes.stdout.source?.runId, "api-2");
  const [focused] = key(switched, "3");
  const [chosen] = key(focused, "down");
  assert.equal(chosen.panes.stdout.source?.runId, "api-1");
  assert.deepEqual(
    instancesOf(selectedWorker(chosen)!).map(({ id }) => id),
    ["api-2", "api-1"],
  );
});

test("workers: requests a second, between two looks", () => {
  const model = withApi({ requests: 100 });
  const [later] = told(model, [gateway([worker("api", { requests: 130 }), worker("index")])], 2_000);
  assert.equal(selectedWorker(later)?.perSecond, 15);
  assert.ok(workerFacts(selectedWorker(later)!).includes("15 req/s · 0 in flight"));
});

test("workers: keys ask for what can be done now, and one that cannot says why", () => {
  const api = withApi();
  const dir = { dir: DIR, name: "api", verb: "worker" };
  assert.deepEqual(performed(key(api, "p")[1]), [{ ...dir, ask: "pause" }]);
  assert.deepEqual(performed(key(api, "r")[1]), [{ ...dir, ask: "restart" }]);
  assert.deepEqual(performed(key(withApi({ state: "paused" }), "p")[1]), [{ ...dir, ask: "unpause" }]);
  const stopped = withApi({ state: "stopped", instances: [] });
  assert.deepEqual(performed(key(stopped, "space")[1]), [{ ...dir, ask: "start" }]);
  const [refused, effects] = key(stopped, "s");
  assert.deepEqual(performed(effects), []);
  assert.equal(refused.message?.text, "api is stopped; space starts it");
  assert.match(key(api, "R")[0].message?.text ?? "", /no other version of api/);
});

test("workers: a rollback asks first", () => {
  const model = withApi({ previous: "cccc3333" });
  const [asked, none] = key(model, "R");
  assert.deepEqual(performed(none), []);
  assert.equal(asked.message?.text, "press R again: cccc3333 serves /api again");
  const [, effects] = key(asked, "R");
  assert.deepEqual(performed(effects), [{ verb: "worker", ask: "rollback", name: "api", dir: DIR }]);
});

test("workers: one that goes gives its row to the next", () => {
  const model = withApi();
  const [gone] = told(model, [gateway([worker("index")])], 1_000);
  assert.equal(selectedWorker(gone)?.worker.name, "index");
});
