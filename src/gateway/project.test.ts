import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { waitUntil } from "../../test/harness/wait-until.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { silentLog } from "../platform/log.ts";
import { Turns } from "../platform/turns.ts";
import { WarrenError } from "../protocol/errors.ts";
import type { ProjectConfig } from "../protocol/gateway-config.ts";
import type { KeeperServer } from "../protocol/keeper-calls.ts";
import { initialState } from "./lifecycle/state.ts";
import { GatewayProject, type ProjectOptions } from "./project.ts";
import { ProjectFile } from "./project-record.ts";
import { Generation } from "./testing/front-generation.ts";
import { STATIC_WORKER } from "./testing/static-worker.ts";
import { lifecycleSpec } from "./worker-spec.ts";

/** From the last change of a followed file to its being read. */
const CONFIG_QUIET_MS = 50;

/** A project whose front answers at once, and whose files say `config`. */
class Place implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), "project-"));
  readonly yaml = join(this.dir, "site", "warren.yaml");
  readonly homeDir = join(this.dir, "home");
  readonly config: ProjectConfig = {
    ...{ dir: join(this.dir, "site"), project: "site", host: "127.0.0.1", port: 0, mode: "dev", routes: [] },
    ...{ workers: [], trustedProxies: [], hasPublicMetrics: false, limits: {}, ports: { from: 1, to: 2 } },
    ...{ warnings: [], watched: [this.yaml] },
  };
  readonly events: string[] = [];
  loadCount = 0;
  /** What the files say cannot be. */
  isRefused = false;
  /** While the keeper starts the front. */
  onStart = (): void => {};
  #front: Generation | undefined;

  static async make(): Promise<Place> {
    const place = new Place();
    mkdirSync(place.config.dir);
    writeFileSync(place.yaml, "gateway: {}\n");
    place.#front = await Generation.at(join(place.dir, "front-k.1.sock"), 1, (_, socket) => {
      socket.write(`${JSON.stringify({ type: "applied", revision: Number.MAX_SAFE_INTEGER })}\n`);
    });
    return place;
  }

  get options(): ProjectOptions {
    const server = { name: "front-k", generation: 1, state: "ready", address: { host: "127.0.0.1", port: 8080 } };
    const call = async ({ call }: { call: string }): Promise<KeeperServer | { servers: never[] }> => {
      if (call === "server.start") this.onStart();
      return call === "list" ? { servers: [] } : (server as KeeperServer);
    };
    return {
      ...{ homeDir: this.homeDir, key: "k", socketDir: this.dir, nodePath: process.execPath },
      keeper: { call } as unknown as ProjectOptions["keeper"],
      frontSpec: (name) => ({ name, hash: "h", command: [], logPath: "" }),
      loadConfig: async () => {
        this.loadCount += 1;
        if (this.isRefused)
          throw new WarrenError("CONFIG_INVALID", "It cannot be.", { detail: { watched: [this.yaml] } });
        return this.config;
      },
      isPortHeld: () => false,
      builds: new Turns(),
      sessions: () => [],
      clock: systemClock,
      log: silentLog,
      onEvent: (type) => void this.events.push(type),
    };
  }

  /** As another server has left it, with one worker; its instance may have been started. */
  leaveRecord(instance: string): void {
    const state = initialState(lifecycleSpec(STATIC_WORKER, "dev"), { idPrefix: "site" });
    const config = { ...this.config, workers: [STATIC_WORKER] };
    const workers = { [STATIC_WORKER.name]: { state, tags: { [instance]: 1 } } };
    new ProjectFile(this.homeDir).write({ format: 1, dir: config.dir, env: [], config, revision: 1, workers });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#front?.[Symbol.asyncDispose]();
    rmSync(this.dir, { recursive: true });
  }
}

test("project: what is saved while the front is being started is read", async () => {
  await using place = await Place.make();
  place.onStart = () => writeFileSync(place.yaml, "gateway: { port: 1 }\n");
  const project = await GatewayProject.up(place.options, { dir: place.config.dir, env: [] });
  using _ = { [Symbol.dispose]: () => project.close() };
  await waitUntil(() => place.loadCount === 2, { what: "what was saved is read", deadlineMs: 2_000 });
});

test("project: what is read once more, and says the same, changes nothing", async () => {
  await using place = await Place.make();
  place.leaveRecord("site-1");
  place.config.workers = [STATIC_WORKER];
  const project = (await GatewayProject.takeUp(place.options))!;
  using _ = { [Symbol.dispose]: () => project.close() };
  const { decidedAtMs: _before, ...before } = project.worker(STATIC_WORKER.name).state;
  await waitUntil(() => place.loadCount === 2, { what: "it is read once more", deadlineMs: 2_000 });
  await project.reconfigure();
  const { decidedAtMs: _after, ...after } = project.worker(STATIC_WORKER.name).state;
  assert.deepEqual(after, before);
  assert.deepEqual(place.events, ["recovered", "gateway_up"]);
});

test("project: what is read once more, and is refused for the same reason, is told to nobody", async () => {
  await using place = await Place.make();
  place.leaveRecord("site-1");
  place.isRefused = true;
  const project = (await GatewayProject.takeUp(place.options))!;
  using _ = { [Symbol.dispose]: () => project.close() };
  await waitUntil(() => place.loadCount === 2, { what: "it is read once more", deadlineMs: 2_000 });
  await assert.rejects(project.reconfigure());
  assert.deepEqual([project.configError, place.events], ["It cannot be.", ["recovered", "gateway_up"]]);
});

test("project: workers are taken up before another configuration is in force", async () => {
  await using place = await Place.make();
  const instance = `site-${process.pid}`;
  place.leaveRecord(instance);
  // As long as it is there, nobody knows whether the instance was started.
  const shim = spawn("sleep", ["60"], { env: { ...process.env, WARREN_RUN_ID: instance } });
  let isQuiet = false;
  const timer: Clock["timer"] = (delayMs, task) =>
    systemClock.timer(delayMs, () => {
      task();
      isQuiet ||= delayMs === CONFIG_QUIET_MS;
    });
  const opening = GatewayProject.takeUp({ ...place.options, clock: { ...systemClock, timer } });
  try {
    await waitUntil(() => isQuiet, { what: "it would be read again" });
    await new Promise(setImmediate);
    assert.equal(place.loadCount, 1);
  } finally {
    shim.kill("SIGKILL");
    (await opening)?.close();
  }
});
