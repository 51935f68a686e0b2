import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { WireEvents } from "../../client/client.ts";
import type { Machine } from "../link/machine.ts";
import { EMPTY_HOME, type Home, type HomeAction, type HomeServer, reduceHome } from "../model/home.ts";
import { HomeFeed } from "./home-feed.ts";
import { ServerFeed } from "./server-feed.ts";
import { Store } from "./store.ts";

/** One server of a machine: whoever subscribes is told which sessions it has. */
class FakeServer {
  readonly name: string;
  sessions: string[];
  servers: HomeServer[] = [];
  readonly #wires = new Set<{ events: WireEvents; streams: string[] }>();
  #seq = 1;

  constructor(name: string, sessions: string[]) {
    this.name = name;
    this.sessions = sessions;
  }

  async dial(events: WireEvents) {
    const wire = { events, streams: [] as string[] };
    this.#wires.add(wire);
    return {
      send: (line: string) => void setImmediate(() => this.#answer(wire, JSON.parse(line))),
      close: () => this.#wires.delete(wire),
    };
  }

  tell(event: string, data: object): void {
    this.#seq += 1;
    for (const { events, streams } of this.#wires)
      if (streams.includes("sessions"))
        events.onLine(JSON.stringify({ event, stream: "sessions", seq: this.#seq, at: "", data }));
  }

  cutAll(): void {
    for (const wire of this.#wires) {
      this.#wires.delete(wire);
      wire.events.onClose();
    }
  }

  #answer(
    wire: { events: WireEvents; streams: string[] },
    { id, type, payload }: { id: number; type: string; payload: { streams?: string[] } },
  ): void {
    const say = (data: object): void => wire.events.onLine(JSON.stringify({ id, success: true, data }));
    if (type === "hello") return say({ server: this.name });
    if (type !== "subscribe") return;
    wire.streams = payload.streams ?? [];
    const sessions = { sessions: this.sessions.map((one) => ({ id: one })), servers: this.servers };
    const all: Record<string, unknown> = { jobs: { jobs: [] }, gateway: {}, sessions };
    say({ streams: Object.fromEntries(wire.streams.map((one) => [one, { seq: this.#seq, snapshot: all[one] }])) });
  }
}

const entry = ({ name, sessions }: FakeServer, primary: boolean): HomeServer => ({
  name,
  icon: "",
  version: "1",
  primary,
  sessions,
});

/** What no server says that it has goes to the primary, as `local/connect-unit.ts` does it. */
const machineOf = (primary: FakeServer, other: FakeServer): Machine => ({
  id: "a",
  name: "a",
  dialLines: (target) => (events) => (target && other.sessions.includes(target) ? other : primary).dial(events),
  dialBytes: () => () => Promise.reject(new Error("no bytes here")),
  watch: (listener) => {
    listener({ kind: "live" });
    return () => {};
  },
  hurry: () => {},
  close: () => {},
});

const idsAt = (home: Home, server: string): string =>
  (home.sessions.get(server) ?? []).map(({ id }) => id).join(" ") || "none";

/** Time as it passes, also where a test has its own. */
const { setTimeout: later, clearTimeout: cancel } = globalThis;
const DEADLINE_MS = 10_000;

/** Resolves when the home says that the server has these, and no others. */
function has(t: TestContext, home: Store<Home, HomeAction>, server: string, ids: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = later(() => {
      unsubscribe();
      reject(new Error(`${server} has ${idsAt(home.get(), server)} and not ${ids} after ${DEADLINE_MS} ms`));
    }, DEADLINE_MS);
    t.after(() => cancel(timer));
    const look = (): void => {
      if (idsAt(home.get(), server) !== ids) return;
      cancel(timer);
      unsubscribe();
      resolve();
    };
    const unsubscribe = home.subscribe(look);
    look();
  });
}

test("home: another server's sessions stay its own when the one by which it was reached is gone", async (t) => {
  const primary = new FakeServer("blazing", ["own"]);
  const other = new FakeServer("frozen", ["first", "second"]);
  primary.servers = [entry(primary, true), entry(other, false)];
  const home = new Store<Home, HomeAction>(EMPTY_HOME, reduceHome);
  const told = new Set<string>();
  home.subscribe(() => told.add(idsAt(home.get(), "frozen")));
  const feed = new HomeFeed({ machine: machineOf(primary, other), version: "1", dispatch: home.dispatch });
  t.after(() => feed.close());
  await has(t, home, "frozen", "first second");
  other.sessions = ["second"];
  other.tell("session_gone", { id: "first" });
  await has(t, home, "frozen", "second");
  primary.tell("servers_changed", { servers: [entry(primary, true), entry(other, false)] });
  await new Promise(setImmediate);
  other.sessions = ["second", "third"];
  other.cutAll();
  await Promise.race([has(t, home, "frozen", "second third"), has(t, home, "frozen", "own")]);
  assert.equal(told.has("own"), false, "the primary's are not said to be the other one's");
});

test("server: what another one says to whom it was led is not heard, and the way is made anew", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const primary = new FakeServer("blazing", ["own"]);
  const other = new FakeServer("frozen", ["first"]);
  const met = Promise.withResolvers<void>();
  let dialCount = 0;
  const machine: Machine = {
    ...machineOf(primary, other),
    dialLines: () => (events) => {
      dialCount += 1;
      if (dialCount === 2) met.resolve();
      return (dialCount === 1 ? primary : other).dial(events);
    },
  };
  const home = new Store<Home, HomeAction>(EMPTY_HOME, reduceHome);
  const told: string[] = [];
  home.subscribe(() => told.push(idsAt(home.get(), "frozen")));
  const feed = new ServerFeed({
    machine,
    version: "1",
    server: "frozen",
    target: "first",
    dispatch: home.dispatch,
    nowMs: () => 1,
  });
  t.after(() => feed.close());
  const stop = new AbortController();
  const timePasses = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      t.mock.timers.tick(1_000);
      await new Promise(setImmediate);
    }
  };
  const passing = timePasses();
  try {
    await Promise.race([met.promise, has(t, home, "frozen", "own")]);
    await Promise.race([has(t, home, "frozen", "first"), has(t, home, "frozen", "own")]);
  } finally {
    stop.abort();
    await passing;
  }
  assert.deepEqual(told, ["first"]);
});
