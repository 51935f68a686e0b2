import { once } from "node:events";
import { renameSync } from "node:fs";
import { test } from "node:test";
import { FileWatch } from "./file-watch.ts";
import { temporaryRun } from "./log-fixture.ts";

/** The polls are mocked away, so only an event resolves a wait; the deadline ends a test that would wait for ever. */
async function inTime(wait: Promise<void>): Promise<void> {
  const deadline = AbortSignal.timeout(20_000);
  const late = once(deadline, "abort").then(() => Promise.reject(new Error("nothing woke the watch")));
  await Promise.race([wait, late]);
}

test("file watch: a change between the look and the wait is not slept over", async (t) => {
  using run = temporaryRun();
  run.write("stdout", "");
  t.mock.timers.enable({ apis: ["setTimeout"] });
  using watch = new FileWatch([run.paths.stdoutPath]);
  watch.reset();
  watch.touch();
  await inTime(watch.next());
});

test("file watch: growth wakes it, and a file that was replaced is watched anew", async (t) => {
  using run = temporaryRun();
  run.write("stdout", "");
  t.mock.timers.enable({ apis: ["setTimeout"] });
  using watch = new FileWatch([run.paths.stdoutPath]);
  const grown = watch.next();
  run.write("stdout", "a");
  await inTime(grown);
  watch.reset();
  const renamed = watch.next();
  renameSync(run.paths.stdoutPath, run.paths.stderrPath);
  run.write("stdout", "new");
  await inTime(renamed);
  watch.reset();
  // The name's new file: only a watch of its own can tell.
  const again = watch.next();
  run.write("stdout", "more");
  await inTime(again);
});
