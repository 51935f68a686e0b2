import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { tryLock, waitForLock } from "./lock.ts";

const module = JSON.stringify(new URL("./lock.ts", import.meta.url).href);

class LockFixture implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "warren-lock-"));
  readonly #children: ChildProcess[] = [];

  get path(): string {
    return join(this.directory, "primary.lock");
  }

  /** A process with `tryLock`, `waitForLock` and `path` at hand; `say` prints a word that `next` reads. */
  run(script: string) {
    const prelude = `
      const { tryLock, waitForLock } = await import(${module});
      const path = ${JSON.stringify(this.path)};
      const say = (word) => process.stdout.write(word + "\\n");`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", prelude + script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#children.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return { child, next: async () => (await lines.next()).value as string | undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
    rmSync(this.directory, { recursive: true });
  }
}

const HOLD = `globalThis.lock = tryLock(path); say(lock ? "held" : "busy"); setInterval(() => {}, 1e9);`;

test("lock: one holder among processes and within one; free again after release", async () => {
  await using fixture = new LockFixture();
  const lock = tryLock(fixture.path);
  assert.ok(lock);
  assert.equal(tryLock(fixture.path), undefined);
  assert.equal(await fixture.run(HOLD).next(), "busy");
  lock.release();
  assert.equal(await fixture.run(HOLD).next(), "held");
  assert.equal(tryLock(fixture.path), undefined);
});

test("lock: SIGKILL frees it, and a child of the holder does not keep it", async () => {
  await using fixture = new LockFixture();
  const holder = fixture.run(`
    ${HOLD}
    const { spawn } = await import("node:child_process");
    const child = spawn("sleep", ["100"], { stdio: "ignore", detached: true });
    say(String(child.pid));`);
  assert.equal(await holder.next(), "held");
  const childPid = Number(await holder.next());
  try {
    assert.equal(tryLock(fixture.path), undefined);
    const waiting = waitForLock(fixture.path, { timeoutMs: 5_000 });
    holder.child.kill("SIGKILL");
    const lock = await waiting;
    assert.ok(lock);
    process.kill(childPid, 0);
    lock.release();
  } finally {
    process.kill(childPid, "SIGKILL");
  }
});

test("lock: never two holders, while many processes take and leave it", async () => {
  await using fixture = new LockFixture();
  const inside = join(fixture.directory, "inside");
  const contend = `
    const { mkdirSync, rmdirSync } = await import("node:fs");
    let count = 0;
    while (count < 40) {
      const lock = await waitForLock(path, { timeoutMs: 10_000, intervalMs: 1 });
      mkdirSync(${JSON.stringify(inside)}); // fails when somebody is inside
      await new Promise(setImmediate);
      rmdirSync(${JSON.stringify(inside)});
      lock.release();
      count++;
    }
    say("done");`;
  const processes = Array.from({ length: 4 }, () => fixture.run(contend));
  const words = await Promise.all(processes.map(({ next }) => next()));
  assert.deepEqual(words, ["done", "done", "done", "done"]);
});

test("lock: waiting ends with the time or with its signal, and a file that is no lock is an error", async () => {
  await using fixture = new LockFixture();
  const lock = tryLock(fixture.path);
  assert.equal(await waitForLock(fixture.path, { timeoutMs: 10 }), undefined);
  const gone = new AbortController();
  const waiting = waitForLock(fixture.path, { timeoutMs: 60_000, signal: gone.signal });
  gone.abort();
  assert.equal(await waiting, undefined);
  lock?.release();
  writeFileSync(fixture.path, "this is no lock".repeat(100));
  assert.throws(() => tryLock(fixture.path), /not a database/);
});
