import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { session } from "../../../test/tui/played.ts";
import type { Client } from "../../client/client.ts";
import type { Session } from "../../protocol/units.ts";
import type { Action } from "../model/model.ts";
import { ScreenFeed } from "./screen-feed.ts";

const DEADLINE_MS = 20_000;

/** Answers with the screen as it is when asked; the answers and what came of them are counted. */
class World implements Disposable {
  readonly events = new EventEmitter();
  readonly ending = new AbortController();
  readonly feed: ScreenFeed;
  shown: string[] = [];
  askedCount = 0;
  session: Session = session("fox", { output_bytes: 1 });

  constructor() {
    const client = {
      request: async (_type: string, payload: { session: string }) => {
        this.askedCount += 1;
        this.events.emit("asked");
        return { session: { ...this.session, id: payload.session }, lines: [this.session.id], cursor: { x: 0, y: 0 } };
      },
    } as unknown as Client;
    this.feed = new ScreenFeed({
      clientOf: () => client,
      dispatch: (action: Action) => {
        if (action.type === "previewed") this.shown.push(action.id);
        this.events.emit("told");
      },
      signal: this.ending.signal,
    });
  }

  async until(event: "asked" | "told", holds: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    while (!holds()) await once(this.events, event, { signal });
  }

  [Symbol.dispose](): void {
    this.ending.abort();
  }
}

test("screen: shown when selected, and asked for once more: nothing new ends the questions", async () => {
  using world = new World();
  world.feed.watch("fox");
  await world.until("asked", () => world.askedCount === 2);
  assert.deepEqual(world.shown, ["fox"]);
  world.feed.heard(world.session);
  assert.equal(world.askedCount, 2, "the list says what is shown");
});

test("screen: what the list says has changed is asked for, at most five times a second", async () => {
  using world = new World();
  world.feed.watch("fox");
  await world.until("told", () => world.shown.length === 1);
  const startedMs = performance.now();
  for (let bytes = 2; bytes < 50; bytes++) {
    world.session = { ...world.session, output_bytes: bytes };
    world.feed.heard(world.session);
  }
  await world.until("told", () => world.shown.length === 2);
  assert.ok(performance.now() - startedMs > 150);
  assert.equal(world.askedCount, 2);
});

test("screen: one that works is looked at again though nobody says that it has written; not while another program has the terminal", async () => {
  using world = new World();
  world.session = session("fox", { state: "working", output_bytes: 1 });
  world.feed.watch("fox");
  await world.until("asked", () => world.askedCount === 2);
  world.session = { ...world.session, output_bytes: 2 };
  await world.until("told", () => world.shown.length === 2);
  world.feed.setShown(false);
  const { askedCount } = world;
  world.session = { ...world.session, output_bytes: 3 };
  world.feed.heard(world.session);
  assert.equal(world.askedCount, askedCount);
  world.feed.setShown(true);
  await world.until("told", () => world.shown.length === 3);
});

test("screen: an answer about another session than the selected one is not shown", async () => {
  using world = new World();
  world.feed.watch("fox");
  world.feed.watch("owl");
  await world.until("told", () => world.shown.length === 1);
  assert.deepEqual(world.shown, ["owl"]);
  world.feed.watch(null);
  const { askedCount } = world;
  world.feed.heard(session("owl", { output_bytes: 9 }));
  assert.equal(world.askedCount, askedCount);
});
