import assert from "node:assert/strict";
import { test } from "node:test";
import type { WorkerEvent } from "./events.ts";
import { portsOf } from "./state.ts";
import { instanceStateOf, summaryOf } from "./summary.ts";
import { buildFailure, Play, type Replies } from "./testing/play.ts";
import { rollbackTarget, versionsToKeep } from "./versions.ts";

const never = (): undefined => undefined;
const QUIET = { refused: 0, reset: 0, late: 0, bad: 0, failed: 0, total: 0 };
const PROD = { mode: "prod" } as const;

test("decide: does not change what it is given, and its state is plain JSON", () => {
  const play = Play.healthy();
  const before = JSON.stringify(play.state);
  const kept = play.state;
  play.sources("v2");
  assert.equal(JSON.stringify(kept), before);
  assert.deepEqual(JSON.parse(JSON.stringify(play.state)), play.state);
});

test("start: the sources are looked at, built, started, probed, and only then served", () => {
  const play = new Play({}, { probe: never });
  play.sources("v1");
  assert.deepEqual([play.front.state, play.front.instances, play.summary], ["held", [], "starting"]);
  play.say({ kind: "probed", instance: "api-1", isOk: true, status: 200 });
  assert.deepEqual([play.versionServed(), play.summary], ["v1", "healthy"]);
  assert.deepEqual(play.of("link"), [{ kind: "link", version: "v1" }]);
});

test("hold: at the first sign of a change nothing more is served, until nothing has changed after all", () => {
  const play = Play.healthy();
  play.say({ kind: "touched", change: 1 });
  assert.deepEqual([play.front.state, play.front.holdMs], ["held", 30_000]);
  play.say({ kind: "unchanged", change: 1 });
  assert.equal(play.versionServed(), "v1");
  assert.deepEqual(play.of("build"), []);
});

test("hold: an answer to an earlier sign does not end it", () => {
  const play = Play.healthy();
  play.say({ kind: "touched", change: 1 });
  play.say({ kind: "touched", change: 2 });
  play.sources("v1", 1);
  assert.equal(play.front.state, "held");
  play.sources("v2", 2);
  play.sources("v1", 1); // late
  assert.equal(play.versionServed(), "v2");
});

test("hold: a digest that does not come is asked for again", () => {
  const play = Play.healthy();
  play.say({ kind: "touched", change: 1 });
  play.replies.look = () => ({ kind: "sources", change: 1, version: "v1" });
  play.pass(5_000);
  assert.equal(play.versionServed(), "v1");
});

test("hold: a watcher that counts anew is understood, with a hold of the old one still open or not", () => {
  for (const [isOpen, isLookedAt] of [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ]) {
    const play = Play.healthy();
    for (const change of [1, 2, 3]) {
      play.say({ kind: "touched", change });
      play.sources("v1", change);
    }
    if (isOpen) play.say({ kind: "touched", change: 4 });
    play.replies.look = never;
    if (isLookedAt) play.sources("v1", 0); // from the beginning
    play.say({ kind: "touched", change: 1 });
    assert.equal(play.front.state, "held");
    play.sources("v2", 1);
    assert.equal(play.versionServed(), "v2");
  }
});

test("hold: is not for ever, though the watcher that could end it is gone", () => {
  const play = Play.healthy();
  play.say({ kind: "touched", change: 4 });
  play.replies.look = () => ({ kind: "sources", change: 0, version: "v2" });
  play.pass(5_000);
  assert.equal(play.versionServed(), "v2");
});

test("hold: production does not watch", () => {
  const play = Play.healthy(PROD);
  play.say({ kind: "touched", change: 1 });
  assert.equal(play.versionServed(), "v1");
});

test("save: one save is one build, and the browsers are told once it is served", () => {
  const play = Play.healthy();
  play.say({ kind: "touched", change: 1 });
  play.sources("v2", 1);
  play.sources("v2", 1);
  play.pass(60_000);
  assert.deepEqual(play.of("build"), [{ kind: "build", version: "v2", isForced: false }]);
  assert.equal(play.of("reload").length, 1);
  const order = play.actions.map(({ kind }) => kind).filter((kind) => ["publish", "reload"].includes(kind));
  assert.ok(order.indexOf("reload") > 0, "after a table that is in force");
});

test("save: a newer one takes the place of one that is being built, or started", () => {
  const play = Play.healthy();
  play.replies.build = never;
  play.sources("v2");
  play.sources("v3");
  assert.deepEqual(play.of("cancel_build"), [{ kind: "cancel_build", version: "v2" }]);
  play.say({ kind: "built", version: "v2" }); // it had been done
  play.replies.probe = never;
  play.say({ kind: "built", version: "v3" });
  assert.equal(play.of("start").at(-1)?.version, "v3");
  play.replies = {};
  play.sources("v4");
  assert.deepEqual(play.reports("release_abandoned"), [{ version: "v3", reason: "another version is wanted" }]);
  assert.equal(play.versionServed(), "v4");
});

