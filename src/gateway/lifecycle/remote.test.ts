import assert from "node:assert/strict";
import { test } from "node:test";
import type { WorkerAction } from "./actions.ts";
import { decide } from "./decide.ts";
import type { WorkerEvent } from "./events.ts";
import { frontWorkerOf } from "./front-record.ts";
import { specOf } from "./spec.ts";
import { initialState } from "./state.ts";
import { healthOf, summaryOf } from "./summary.ts";

const INTERVAL_MS = 10_000;

/** A `url` worker on a clock of the test's. */
class Play {
  nowMs = 1_000;
  actions: WorkerAction[] = [];
  state = initialState(specOf({ name: "docs", kind: "url", target: { host: "192.0.2.1", port: 443, isTls: true } }));

  tell(event: WorkerEvent): void {
    const { state, actions } = decide(this.state, event, this.nowMs);
    this.state = state;
    this.actions = actions;
  }

  answer(isOk: boolean, reason?: string): void {
    this.tell({ kind: "probed", instance: "docs", isOk, ...(reason === undefined ? {} : { reason }) });
  }

  get wakeMs(): number | undefined {
    return this.actions.find((action) => action.kind === "wake")?.atMs;
  }

  get hasProbed(): boolean {
    return this.actions.some(({ kind }) => kind === "probe");
  }

  /** To the moment that was ordered. */
  pass(): void {
    assert.ok(this.wakeMs !== undefined, "nothing is waited for");
    this.nowMs = this.wakeMs;
    this.tell({ kind: "tick" });
  }
}

test("remote: it is probed each interval; what it says is its worker's state, and requests go there all the same", () => {
  const play = new Play();
  play.tell({ kind: "recovered", instances: [], versions: [] });
  assert.equal(play.hasProbed, true);
  assert.deepEqual(summaryOf(play.state), { state: "starting" });
  play.answer(true);
  assert.deepEqual(summaryOf(play.state), { state: "healthy" });
  assert.equal(play.wakeMs, play.nowMs + INTERVAL_MS);
  for (let failure = 1; failure <= 3; failure++) {
    assert.deepEqual(summaryOf(play.state), { state: "healthy" }, `after ${failure - 1} failures`);
    play.pass();
    assert.equal(play.hasProbed, true);
    play.answer(false, "nobody listens on port 443");
  }
  assert.deepEqual(healthOf(play.state), {
    worker: "docs",
    state: "unhealthy",
    reason: "nobody listens on port 443",
    instances: [],
  });
  assert.equal(frontWorkerOf(play.state).state, "serving");
  assert.equal(play.wakeMs, play.nowMs + 1_000, "looked at more often");
  play.pass();
  play.answer(true);
  assert.deepEqual(summaryOf(play.state), { state: "healthy" });
});

test("remote: a first answer that is bad counts at once; a probe that never comes back is a bad answer", () => {
  const play = new Play();
  play.tell({ kind: "recovered", instances: [], versions: [] });
  play.pass();
  assert.equal(play.hasProbed, false);
  assert.deepEqual(summaryOf(play.state), { state: "unhealthy", reason: "the probe did not come back" });
  play.answer(true); // late
  assert.equal(summaryOf(play.state).state, "unhealthy");
});

test("remote: one that was stopped is left alone", () => {
  const play = new Play();
  play.tell({ kind: "recovered", instances: [], versions: [] });
  play.answer(true);
  play.tell({ kind: "command", command: { verb: "stop" } });
  assert.equal(play.wakeMs, undefined);
  play.tell({ kind: "command", command: { verb: "start" } });
  assert.equal(play.hasProbed, true);
});
