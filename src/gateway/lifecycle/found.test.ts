import assert from "node:assert/strict";
import { test } from "node:test";
import type { WorkerEvent } from "./events.ts";
import { Play } from "./testing/play.ts";

/**
 * What the simulation found, each as the story that its shrunk schedule told. The number is the seed under which it was found; schedules change with the model,
 * stories do not.
 */
const never = (): undefined => undefined;

test("found (2155): a version that fails in probation while it is also being restarted is not restarted", () => {
  const play = Play.healthy({ mode: "prod" });
  play.sources("v2");
  const [serving] = play.serving();
  play.replies.probe = never;
  play.command({ verb: "restart" });
  play.exit(serving);
  assert.equal(play.versionServed(), "v1");
  assert.deepEqual([play.state.candidate, play.reports("release_abandoned").length], [null, 1]);
});

test("found (2988): a server that dies between deciding a drain and telling the front leaves nobody who is stopped while he serves", () => {
  const play = Play.healthy();
  play.replies.publish = never; // it died before that
  play.command({ verb: "stop" });
  play.nowMs += 60_000;
  play.say({ kind: "recovered", instances: [{ id: "api-1", pid: 1, port: 9_000 }], versions: ["v1"] });
  assert.deepEqual(play.of("stop"), []);
  play.say({ kind: "applied", publication: play.state.publication });
  play.say({ kind: "drained", instance: "api-1" });
  assert.equal(play.of("stop").length, 1);
});

test("found (30981): a spare that was told to load by a server that died is not waited for, and the version not blamed", () => {
  const play = Play.healthy({ kind: "node" });
  play.replies = { load: never, probe: never };
  play.sources("v2");
  play.replies = {};
  const instances = play.state.instances.map(({ id, port }) => ({ id, pid: 1, port }));
  play.say({ kind: "recovered", instances, versions: ["v1", "v2"] });
  assert.deepEqual(
    play.of("stop").map(({ instance }) => instance),
    ["api-2"],
  );
  assert.deepEqual([play.versionServed(), play.reports("version_bad")], ["v2", []]);
});

test("found (21435): the last healthy one is not given up for its replacement's place", () => {
  const play = Play.healthy({ mode: "prod", instances: 2, memoryBytesMax: 1_000 });
  play.replies.probe = never;
  play.say({ kind: "memory", instance: "api-1", bytes: 2_000 });
  play.sources("v2");
  assert.equal(play.state.instances.length, 5);
  play.say({ kind: "trouble", instance: "api-2", refused: 3, reset: 0, late: 0, bad: 0, failed: 0, total: 3 });
  assert.deepEqual([play.serving(), play.draining], [["api-1"], ["api-2"]]);
});

test("found (69924): a build that was going on when the server died does not pardon a version that has failed since", () => {
  const play = Play.healthy({ mode: "prod" });
  play.sources("v2");
  play.replies.build = never;
  play.command({ verb: "build" });
  play.exit();
  assert.equal(play.versionServed(), "v1");
  const instances = play.state.instances.map(({ id, port }) => ({ id, pid: 1, port }));
  play.actions.length = 0;
  play.say({ kind: "recovered", instances, versions: ["v1", "v2"] });
  play.pass(60_000);
  assert.deepEqual([play.versionServed(), play.of("start")], ["v1", []]);
});

test("found (79204): the news of a start that come after those of its end take no port", () => {
  const play = new Play({ mode: "prod" }, { start: never, stop: never });
  play.sources("v1");
  play.say({
    kind: "exited",
    instance: "api-1",
    outcome: { kind: "exited", status: 0 },
    leftCount: 1,
    output: [],
  });
  play.say({ kind: "started", instance: "api-1", pid: 1, port: 9_000 });
  assert.equal(play.state.instances[0]?.port, null);
});

test("found (14508): an old version that is only kept warm has no more processes than it should", () => {
  const play = Play.healthy({ memoryBytesMax: 1_000 });
  play.replies.probe = never;
  play.say({ kind: "memory", instance: "api-1", bytes: 2_000 });
  play.replies.build = never;
  play.sources("v2");
  play.pass(1_000);
  const warm = play.state.instances.filter(({ release, leaving }) => release === 1 && leaving === null);
  assert.deepEqual(
    warm.map(({ id, health }) => [id, health]),
    [["api-1", "healthy"]],
  );
});

test("found (158367): a version all of whose processes leak has no more of them than it should", () => {
  const play = Play.healthy({ mode: "prod", instances: 3, memoryBytesMax: 1_000 });
  for (let round = 0; round < 4; round++) {
    for (const instance of play.serving()) play.say({ kind: "memory", instance, bytes: 2_000 });
    play.pass(60_000);
    assert.equal(play.state.instances.filter(({ leaving }) => leaving === null).length, 3);
    assert.equal(play.front.state, "serving");
  }
});

test("found (530836): a version that takes back is whole again, though another start of it failed meanwhile", () => {
  const health = { intervalMs: 10_000, timeoutMs: 1_000, rise: 1, fall: 1 };
  const play = Play.healthy({ mode: "prod", instances: 2, health });
  play.sources("v2");
  const [serving] = play.serving();
  play.exit("api-1"); // of the standby
  const answer = (instance: string, isOk: boolean): WorkerEvent => ({ kind: "probed", instance, isOk });
  play.replies.probe = ({ instance }) => answer(instance, instance !== "api-2");
  play.pass(10_000);
  play.replies.probe = ({ instance }) => (instance === "api-2" ? answer(instance, true) : undefined);
  play.command({ verb: "rollback" }); // nobody of the standby is healthy: v1 is started anew
  play.exit(play.state.instances.at(-1)!.id);
  assert.equal(play.reports("version_bad").length, 1);
  play.pass(1_000); // and the standby recovers
  play.replies = {};
  play.exit(serving);
  assert.deepEqual([play.versionServed(), play.serving().length], ["v1", 2]);
  assert.deepEqual(
    play.state.versions.map(({ id, bad }) => [id, bad !== null]),
    [
      ["v1", false],
      ["v2", true],
    ],
  );
});