test("save: going back to what was built before builds nothing", () => {
  const play = Play.healthy();
  play.sources("v2");
  play.pass(60_000);
  play.sources("v1");
  assert.deepEqual([play.versionServed(), play.of("build").length], ["v1", 1]);
});

test("failed build: development shows it with the old version warm, until the next good one", () => {
  const play = Play.healthy();
  play.replies.build = ({ version }) => ({ kind: "build_failed", version, failure: buildFailure("no such name") });
  play.sources("v2");
  assert.deepEqual([play.front.state, play.front.failure?.places[0]?.line, play.summary], ["failed", 3, "failed"]);
  assert.equal(play.state.instances.filter(({ leaving }) => leaving === null).length, 1);
  play.replies = {};
  play.sources("v3");
  assert.equal(play.versionServed(), "v3");
});

test("failed build: the old version is kept warm, not alive", () => {
  const play = Play.healthy();
  play.replies.build = never;
  play.sources("v2");
  play.exit();
  play.pass(30_000);
  assert.deepEqual(play.of("start"), []);
});

test("failed build: production goes on with the old version, and says so", () => {
  const play = Play.healthy(PROD);
  play.replies.build = ({ version }) => ({ kind: "build_failed", version, failure: buildFailure("no such name") });
  play.sources("v2");
  assert.equal(play.versionServed(), "v1");
  assert.deepEqual(summaryOf(play.state), { state: "degraded", reason: "version v2 failed: no such name" });
});

test("failed build: a build that takes too long is one", () => {
  const play = Play.healthy({ buildTimeoutMs: 20_000 });
  play.replies.build = never;
  play.sources("v2");
  play.pass(20_000);
  assert.deepEqual(play.of("cancel_build"), [{ kind: "cancel_build", version: "v2" }]);
  assert.deepEqual([play.front.state, play.front.failure?.message], ["failed", "was not built in 20 s"]);
});

/** Each: how a new version shows that it is bad before it serves. */
const BAD_STARTS: Record<string, { replies: Replies; events?: (id: string) => WorkerEvent[]; reason: RegExp }> = {
  "never answers": { replies: { probe: never }, reason: /^was not healthy after 30 s/ },
  "ends at once": {
    replies: { probe: never },
    events: (instance) => [exitOf(instance, 3)],
    reason: /^ended with exit status 3$/,
  },
  "answers 500": {
    replies: { probe: ({ instance }) => ({ kind: "probed", instance, isOk: false, status: 500 }) },
    reason: /^was not healthy after 0 s: answered 500$/,
  },
  "answers 503 for ever": {
    replies: { probe: ({ instance }) => ({ kind: "probed", instance, isOk: false, status: 503 }) },
    reason: /^was not healthy after 30 s: answered 503$/,
  },
  "listens elsewhere": {
    replies: { probe: ({ instance }) => ({ kind: "squatted", instance, port: 3_000 }) },
    reason: /^listens on port 3000, not on \$PORT \(9\d\d\d\)$/,
  },
  "goes into the background": {
    replies: { probe: never },
    events: (instance) => [{ ...exitOf(instance, 0), leftCount: 2 } as WorkerEvent],
    reason: /^ended with exit status 0, and left 2 processes behind$/,
  },
  "is no program": {
    replies: {
      start: ({ instance }) => ({
        kind: "start_failed",
        instance,
        code: "ENOENT",
        reason: "no such file: ./server",
        isVersionsFault: true,
      }),
    },
    reason: /^no such file/,
  },
  "uses too much memory": {
    replies: { probe: never },
    events: (instance) => [{ kind: "memory", instance, bytes: 2_000 }],
    reason: /^uses 2000 bytes of memory, more than 1000$/,
  },
};

function exitOf(instance: string, status: number): Extract<WorkerEvent, { kind: "exited" }> {
  return { kind: "exited", instance, outcome: { kind: "exited", status }, leftCount: 0, output: ["last words"] };
}

/** The old version goes on answering well. */
const ofNewOnes = ({ probe, ...others }: Replies): Replies =>
  probe === undefined
    ? others
    : { ...others, probe: (action, play) => (action.instance === "api-1" ? okOf("api-1") : probe(action, play)) };

const okOf = (instance: string): WorkerEvent => ({ kind: "probed", instance, isOk: true, status: 200 });

