import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { ended, job, session } from "../../test/tui/played.ts";
import type { Client } from "../client/client.ts";
import type { Job } from "../protocol/units.ts";
import type { Action, Use } from "./model/model.ts";
import { UsageFeed } from "./usage-feed.ts";

const DEADLINE_MS = 5_000;

class World implements Disposable {
  readonly events = new EventEmitter();
  readonly ending = new AbortController();
  readonly told: Record<string, Use>[] = [];
  readonly feed: UsageFeed;
  jobs: Job[] | undefined = [];
  askedCount = 0;
  workersAskedCount = 0;

  constructor(pollMs: number) {
    const client = {
      request: async () => {
        this.askedCount += 1;
        this.events.emit("asked");
        if (!this.jobs) throw new Error("away");
        return { jobs: this.jobs };
      },
    } as unknown as Client;
    this.feed = new UsageFeed({
      client,
      sessions: async () => [session("fox", { cpu_percent: 6.4, memory_bytes: 125 << 20 }), session("owl")],
      askWorkers: () => {
        this.workersAskedCount += 1;
      },
      dispatch: (action: Action) => {
        if (action.type === "usage") this.told.push(Object.fromEntries(action.usage));
        this.events.emit("told");
      },
      signal: this.ending.signal,
      pollMs,
    });
  }

  async until(holds: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    while (!holds())
      await Promise.race([once(this.events, "told", { signal }), once(this.events, "asked", { signal })]);
  }

  [Symbol.dispose](): void {
    this.ending.abort();
  }
}

test("use: of what runs and was measured, rounded as it is shown", async () => {
  using world = new World(60_000);
  world.jobs = [
    job("web", { cpu_percent: 0.3, memory_bytes: 46 << 20 }),
    ended("old", 0, { memory_bytes: 1 }),
    job("new"),
  ];
  world.feed.start();
  await world.until(() => world.told.length === 1);
  assert.deepEqual(world.told, [{ web: { cpu: "0%", memory: "46 MB" }, fox: { cpu: "6%", memory: "125 MB" } }]);
  assert.equal(world.workersAskedCount, 1);
  world.feed.start();
  assert.equal(world.askedCount, 1, "it has begun already");
});

test("use: asked for again and again; a server that is away for a moment takes nothing back", async () => {
  using world = new World(1);
  world.feed.start();
  await world.until(() => world.told.length === 2);
  world.jobs = undefined;
  const { askedCount } = world;
  await world.until(() => world.askedCount > askedCount + 2);
  const { length } = world.told;
  await world.until(() => world.askedCount > askedCount + 4);
  assert.equal(world.told.length, length);
  world.jobs = [];
  await world.until(() => world.told.length > length);
});

test("use: nobody is asked while another program has the terminal", async () => {
  using world = new World(1);
  using other = new World(1); // beside it, to see that there was time
  world.feed.start();
  await world.until(() => world.told.length === 1);
  world.feed.setShown(false);
  const { askedCount } = world;
  other.feed.start();
  await other.until(() => other.askedCount === 10);
  assert.equal(world.askedCount, askedCount);
  world.feed.setShown(true);
  await world.until(() => world.askedCount > askedCount + 1);
});
