import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { waitUntil } from "../../../test/harness/wait-until.ts";
import { systemClock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { resolvePlaces } from "../../platform/paths.ts";
import { identityOf, isAlive, readProcess } from "../../platform/process.ts";
import { runOnLeaderChanged } from "./on-leader-changed.ts";

class House implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), "warren-changed-"));
  readonly env = {
    PATH: process.env.PATH,
    HOME: this.dir,
    WARREN_HOME: join(this.dir, "home"),
    WARREN_MAIL_EPOCH: "7",
  };
  readonly places = resolvePlaces(this.env);
  readonly said: [event: string, fields: Record<string, unknown>][] = [];

  constructor(config: string) {
    mkdirSync(this.places.locksDir, { recursive: true });
    writeFileSync(join(this.places.home, "config.yaml"), config);
  }

  run(limitMs?: number): Promise<void> {
    const say = (event: string, fields: Record<string, unknown> = {}): void => void this.said.push([event, fields]);
    const log: Log = { debug: say, info: say, warn: say, error: say };
    const { places, env } = this;
    return runOnLeaderChanged({ places, env, log, clock: systemClock, ...(limitMs === undefined ? {} : { limitMs }) });
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true });
  }
}

test("on_leader_changed: at the limit it is ended with all that it has started", async () => {
  using house = new House(`mail:\n  on_leader_changed: "trap '' TERM; sleep 1000 & echo $! > ~/pid; wait; wait"\n`);
  const running = house.run(200);
  const pid = await waitUntil(
    () => {
      try {
        return Number(readFileSync(join(house.dir, "pid"), "utf8")) || undefined;
      } catch {
        return undefined;
      }
    },
    { what: "the command" },
  );
  const sleep = identityOf(readProcess(pid)!);
  await running;
  const [event, fields] = house.said[0]!;
  assert.equal(event, "on_leader_changed_failed");
  assert.deepEqual([fields.epoch, fields.limit_ms], [7, 200]);
  await waitUntil(() => !isAlive(sleep), { what: "the end of what it has started" });
});

test("on_leader_changed: of its output the beginning is kept", async () => {
  using house = new House("mail: { on_leader_changed: 'yes | head -c 100000' }\n");
  await house.run();
  const [event, { output }] = house.said[0]!;
  assert.equal(event, "on_leader_changed");
  assert.match(String(output), /^y\ny\n[\s\S]*\n\[83616 more bytes\]$/);
});

test("on_leader_changed: without a command nothing runs and nothing is said", async () => {
  using house = new House("mail: {}\n# on_leader_changed\n");
  await house.run();
  assert.deepEqual(house.said, []);
});
