import assert from "node:assert/strict";
import type { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { firstLine, spawnDetached } from "./spawn-detached.ts";

const LATE = { timeoutMs: 20_000, late: () => new Error("nothing came") };

function temporaryLog() {
  const dir = mkdtempSync(join(tmpdir(), "warren-spawn-"));
  return { logPath: join(dir, "log"), [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
}

/** A spawn that the system refuses, which is told a little later, as an event. */
function refusing(code: string, stdio?: unknown[]) {
  const child = Object.assign(new EventEmitter(), { stdio, unref() {} });
  process.nextTick(() => child.emit("error", Object.assign(new Error(`spawn /bin/sh ${code}`), { code })));
  return { child, spawnProcess: (() => child) as unknown as typeof spawn };
}

test("spawn: the first word of what was started, which has nothing of its caller's", async () => {
  using log = temporaryLog();
  const env = { PATH: process.env.PATH, WARREN_RUN_TAG: "1" };
  const command = ["sh", "-c", 'echo "said <$WARREN_RUN_TAG>" >&3'];
  assert.equal(await firstLine(spawnDetached({ command, env, ...log }), LATE), "said <>");
});

test("spawn: a process that cannot be made says nothing, and takes nobody with it", async () => {
  using log = temporaryLog();
  const { spawnProcess } = refusing("EAGAIN", [null, null, null, new PassThrough()]);
  assert.equal(await firstLine(spawnDetached({ command: ["true"], env: {}, ...log }, spawnProcess), LATE), "");
});

test("spawn: without descriptors for it, that is said", async () => {
  using log = temporaryLog();
  const { child, spawnProcess } = refusing("EMFILE");
  assert.throws(() => spawnDetached({ command: ["true"], env: {}, ...log }, spawnProcess), {
    code: "SPAWN_FAILED",
    fix: "ulimit -n 65536",
  });
  assert.equal(child.listenerCount("error"), 1, "what is told later has a listener");
});