for (const [name, { replies, events, reason }] of Object.entries(BAD_STARTS)) {
  test(`bad start: a version that ${name} replaces nothing, and is not tried again`, () => {
    for (const mode of ["dev", "prod"] as const) {
      const play = Play.healthy({ mode, memoryBytesMax: 1_000 });
      play.replies = ofNewOnes(replies);
      play.sources("v2");
      for (const event of events?.(play.state.instances.at(-1)!.id) ?? []) play.say(event);
      play.pass(40_000);
      play.replies = {};
      play.pass(300_000);
      assert.match(String(play.reports("version_bad")[0]?.reason), reason);
      assert.match(
        String(summaryOf(play.state).reason),
        reason.source.startsWith("^") ? new RegExp(reason.source.slice(1)) : reason,
      );
      if (mode === "prod") assert.equal(play.versionServed(), "v1");
      else assert.deepEqual([play.front.state, play.front.failure?.phase], ["failed", "start"]);
      assert.equal(play.of("start").filter(({ version }) => version === "v2").length, 1);
      assert.equal(portsOf(play.state).length, 1, "its port came back");
      play.sources("v3");
      assert.equal(play.versionServed(), "v3");
    }
  });
}

test("no port: what serves goes on, why the new version does not come is said, and it comes when there is one", () => {
  for (const mode of ["dev", "prod"] as const) {
    const play = Play.healthy({ mode });
    play.replies.start = ({ instance }) => ({
      kind: "start_failed",
      instance,
      code: "PORTS_EXHAUSTED",
      reason: "None of the 3 ports is free",
      isVersionsFault: false,
    });
    play.sources("v2");
    play.pass(5_000);
    const { state, reason } = summaryOf(play.state);
    assert.match(`${state}: ${reason}`, mode === "prod" ? /^degraded: version v2 is not/ : /^starting: None of the 3/);
    if (mode === "prod") assert.equal(play.versionServed(), "v1");
    else assert.match(`${play.front.state}: ${play.front.reason}`, /^held: the change cannot be started: None of/);
    play.replies = {};
    play.pass(60_000);
    assert.equal(play.versionServed(), "v2");
    assert.deepEqual(summaryOf(play.state), { state: "healthy" });
  }
});

test("bad start: the page has the last lines, also when they come with a later exit", () => {
  const play = Play.healthy();
  play.replies = { probe: never, stop: ({ instance }) => exitOf(instance, 143) };
  play.sources("v2");
  play.pass(31_000);
  assert.deepEqual(play.front.failure?.output, ["last words"]);
});

test("bad start: a person may have it tried again", () => {
  for (const verb of ["restart", "start", "build"] as const) {
    const play = Play.healthy();
    play.replies.probe = never;
    play.sources("v2");
    play.pass(31_000);
    play.replies = {};
    play.command({ verb });
    assert.equal(play.versionServed(), "v2", verb);
  }
});

