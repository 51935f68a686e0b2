import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConversationItem } from "../../protocol/conversation.ts";
import type { Session } from "../../protocol/units.ts";
import { AwayMachine } from "../link/away-machine.ts";
import type { Machine } from "../link/machine.ts";
import { type Asked, endOf, isOpen } from "../model/asked.ts";
import { EMPTY_HOME, type Home, type HomeWay } from "../model/home.ts";
import { EMPTY_TALK, type Talk } from "../model/talk.ts";
import { AskedFeed } from "./asked-feed.ts";
import { AskedFeeds } from "./asked-feeds.ts";
import { askedOf, keptText } from "./asked-memory.ts";
import type { Place } from "./fleet-store.ts";
import { Store } from "./store.ts";

const settle = (): Promise<void> => new Promise((done) => setImmediate(done));
const session = (id: string, state: string, status = "running"): Session =>
  ({ id, kind: "agent", name: id, state, status, workdir: `/srv/${id}`, active_at: "2026" }) as Session;
const homeOf = (way: HomeWay["kind"], ...sessions: Session[]): Home => ({
  ...EMPTY_HOME,
  way: { kind: way } as HomeWay,
  servers: [{ name: "blazing", icon: "", version: "1", primary: true, sessions: sessions.map(({ id }) => id) }],
  sessions: new Map([["blazing", sessions]]),
});
const question = (state: "pending" | "answered"): ConversationItem => ({
  id: "q",
  at: "2026",
  seq: 1,
  kind: "permission",
  title: "Deploy?",
  options: [{ optionId: "y", name: "Allow once", kind: "allow_once" }],
  state,
  ...(state === "answered" ? { option_id: "y", by: "Pixel 9" } : {}),
});
const talk = (state: "pending" | "answered"): Talk => ({ ...EMPTY_TALK, items: [question(state)] });

/** A machine whose conversations the test tells. */
function started(remembered?: Asked) {
  const home = new Store<Home, Home>(homeOf("live"), (_, next) => next);
  const talks = new Map<string, (talk: Talk) => void>();
  const closed: string[] = [];
  const feed = new AskedFeed({
    machine: {} as Machine,
    version: "1",
    home,
    memory: { read: async () => remembered, write: () => {}, forget: async () => {} },
    nowMs: () => 1,
    follow: (id, onTalk) => {
      talks.set(id, onTalk);
      return { close: () => void closed.push(id) };
    },
  });
  const becomes = async (next: Home): Promise<void> => {
    home.dispatch(next);
    await settle();
  };
  return { feed, talks, closed, becomes, [Symbol.dispose]: () => feed.close() };
}
const states = (feed: AskedFeed): [string, boolean][] => [...feed.get()].map(([key, one]) => [key, isOpen(one)]);

test("asked: a session that begins to need somebody is followed until its conversation has said who answered", async () => {
  using world = started();
  const { feed, talks, closed, becomes } = world;
  await becomes(homeOf("live", session("fox", "needs_you"), session("owl", "working")));
  assert.deepEqual([...talks.keys()], ["fox"]);
  talks.get("fox")!(talk("pending"));
  assert.deepEqual(states(feed), [["fox/q", true]]);
  assert.equal(feed.get().get("fox/q")!.directory, "/srv/fox");
  await becomes(homeOf("live", session("fox", "working")));
  assert.deepEqual([states(feed), closed], [[["fox/q", true]], []], "the list knows it first, and not by whom");
  talks.get("fox")!(talk("answered"));
  assert.equal(endOf(feed.get().get("fox/q")!), "Allow once, by Pixel 9");
  assert.deepEqual(closed, ["fox"]);
});

test("asked: while the machine is away what it asked stays; a session that is gone asks nothing", async () => {
  using world = started();
  const { feed, talks, closed, becomes } = world;
  const fox = session("fox", "needs_you");
  await becomes(homeOf("live", fox));
  talks.get("fox")!(talk("pending"));
  await becomes(homeOf("away", fox));
  assert.deepEqual([states(feed), closed], [[["fox/q", true]], ["fox"]]);
  await becomes({ ...homeOf("live", fox), sessions: new Map() });
  assert.deepEqual(states(feed), [["fox/q", true]], "the server has not said yet what it has");
  await becomes(homeOf("live", session("owl", "idle")));
  assert.deepEqual(states(feed), [["fox/q", false]]);
});

test("asked: what is kept comes back as it was, open questions alone, and gives way to what is heard", async () => {
  using first = started();
  await first.becomes(homeOf("live", session("fox", "needs_you"), session("owl", "needs_you")));
  first.talks.get("fox")!(talk("pending"));
  first.talks.get("owl")!(talk("pending"));
  first.talks.get("owl")!(talk("answered"));
  const kept = askedOf(keptText(first.feed.get()))!;
  assert.deepEqual([...kept.keys()], ["fox/q"]);
  assert.deepEqual(kept.get("fox/q")!.question, first.feed.get().get("fox/q")!.question);
  using second = started(kept);
  await second.becomes(homeOf("away"));
  assert.deepEqual(states(second.feed), [["fox/q", true]]);
  await second.becomes(homeOf("live", session("fox", "idle")));
  assert.deepEqual(states(second.feed), [["fox/q", false]]);
  assert.equal(askedOf("{"), undefined);
});

test("asked: a machine that another tab speaks with keeps what it has asked; of one that is no more nothing stays", async () => {
  using world = started();
  await world.becomes(homeOf("live", session("fox", "needs_you")));
  world.talks.get("fox")!(talk("pending"));
  const remembered = world.feed.get();
  const forgotten: string[] = [];
  const feeds = new AskedFeeds("1", (machine) => ({
    read: async () => remembered,
    write: () => {},
    forget: async () => void forgotten.push(machine),
  }));
  const machine = new AwayMachine({ id: "a", name: "a", why: "It is away." });
  const place = { machine, home: new Store<Home, Home>(homeOf("away"), (_, next) => next) } as unknown as Place;
  const known = new Set(["a"]);
  feeds.sync(new Map([["a", place]]), known);
  await settle();
  feeds.sync(new Map(), known);
  assert.deepEqual([forgotten, feeds.get().get("a")?.size], [[], 1]);
  feeds.sync(new Map(), new Set());
  assert.deepEqual([forgotten, feeds.get().size], [["a"], 0]);
  feeds.close();
});
