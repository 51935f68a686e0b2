import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { mock, test } from "node:test";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { isWarrenError } from "../protocol/errors.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import type { Condition } from "../protocol/units.ts";
import { LinePattern } from "../runs/line-pattern.ts";
import { JobsFixture } from "./jobs-fixture.ts";

const DEADLINE_MS = 20_000;

function wait(fixture: JobsFixture, job_id: string, conditions: Condition[], extra: Partial<PayloadOf<"wait">> = {}) {
  return fixture.jobs.wait({ job_id, conditions, ...extra }, AbortSignal.timeout(DEADLINE_MS));
}

const short = ({ result, met }: DataOf<"wait">): unknown[] => [result, ...met.map(({ kind }) => kind)];

const SERVER = `
  const server = require("node:http").createServer((_, response) => {
    response.statusCode = require("node:fs").existsSync("good") ? 200 : 503;
    response.end();
  });
  server.listen(0, "127.0.0.1", () => console.log("port " + server.address().port));`;

test("wait: for the end, which also holds of a job that does not run", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(fixture.spec("while ! test -e gate; do sleep 0.01; done; exit 3"));
  const waiting = wait(fixture, job.id, [{ kind: "exit" }]);
  await writeFile(fixture.path("gate"), "");
  const answer = await waiting;
  assert.deepEqual([...short(answer), answer.job.exit_code], ["met", "exit", 3]);
  assert.deepEqual(short(await wait(fixture, job.id, [{ kind: "exit" }])), ["met", "exit"]);
});

test("wait: for a line, one that came before and one to come", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(
    fixture.spec("echo Early; while ! test -e gate; do sleep 0.01; done; echo late >&2; exec sleep 100"),
  );
  assert.deepEqual(short(await wait(fixture, job.id, [{ kind: "log", pattern: "^early$", flags: "ig" }])), [
    "met",
    "log",
  ]);
  const waiting = wait(fixture, job.id, [{ kind: "log", pattern: "^late" }]);
  await writeFile(fixture.path("gate"), "");
  assert.deepEqual(short(await waiting), ["met", "log"]);
});

test("wait: for a port, any or a certain one, and for a URL that answers well", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add({ ...fixture.spec(""), command: [process.execPath, "-e", SERVER] });
  assert.deepEqual(short(await wait(fixture, job.id, [{ kind: "port" }])), ["met", "port"]);
  const port = (await fixture.jobs.ports({ job_id: job.id })).ports;
  assert.ok(!Array.isArray(port) && port.ports[0]);
  const number = port.ports[0].port;
  assert.deepEqual(short(await wait(fixture, job.id, [{ kind: "port", port: number }])), ["met", "port"]);

  const url = `http://127.0.0.1:${number}/`;
  const bad = await wait(fixture, job.id, [{ kind: "http", url }], { timeout_ms: 100 });
  assert.deepEqual(short(bad), ["timeout"], "an error page is not ready");
  await writeFile(fixture.path("good"), "");
  assert.deepEqual(short(await wait(fixture, job.id, [{ kind: "http", url }])), ["met", "http"]);
});

test("wait: for silence", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(fixture.spec("echo x; exec sleep 100"));
  assert.deepEqual(short(await wait(fixture, job.id, [{ kind: "idle", idle_ms: 60 }])), ["met", "idle"]);
});

test("wait: any answers with the first, all with the last", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(
    fixture.spec("echo one; while ! test -e gate; do sleep 0.01; done; echo two; exec sleep 100"),
  );
  const one: Condition = { kind: "log", pattern: "one" };
  const two: Condition = { kind: "log", pattern: "two" };
  assert.deepEqual((await wait(fixture, job.id, [two, one])).met, [one]);
  const all = wait(fixture, job.id, [two, one], { mode: "all" });
  const partly = await wait(fixture, job.id, [one, two], { mode: "all", timeout_ms: 50 });
  assert.deepEqual([partly.result, partly.met], ["timeout", [one]]);
  await writeFile(fixture.path("gate"), "");
  assert.deepEqual([(await all).result, new Set((await all).met)], ["met", new Set([one, two])]);
});