test("bad start: where nothing served before, production tries again after growing delays", () => {
  const play = new Play(PROD, { probe: ({ instance }) => exitOf(instance, 1) });
  const beganMs = play.nowMs;
  play.sources("v1");
  play.pass(120_000);
  const delays = play.of("report").flatMap(({ fields }) => fields.delay_ms ?? []);
  assert.deepEqual(delays.slice(0, 9), [0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  assert.equal(play.reports("crash_looping").length, 1);
  assert.deepEqual([play.summary, play.front.state], ["crash_looping", "held"]);
  play.replies = {};
  play.pass(30_000);
  assert.equal(play.versionServed(), "v1");
  assert.ok(play.nowMs > beganMs);
});

/** Each: how a new version fails once it serves. */
const FAILS_IN_PROBATION: Record<string, (instance: string) => WorkerEvent[]> = {
  "it ends": (instance) => [exitOf(instance, 1)],
  "it is lost": (instance) => [
    { kind: "exited", instance, outcome: { kind: "lost", reason: "shim killed" }, leftCount: 0, output: [] },
  ],
  "it daemonises": (instance) => [{ ...exitOf(instance, 0), leftCount: 1 }],
  "its requests fail": (instance) => [
    { kind: "trouble", instance, ...QUIET, failed: 3, total: 10 },
    { kind: "trouble", instance, ...QUIET, failed: 3, total: 10 },
  ],
  "it leaks": (instance) => [{ kind: "memory", instance, bytes: 2_000 }],
};

for (const [name, events] of Object.entries(FAILS_IN_PROBATION)) {
  test(`probation: when ${name}, the version before takes back at once`, () => {
    const play = Play.healthy({ ...PROD, memoryBytesMax: 1_000 });
    play.sources("v2");
    assert.equal(play.versionServed(), "v2");
    for (const event of events(play.serving()[0]!)) play.say(event);
    assert.equal(play.versionServed(), "v1");
    assert.equal(play.reports("switched_back").length, 1);
    assert.deepEqual([play.summary, play.of("link").at(-1)?.version], ["degraded", "v1"]);
    play.pass(300_000);
    assert.equal(play.versionServed(), "v1");
    assert.equal(portsOf(play.state).length, 1);
  });
}

test("probation: probes that fall give way too", () => {
  const play = Play.healthy(PROD);
  play.sources("v2");
  const [serving] = play.serving();
  play.replies.probe = ({ instance }) => ({
    kind: "probed",
    instance,
    isOk: instance !== serving,
    reason: "no answer",
  });
  play.pass(3_000);
  assert.equal(play.versionServed(), "v1");
});

test("probation: development shows why, and never answers with the old code", () => {
  const play = Play.healthy();
  play.sources("v2");
  play.exit();
  assert.deepEqual([play.front.state, play.front.failure?.message], ["failed", "ended with exit status 1"]);
  assert.deepEqual(play.front.failure?.output, ["boom"]);
  play.sources("v1"); // the person takes it back
  assert.equal(play.versionServed(), "v1");
});

test("probation: in development answers of 500 are the author's to see", () => {
  const play = Play.healthy();
  play.sources("v2");
  play.say({ kind: "trouble", instance: play.serving()[0]!, ...QUIET, failed: 10, total: 10 });
  assert.equal(play.versionServed(), "v2");
});

test("probation: a version whose requests failed as often before is not worse", () => {
  const play = Play.healthy(PROD);
  for (let times = 0; times < 5; times++) {
    play.say({ kind: "trouble", instance: play.serving()[0]!, ...QUIET, failed: 2, total: 10 });
  }
  play.sources("v2");
  play.say({ kind: "trouble", instance: play.serving()[0]!, ...QUIET, failed: 6, total: 20 });
  assert.equal(play.versionServed(), "v2");
});

test("probation: begins when the switch is in force, and ends with the old version drained", () => {
  const play = Play.healthy(PROD);
  play.replies.publish = never;
  const [old] = play.serving();
  play.sources("v2");
  play.pass(60_000);
  assert.equal(play.state.standby?.version, "v1");
  assert.equal(instanceStateOf(play.state, play.state.instances[0]!), "standby");
  play.say({ kind: "applied", publication: play.state.publication });
  play.pass(29_999);
  assert.deepEqual(play.draining, []);
  play.pass(1);
  assert.deepEqual(play.draining, [old]);
  play.say({ kind: "drained", instance: old! });
  assert.equal(play.state.instances.length, 1);
});

test("drain: nobody is stopped before nothing is in flight there; what is left is closed, and cut at the limit", () => {
  const play = Play.healthy({ drainMs: 30_000 });
  const [old] = play.serving();
  play.sources("v2");
  play.pass(2_000);
  assert.deepEqual([play.draining, play.of("stop")], [[old], []]);
  play.pass(20_000);
  assert.deepEqual(play.of("close"), [{ kind: "close", instance: old!, spreadMs: 10_000 }]);
  play.pass(9_999);
  assert.deepEqual(play.of("stop"), []);
  play.pass(1);
  assert.deepEqual(play.of("stop"), [{ kind: "stop", instance: old!, graceMs: 5_000 }]);
  assert.equal(play.reports("drain_overdue").length, 1);
});

test("drain: the limit counts from when the front knows", () => {
  const silent = Play.healthy({ drainMs: 3_000 });
  silent.replies.publish = never;
  silent.command({ verb: "drain" });
  silent.pass(5_000);
  assert.deepEqual(silent.of("stop"), [], "the front may still send it requests");
  silent.say({ kind: "applied", publication: silent.state.publication });
  silent.pass(3_000);
  assert.equal(silent.of("stop").length, 1);
});

test("drain: one that ends meanwhile is gone", () => {
  const play = Play.healthy();
  play.command({ verb: "drain" });
  play.say(exitOf("api-1", 0));
  assert.deepEqual([play.state.instances, play.of("stop")], [[], []]);
});

test("stop: is ordered again when nothing comes of it", () => {
  const play = Play.healthy();
  play.replies.stop = never;
  play.command({ verb: "stop" });
  play.say({ kind: "drained", instance: "api-1" });
  play.pass(60_000);
  assert.ok(play.of("stop").length >= 3);
  play.say({ kind: "gone", instance: "api-1" });
  assert.deepEqual(portsOf(play.state), []);
});

test("several: the switch waits until all new ones are healthy", () => {
  const play = Play.healthy({ ...PROD, instances: 3 });
  play.replies.probe = never;
  play.sources("v2");
  for (const id of ["api-4", "api-5"]) play.say({ kind: "probed", instance: id, isOk: true });
  assert.deepEqual([play.versionServed(), play.serving().length], ["v1", 3]);
  play.say({ kind: "probed", instance: "api-6", isOk: true });
  assert.deepEqual([play.versionServed(), play.serving()], ["v2", ["api-4", "api-5", "api-6"]]);
});

test("several: one that ends is replaced while the others serve", () => {
  const play = Play.healthy({ ...PROD, instances: 3 });
  play.replies.probe = never;
  play.exit();
  assert.deepEqual([play.serving().length, play.front.state, play.summary], [2, "serving", "degraded"]);
  play.say({ kind: "probed", instance: "api-4", isOk: true });
  assert.deepEqual([play.serving().length, play.summary], [3, "healthy"]);
});

test("several: those that end together are one failure", () => {
  const play = Play.healthy({ ...PROD, instances: 3 });
  for (const instance of play.serving()) play.say(exitOf(instance, 137));
  assert.equal(play.state.current?.restarts.failures, 1);
  assert.equal(play.serving().length, 3);
});

test("crash: the only one is started again at once, and requests wait for it", () => {
  const play = Play.healthy();
  play.replies.probe = never;
  play.exit();
  assert.deepEqual([play.front.state, play.front.holdMs, play.summary], ["held", 30_000, "starting"]);
  assert.equal(play.of("start").length, 1);
  play.say({ kind: "probed", instance: play.state.instances[0]!.id, isOk: true });
  assert.equal(play.versionServed(), "v1");
});

test("crash: again and again is a crash loop after five; the version before is not used unasked", () => {
  const play = Play.healthy(PROD);
  play.sources("v2");
  play.pass(120_000);
  play.actions.length = 0;
  play.replies.probe = ({ instance }) => exitOf(instance, 1);
  play.exit();
  play.pass(60_000);
  assert.deepEqual([play.summary, play.front.state], ["crash_looping", "held"]);
  assert.ok(play.of("start").every(({ version }) => version === "v2"));
  play.replies = {};
  play.command({ verb: "rollback" });
  assert.equal(play.versionServed(), "v1");
});

test("crash: in development a crash loop is shown", () => {
  const play = Play.healthy();
  play.replies.probe = ({ instance }) => exitOf(instance, 1);
  play.exit();
  play.pass(20_000);
  assert.deepEqual([play.front.state, play.front.failure?.message], ["failed", "ended with exit status 1"]);
});

test("crash: one that was up for long begins a new row", () => {
  const play = Play.healthy();
  for (let times = 0; times < 6; times++) {
    play.exit();
    play.pass(15_000);
  }
  assert.deepEqual([play.state.current?.restarts.failures, play.versionServed()], [1, "v1"]);
});

test("health: falls after three bad probes, and rises again", () => {
  const play = Play.healthy(PROD);
  play.replies = {
    probe: ({ instance }) => ({ kind: "probed", instance, isOk: false, reason: "no answer" }),
    start: never,
  };
  play.pass(20_000);
  assert.equal(play.versionServed(), "v1");
  play.pass(10_000);
  assert.deepEqual([play.front.state, play.summary], ["held", "unhealthy"]);
  assert.equal(play.of("start").length, 1, "another is started beside it");
  play.replies.probe = ({ instance }) => ({ kind: "probed", instance, isOk: true });
  play.pass(1_000);
  assert.deepEqual([play.versionServed(), play.summary], ["v1", "healthy"]);
});

test("health: a probe that does not come back is a bad one", () => {
  const play = Play.healthy({ health: { intervalMs: 10_000, timeoutMs: 1_000, rise: 1, fall: 1 } });
  play.replies.probe = never;
  play.pass(17_000);
  assert.deepEqual(play.reports("instance_unhealthy")[0]?.reason, "the probe did not come back");
});

test("health: who gives the front no answers is out at once if others are healthy", () => {
  const play = Play.healthy({ ...PROD, instances: 2 });
  const [first, second] = play.serving();
  play.replies.probe = never;
  play.say({ kind: "trouble", instance: first!, ...QUIET, refused: 2, total: 2 });
  play.say({ kind: "trouble", instance: first!, ...QUIET, reset: 1, total: 4 }); // others went well: a new row
  play.say({ kind: "trouble", instance: first!, ...QUIET, reset: 2, total: 2 });
  assert.equal(play.serving().length, 2);
  play.say({ kind: "trouble", instance: first!, ...QUIET, refused: 1, total: 1 });
  assert.deepEqual(play.serving(), [second]);
});

test("health: the only one stays, and is probed at once", () => {
  const play = Play.healthy(PROD);
  play.replies.probe = never;
  play.say({ kind: "trouble", instance: play.serving()[0]!, ...QUIET, refused: 3, total: 3 });
  assert.deepEqual([play.versionServed(), play.of("probe").length], ["v1", 1]);
});

test("memory: one that uses too much is replaced before it goes", () => {
  const play = Play.healthy({ ...PROD, memoryBytesMax: 1_000 });
  const [old] = play.serving();
  play.replies.probe = never;
  play.say({ kind: "memory", instance: old!, bytes: 1_001 });
  assert.deepEqual([play.serving(), play.draining], [[old], []]);
  play.say({ kind: "probed", instance: play.state.instances[1]!.id, isOk: true });
  assert.deepEqual([play.serving().includes(old!), play.draining], [false, [old]]);
});

test("port: one that is another's is not the version's fault", () => {
  const play = Play.healthy();
  let tries = 0;
  play.replies.start = ({ instance }) =>
    ++tries < 4
      ? { kind: "start_failed", instance, code: "PORT_TAKEN", reason: "9001 is taken", isVersionsFault: false }
      : { kind: "started", instance, pid: 7, port: 9_050 };
  play.sources("v2");
  assert.deepEqual([play.versionServed(), tries], ["v2", 4]);
  play.replies.probe = ({ instance }) =>
    instance === "api-7" ? { kind: "probed", instance, isOk: true } : { ...exitOf(instance, 1), isPortTaken: true };
  play.sources("v3");
  assert.equal(play.versionServed(), "v3");
});

test("port: a range that is exhausted is waited for, and said", () => {
  const play = new Play(PROD, {
    start: ({ instance }) => ({
      kind: "start_failed",
      instance,
      code: "PORTS_EXHAUSTED",
      reason: "no port is free in 9000-9999",
      isVersionsFault: false,
    }),
  });
  play.sources("v1");
  play.pass(5_000);
  assert.match(summaryOf(play.state).reason!, /no port is free/);
  play.replies = {};
  play.pass(30_000);
  assert.equal(play.versionServed(), "v1");
});

test("pause: requests wait as long as it lasts, while work goes on behind it", () => {
  const play = Play.healthy();
  play.command({ verb: "pause" });
  assert.deepEqual([play.front.state, play.front.holdMs, play.summary], ["held", undefined, "paused"]);
  play.sources("v2");
  play.command({ verb: "unpause" });
  assert.equal(play.versionServed(), "v2");
  assert.deepEqual(play.reports("command_taken"), [{ verb: "pause" }, { verb: "unpause" }], "whoever looks is told");
});

test("drain and start: nothing new, what is in flight ends, and back again", () => {
  const play = Play.healthy({ kind: "node" });
  play.command({ verb: "drain" });
  assert.deepEqual([play.front.state, play.front.reason, play.draining], ["gone", "was drained", ["api-1"]]);
  play.say({ kind: "drained", instance: "api-1" });
  play.pass(1_000);
  assert.deepEqual([play.state.instances, play.summary], [[], "stopped"]);
  play.sources("v2"); // is not built while nobody wants it
  assert.deepEqual(play.of("build"), []);
  play.command({ verb: "start" });
  assert.equal(play.versionServed(), "v2");
});

test("stop: gives what is in flight two seconds, also when it drained already", () => {
  const play = Play.healthy();
  play.command({ verb: "drain" });
  play.pass(5_000);
  play.command({ verb: "stop" });
  play.pass(2_000);
  assert.deepEqual([play.state.instances, play.summary], [[], "stopped"]);
});

test("restart: a new process of the same version takes over; if it cannot, the old one stays", () => {
  const play = Play.healthy(PROD);
  const [old] = play.serving();
  play.replies.probe = never;
  play.command({ verb: "restart" });
  assert.deepEqual(play.serving(), [old]);
  play.exit(play.state.instances.at(-1)!.id);
  assert.deepEqual([play.serving(), play.reports("restart_failed").length, play.summary], [[old], 1, "healthy"]);
  play.replies = {};
  play.command({ verb: "restart" });
  assert.notDeepEqual(play.serving(), [old]);
  assert.equal(play.versionServed(), "v1");
});

test("restart: ends the wait of a crash loop", () => {
  const play = Play.healthy();
  play.replies.probe = ({ instance }) => exitOf(instance, 1);
  play.exit();
  play.pass(60_000);
  play.replies = {};
  play.command({ verb: "restart" });
  assert.equal(play.versionServed(), "v1");
});

test("build: builds again what there is, and serves that", () => {
  const play = Play.healthy();
  const [old] = play.serving();
  play.command({ verb: "build" });
  assert.deepEqual(play.of("build"), [{ kind: "build", version: "v1", isForced: true }]);
  assert.notDeepEqual(play.serving(), [old]);
});

test("rollback: within probation the version before is there at once", () => {
  const play = Play.healthy(PROD);
  play.sources("v2");
  play.replies = { start: never, build: never };
  play.command({ verb: "rollback" });
  assert.equal(play.versionServed(), "v1");
  play.sources("v2"); // nothing new was deployed
  assert.equal(play.versionServed(), "v1");
  play.replies = {};
  play.sources("v3");
  assert.equal(play.versionServed(), "v3");
});

test("rollback: later it is started from its artefact, without a build", () => {
  for (const mode of ["dev", "prod"] as const) {
    const play = Play.healthy({ mode });
    for (const version of ["v2", "v3"]) {
      play.sources(version);
      play.pass(120_000);
    }
    play.command({ verb: "rollback" });
    assert.equal(play.versionServed(), "v2");
    play.command({ verb: "rollback", to: "v1" });
    assert.equal(play.versionServed(), "v1");
    assert.equal(play.of("build").length, 2);
  }
});

test("rollback: to what is not there, or bad, is refused with the reason", () => {
  const play = Play.healthy();
  assert.deepEqual(rollbackTarget(play.state), { refusal: "no other version that served is kept" });
  play.command({ verb: "rollback", to: "v9" });
  assert.deepEqual(play.reports("rollback_refused"), [{ to: "v9", reason: "version v9 is not kept" }]);
  play.sources("v2");
  play.exit();
  assert.match(JSON.stringify(rollbackTarget(play.state, "v2")), /version v2 is bad: ended with exit status 1/);
});

test("versions: those in use and the last few are kept", () => {
  const play = Play.healthy({ keepCount: 2 });
  for (const version of ["v2", "v3", "v4", "v5"]) {
    play.sources(version);
    play.pass(60_000);
  }
  assert.deepEqual(versionsToKeep(play.state), ["v5", "v4", "v3"]);
  assert.deepEqual(rollbackTarget(play.state, "v1"), { refusal: "version v1 is not kept" });
});

test("configuration: more and fewer instances, without a switch", () => {
  const play = Play.healthy(PROD);
  play.say({ kind: "configured", spec: { ...play.state.spec, instances: 3 } });
  assert.equal(play.serving().length, 3);
  play.say({ kind: "configured", spec: { ...play.state.spec, instances: 2 } });
  assert.deepEqual([play.serving(), play.draining], [["api-1", "api-2"], ["api-3"]]);
});

test("configuration: what only the environment is told means a restart with overlap", () => {
  const play = Play.healthy(PROD);
  const [old] = play.serving();
  play.say({ kind: "configured", spec: { ...play.state.spec, runKey: "other" } });
  assert.notDeepEqual(play.serving(), [old]);
  assert.equal(play.of("build").length, 0);
});

test("configuration: a worker that is removed drains and is gone", () => {
  const play = Play.healthy();
  play.say({ kind: "removed" });
  assert.equal(play.front.state, "gone");
  play.say({ kind: "drained", instance: "api-1" });
  assert.deepEqual(play.state.instances, []);
});

test("static and url workers have nothing to start", () => {
  for (const kind of ["static", "url"] as const) {
    const play = new Play({ kind, target: { host: "10.0.0.7", port: 80 } });
    play.sources("v1");
    play.pass(10_000);
    assert.deepEqual(
      [play.front.state, play.summary, play.of("start"), play.of("build")],
      ["serving", "healthy", [], []],
    );
    assert.equal(play.front.instances.length, kind === "url" ? 1 : 0);
    play.command({ verb: "pause" });
    assert.equal(play.front.state, "held");
  }
});

test("spare: a booted process loads the new version, and the next one is booted afterwards", () => {
  const play = Play.healthy({ kind: "node" });
  assert.deepEqual(
    play.state.instances.map(({ version }) => version),
    ["v1", null],
  );
  play.sources("v2");
  assert.deepEqual(play.of("load"), [{ kind: "load", instance: "api-2", version: "v2" }]);
  assert.deepEqual(play.of("start"), [{ kind: "start", instance: "api-3", version: null }]);
  assert.equal(play.versionServed(), "v2");
});

test("spare: one that cannot import a version shows that it is bad", () => {
  const play = Play.healthy({ kind: "node" });
  play.replies.probe = never;
  play.sources("v2");
  play.say({ kind: "load_failed", instance: "api-2", reason: "SyntaxError: bad", output: ["at main.ts:3"] });
  assert.deepEqual([play.front.state, play.front.failure?.output], ["failed", ["at main.ts:3"]]);
});

test("spare: one that ends is nobody's fault, and not at once replaced", () => {
  const play = Play.healthy({ kind: "node" });
  play.say(exitOf("api-2", 1));
  assert.deepEqual([play.of("start"), play.versionServed()], [[], "v1"]);
  play.pass(30_000);
  assert.equal(play.of("start").length, 1);
});

test("limit: many saves in a row hasten the oldest drain instead of piling up processes", () => {
  const play = Play.healthy({ probationMs: 100 });
  let most = 0;
  for (let save = 2; save < 8; save++) {
    play.sources(`v${save}`);
    play.pass(1_500);
    most = Math.max(most, play.state.instances.length);
    assert.equal(play.versionServed(), `v${save}`);
  }
  assert.equal(most, 3);
});

test("recovered: what was ordered and may not have been done is ordered again", () => {
  const play = Play.healthy();
  play.replies.build = never;
  play.sources("v2");
  play.say({ kind: "recovered", instances: [{ id: "api-1", pid: 5, port: 9_000 }], versions: ["v1"] });
  assert.equal(play.of("build").length, 2);
  play.say({ kind: "recovered", instances: [{ id: "api-1", pid: 5, port: 9_000 }], versions: ["v1", "v2"] });
  assert.equal(play.versionServed(), "v2");
});

test("recovered: a build that a person asked for is not taken for done because its version was built before", () => {
  const play = Play.healthy();
  play.replies.build = never;
  play.command({ verb: "build" });
  play.say({ kind: "recovered", instances: [{ id: "api-1", pid: 5, port: 9_000 }], versions: ["v1"] });
  assert.deepEqual(
    play.of("build").map(({ isForced }) => isForced),
    [true, true],
  );
});

test("recovered: instances that run go on, and nobody is started", () => {
  const play = Play.healthy({ ...PROD, instances: 2 });
  const ids = play.serving();
  play.say({ kind: "recovered", instances: ids.map((id, i) => ({ id, pid: i, port: 9_000 + i })), versions: ["v1"] });
  assert.deepEqual([play.serving(), play.of("start"), play.of("stop")], [ids, [], []]);
  assert.equal(play.of("link").at(-1)?.version, "v1");
});

test("recovered: who is missing is started again; nobody is blamed for a reboot", () => {
  for (const mode of ["dev", "prod"] as const) {
    const play = Play.healthy({ mode });
    play.replies.probe = never;
    play.sources("v2");
    play.replies = {};
    play.say({ kind: "recovered", instances: [], versions: ["v1", "v2"] });
    play.pass(10_000);
    assert.deepEqual([play.versionServed(), play.reports("version_bad")], ["v2", []]);
  }
});

test("recovered: who was being stopped and is there is stopped again", () => {
  const play = Play.healthy();
  play.replies.stop = never;
  play.command({ verb: "drain" });
  play.say({ kind: "drained", instance: "api-1" });
  play.say({ kind: "recovered", instances: [{ id: "api-1", pid: 1, port: 9_000 }], versions: ["v1"] });
  assert.equal(play.of("stop").length, 2);
});

test("recovered: who is there and unknown is stopped", () => {
  const play = Play.healthy();
  const instances = [
    { id: "api-1", pid: 1, port: 9_000 },
    { id: "api-99", pid: 2, port: 9_001 },
  ];
  play.say({ kind: "recovered", instances, versions: ["v1"] });
  assert.deepEqual(
    play.of("stop").map(({ instance }) => instance),
    ["api-99"],
  );
});

test("recovered: development looks at its sources again; production takes nothing up unasked", () => {
  for (const mode of ["dev", "prod"] as const) {
    const play = Play.healthy({ mode });
    play.say({ kind: "recovered", instances: [{ id: "api-1", pid: 1, port: 9_000 }], versions: ["v1"] });
    assert.equal(play.of("look").length, mode === "dev" ? 1 : 0);
  }
});

test("recovered: a clock that was set back holds nothing up", () => {
  const play = Play.healthy({ ...PROD, probationMs: 30_000 });
  play.sources("v2");
  const instances = play.state.instances.map(({ id }) => ({ id, pid: 1, port: 9_000 + Number(id.slice(4)) }));
  play.nowMs -= 3_600_000;
  play.say({ kind: "recovered", instances, versions: ["v1", "v2"] });
  play.pass(31_000);
  assert.equal(play.state.standby, null);
});

test("clock: set back while a worker crashes again and again, its starts go on being put off", () => {
  const looping = Play.healthy(PROD);
  const crashFor = (seconds: number): number => {
    looping.actions.length = 0;
    for (let step = 0; step < seconds * 10; step++) {
      for (const { id } of looping.state.instances) looping.exit(id);
      looping.pass(100);
    }
    return looping.of("start").length;
  };
  const before = crashFor(300);
  looping.nowMs -= 3_600_000;
  assert.ok(crashFor(300) <= before);
});

test("clock: set back while all goes on, it holds up no restart, probe, look or stop", () => {
  const HOUR_MS = 3_600_000;
  const crashing = Play.healthy(PROD);
  crashing.exit();
  crashing.pass(15_000);
  crashing.nowMs -= HOUR_MS;
  crashing.actions.length = 0;
  crashing.exit();
  crashing.pass(30_000);
  assert.deepEqual([crashing.of("start").length, crashing.versionServed()], [1, "v1"]);

  const touched = Play.healthy();
  touched.say({ kind: "touched", change: 1 });
  touched.actions.length = 0;
  touched.nowMs -= HOUR_MS;
  touched.say({ kind: "tick" });
  touched.pass(10_000);
  assert.equal(touched.of("probe").length, 1);
  assert.equal(touched.versionServed(), "v1", "looked at again");

  const stopping = Play.healthy();
  stopping.replies.stop = never;
  stopping.command({ verb: "stop" });
  stopping.say({ kind: "drained", instance: "api-1" });
  stopping.nowMs -= HOUR_MS;
  stopping.say({ kind: "tick" });
  stopping.pass(15_000);
  assert.equal(stopping.of("stop").length, 2);
});
