import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { silentLog } from "../../platform/log.ts";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { Standby } from "./standby.ts";

test("standby: when no process can be had, it is tried again", async () => {
  const clock = new HandClock();
  const child = Object.assign(new EventEmitter(), { pid: 7, exitCode: 0, signalCode: null, unref() {} });
  let startCount = 0;
  const spawn = (): ChildProcess => {
    startCount += 1;
    if (startCount === 1) throw new Error("spawn ENOMEM");
    return child as unknown as ChildProcess;
  };
  const standby = new Standby({ spawn, clock, log: silentLog });
  standby.start();
  assert.equal(standby.pid, undefined);
  clock.pass(10_000);
  assert.deepEqual([standby.pid, startCount], [7, 2]);
  await standby.stop();
});
