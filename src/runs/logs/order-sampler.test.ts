import assert from "node:assert/strict";
import { appendFileSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { collect, described, type LogFixture, startStepper, temporaryRun } from "./log-fixture.ts";
import { openRunLog } from "./log-source.ts";
import { mergedLines } from "./merged-lines-fixture.ts";
import { watchRun } from "./order-sampler.ts";

function emptyRun(): LogFixture {
  const run = temporaryRun();
  writeFileSync(run.paths.stdoutPath, "");
  writeFileSync(run.paths.stderrPath, "");
  return run;
}

const linesOf = async (run: LogFixture): Promise<string[]> => {
  await using log = await openRunLog(run.paths);
  return described(await collect(mergedLines(log)));
};

test("sampler: lines that a job writes to both streams one after another come back in their order", async () => {
  using run = emptyRun();
  const stop = new AbortController();
  const watch = watchRun({ ...run.paths, signal: stop.signal });
  await watch.armed;
  const steps = await startStepper(run);
  // A pattern that no rule about streams gives by itself.
  const streamOf = (n: number) => ((n * n) % 7 > 2 ? "err" : "out");
  for (let n = 0; n < 300; n++) await steps.write(streamOf(n), `${n}\n`);
  await steps.end();
  stop.abort();
  await watch.stopped;
  assert.deepEqual(
    await linesOf(run),
    Array.from({ length: 300 }, (_, n) => `${streamOf(n)}:${n}`),
  );
});

test("sampler: a flood on stderr costs few records and little time, and lines of stdout stay where they belong", async () => {
  using run = emptyRun();
  const stop = new AbortController();
  const delaysMs: number[] = [];
  const clock: Clock = {
    ...systemClock,
    timer(delayMs, task) {
      delaysMs.push(delayMs);
      return systemClock.timer(delayMs, task);
    },
  };
  const watch = watchRun({ ...run.paths, signal: stop.signal, clock });
  await watch.armed;
  const before = process.cpuUsage();
  const steps = await startStepper(run);
  const block = `${"x".repeat(127)}\n`.repeat(8);
  for (let n = 1; n <= 40; n++) {
    await steps.write("err", block, 1_000);
    await steps.write("out", `after ${n * 8_000}\n`);
  }
  await steps.end();
  const { user, system } = process.cpuUsage(before);
  stop.abort();
  await watch.stopped;
  assert.equal(statSync(run.paths.stderrPath).size, 40 * 1_000 * 1_024);
  assert.ok(statSync(run.paths.indexPath).size < 18 * 400, `the index has ${statSync(run.paths.indexPath).size} bytes`);
  assert.ok((user + system) / 1_000 < 1_000, `${(user + system) / 1_000} ms of processor time`);
  assert.ok(delaysMs.includes(20), "the flood was never paused");
  let errorLines = 0;
  await using log = await openRunLog(run.paths);
  for await (const item of mergedLines(log)) {
    if (item.kind !== "line") continue;
    if (item.stream === "stderr") errorLines += 1;
    else assert.equal(item.bytes.toString(), `after ${errorLines}`);
  }
  assert.equal(errorLines, 320_000);
});

test("sampler: while one stream grows it writes a record per 100 ms, and the last sample when it stops", async () => {
  using run = emptyRun();
  const stop = new AbortController();
  const watch = watchRun({ ...run.paths, signal: stop.signal });
  await watch.armed;
  for (let n = 0; n < 500; n++) appendFileSync(run.paths.stdoutPath, `${n}\n`);
  stop.abort();
  await watch.stopped;
  await using log = await openRunLog(run.paths);
  await log.order.load({ stdout: 0, stderr: 0 });
  assert.equal(log.order.last?.stdout, statSync(run.paths.stdoutPath).size);
  assert.ok(statSync(run.paths.indexPath).size <= 18 * 10);
});

test("sampler: a new server appends to the index; what grew meanwhile is in it, stdout first", async () => {
  using run = emptyRun();
  const first = new AbortController();
  const watch = watchRun({ ...run.paths, signal: first.signal });
  await watch.armed;
  run.write("stderr", "one\n");
  first.abort();
  await watch.stopped;
  // What a killed server leaves: half a record.
  appendFileSync(run.paths.indexPath, Buffer.alloc(7, 0xee));
  run.write("stderr", "two\n");
  run.write("stdout", "three\n");
  const second = new AbortController();
  const again = watchRun({ ...run.paths, signal: second.signal });
  await again.armed;
  run.write("stderr", "four\n");
  second.abort();
  await again.stopped;
  assert.deepEqual(await linesOf(run), ["err:one", "out:three", "err:two", "err:four"]);
});

test("sampler: starts before the job's files are there, and stops while they are gone", async () => {
  using run = temporaryRun();
  const stop = new AbortController();
  const watch = watchRun({ ...run.paths, signal: stop.signal });
  await watch.armed;
  run.write("stdout", "a\n");
  stop.abort();
  await watch.stopped;
  assert.deepEqual(await linesOf(run), ["out:a"]);
  await using log = await openRunLog(run.paths);
  await log.order.load({ stdout: 0, stderr: 0 });
  assert.equal(log.order.last?.stdout, 2);
});