test("wait: a job that ends before it could hold says so", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(fixture.spec("exit 3"));
  const answer = await wait(fixture, job.id, [{ kind: "log", pattern: "never" }, { kind: "port" }]);
  assert.deepEqual([short(answer), answer.job.exit_code], [["ended"], 3]);
});

test("wait: goes on through the runs of a policy", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(
    fixture.spec("if test -e second; then echo ready; exec sleep 100; fi; touch second; exit 1", {
      restart: { when: "on-failure", backoff_ms: 1 },
    }),
  );
  const answer = await wait(fixture, job.id, [{ kind: "log", pattern: "ready" }]);
  assert.deepEqual([answer.result, answer.job.run_count], ["met", 2]);
});

test("wait: a start that fails while one waits for it ends the wait", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = fixture.jobs.create({ ...fixture.spec(""), command: ["no-such-program"] });
  const starting = fixture.jobs.startJob({ job_id: job.id, env: [] });
  await Promise.resolve(); // its row is there, its process not yet
  assert.equal(fixture.jobs.get({ job_id: job.id }).job.state, "starting");
  const waiting = wait(fixture, job.id, [{ kind: "log", pattern: "x" }]);
  await assert.rejects(starting, (error) => isWarrenError(error, "PROGRAM_NOT_FOUND"));
  assert.deepEqual(short(await waiting), ["ended"]);
});

test("wait: ends with its client, and refuses a pattern that is none", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(fixture.spec("exec sleep 100"));
  const gone = new AbortController();
  const waiting = fixture.jobs.wait({ job_id: job.id, conditions: [{ kind: "exit" }] }, gone.signal);
  gone.abort();
  assert.deepEqual(short(await waiting), ["ended"]);
  await assert.rejects(wait(fixture, job.id, [{ kind: "log", pattern: "(" }]), (error) =>
    isWarrenError(error, "PATTERN_INVALID"),
  );
});

test("wait: a pattern that would take for ever on a line is refused, and holds nobody else up", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(fixture.spec(`echo ${"a".repeat(60)}!; exec sleep 100`));
  await assert.rejects(wait(fixture, job.id, [{ kind: "log", pattern: "^(a+)+$" }]), (error) =>
    isWarrenError(error, "PATTERN_SLOW"),
  );
});

test("wait: a line of megabytes is looked at as far as its beginning", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(
    fixture.spec("head -c 2000000 /dev/zero | tr '\\0' a; echo; echo it is listening; exec sleep 100"),
  );
  assert.deepEqual(short(await wait(fixture, job.id, [{ kind: "log", pattern: ".*listening" }])), ["met", "log"]);
});

test("wait: no line at all matches nothing", async () => {
  assert.equal(await new LinePattern({ pattern: "." }).matchesOne([]), false);
});

test("ready: a pattern that cannot be tried leaves the run its time, and no more", async () => {
  await using fixture = await JobsFixture.make();
  const ready = { kind: "log" as const, pattern: "^(a+)+$", timeout_ms: 500 };
  const stopped = fixture.nextOf("job_stopped");
  await fixture.jobs.add(fixture.spec(`echo ${"a".repeat(60)}!; exec sleep 100`, { ready }));
  const { outcome } = (await stopped).data.job as { outcome: { by?: string } };
  assert.equal(outcome.by, "timeout");
});

test("wait: one that was given up leaves nothing at the run that it waited for", async () => {
  const clock = new HandClock({ wallMs: Date.now() });
  await using fixture = await JobsFixture.make({ clock });
  const { job } = await fixture.jobs.add(fixture.spec("exec sleep 100"));
  const added = mock.method(AbortSignal.prototype, "addEventListener");
  const removed = mock.method(AbortSignal.prototype, "removeEventListener");
  try {
    for (const condition of [{ kind: "exit" }, { kind: "log", pattern: "never" }] as const) {
      const waiting = wait(fixture, job.id, [condition], { timeout_ms: 20 });
      await Promise.resolve();
      clock.leap(20);
      assert.deepEqual(short(await waiting), ["timeout"]);
    }
    const left = added.mock.callCount() - removed.mock.callCount();
    assert.equal(left, 0);
  } finally {
    added.mock.restore();
    removed.mock.restore();
  }
});
