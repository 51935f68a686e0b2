import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { isWarrenError } from "../protocol/errors.ts";
import type { PayloadOf } from "../protocol/messages.ts";
import { ConnectionFixture } from "../server/connection-fixture.ts";
import { type RoutedEvent, Subscriptions } from "./subscriptions.ts";

/** A stream with events 1 to `last`, of which the first `gone` are dropped. */
class Stream {
  readonly #events: RoutedEvent[] = [];
  gone = 0;
  readonly #padding: string;

  constructor({ count = 0, padding = "" }: { count?: number; padding?: string } = {}) {
    this.#padding = padding;
    for (let n = 0; n < count; n++) this.next();
  }

  next(event = "job_updated", job_id = "1aa", workdir = "/p"): RoutedEvent {
    const seq = this.#events.length + 1;
    const routed = { workdir, event: { event, stream: "jobs", seq, job_id, data: { padding: this.#padding } } };
    this.#events.push(routed);
    return routed;
  }

  snapshot() {
    return { seq: this.#events.length, snapshot: `all at ${this.#events.length}` };
  }

  after(seq: number, limit: number): RoutedEvent[] | undefined {
    if (seq < this.gone || seq > this.#events.length) return undefined;
    return this.#events.slice(seq, seq + limit);
  }
}

async function subscribed(stream: Stream, payload: PayloadOf<"subscribe">) {
  const fixture = await ConnectionFixture.make();
  const subscriptions = new Subscriptions(new Map([["jobs", stream]]));
  const subscribe = (next: PayloadOf<"subscribe">) =>
    subscriptions.subscribe(fixture.connection, next, (data) => fixture.connection.send(data));
  subscribe(payload);
  return { fixture, subscriptions, subscribe };
}

const seqs = (received: Record<string, unknown>[]): unknown[] => received.map(({ seq }) => seq);

test("subscribe: a snapshot with its seq, then the events after it", async () => {
  const stream = new Stream({ count: 3 });
  const { fixture, subscriptions } = await subscribed(stream, {});
  await using _ = fixture;
  subscriptions.publish(stream.next());
  fixture.read();
  const received = await fixture.received(2);
  assert.deepEqual(received[0]?.streams, { jobs: { seq: 3, snapshot: "all at 3" } });
  assert.deepEqual(seqs(received), [undefined, 4]);
});

test("subscribe: since continues without a snapshot, with every event once and in order", async () => {
  const stream = new Stream({ count: 250 });
  const { fixture, subscriptions } = await subscribed(stream, { since: { jobs: 20 } });
  await using _ = fixture;
  subscriptions.publish(stream.next());
  fixture.read();
  const received = await fixture.received(232);
  assert.deepEqual(received[0]?.streams, { jobs: { seq: 250, snapshot: null } });
  assert.deepEqual(
    seqs(received.slice(1)),
    Array.from({ length: 231 }, (_, at) => at + 21),
  );
});

test("subscribe: a position that is gone, or of another history, gets a snapshot and is told of the gap", async () => {
  const stream = new Stream({ count: 10 });
  stream.gone = 5;
  const { fixture, subscribe } = await subscribed(stream, { since: { jobs: 4 } });
  await using _ = fixture;
  subscribe({ since: { jobs: 11 } });
  subscribe({ since: { jobs: 10 } });
  fixture.read();
  assert.deepEqual(
    (await fixture.received(3)).map(({ streams }) => streams),
    [
      { jobs: { seq: 10, snapshot: "all at 10", gap: true } },
      { jobs: { seq: 10, snapshot: "all at 10", gap: true } },
      { jobs: { seq: 10, snapshot: null } },
    ],
  );
});

test("subscribe: one that is far behind is given it as fast as it reads, and is not cut off for it", async () => {
  const stream = new Stream({ count: 800, padding: "x".repeat(10_000) });
  const { fixture, subscriptions } = await subscribed(stream, { since: { jobs: 0 } });
  await using _ = fixture;
  assert.ok(fixture.connection.queuedBytes < 2 * 1024 * 1024);
  subscriptions.publish(stream.next()); // comes in its turn
  fixture.read();
  const received = await fixture.received(802);
  assert.deepEqual(
    seqs(received.slice(1)),
    Array.from({ length: 801 }, (_, at) => at + 1),
  );
  subscriptions.publish(stream.next());
  assert.equal((await fixture.received(803)).at(-1)?.seq, 802);
});

test("subscribe: one for which the next event is dropped while it catches up is cut off", async () => {
  const stream = new Stream({ count: 800, padding: "x".repeat(10_000) });
  const { fixture } = await subscribed(stream, { since: { jobs: 0 } });
  await using _ = fixture;
  stream.gone = 700;
  const { closed } = fixture.connection;
  const cut = once(closed, "abort");
  fixture.read();
  await cut;
});

test("filter: directory, jobs and types, of what was missed and of what comes", async () => {
  const stream = new Stream();
  const cast = [
    stream.next("job_started", "1aa", "/p"),
    stream.next("job_started", "2bb", "/p"),
    stream.next("job_started", "1aa", "/q"),
    stream.next("job_stopped", "1aa", "/p"),
  ];
  for (const [filter, expected] of [
    [{ workdir: "/p" }, [1, 2, 4]],
    [{ job_ids: ["1aa"] }, [1, 3, 4]],
    [{ types: ["job_started"] }, [1, 2, 3]],
    [{ workdir: "/p", job_ids: ["1aa"], types: ["job_stopped"] }, [4]],
  ] as const) {
    const payload = JSON.parse(JSON.stringify(filter));
    const missed = await subscribed(stream, { ...payload, since: { jobs: 0 } });
    const live = await subscribed(stream, payload);
    for (const event of cast) live.subscriptions.publish(event);
    for (const { fixture } of [missed, live]) {
      await using _ = fixture;
      fixture.read();
      assert.deepEqual(seqs((await fixture.received(expected.length + 1)).slice(1)), [...expected]);
    }
  }
});

test("subscribe: the second takes the first one's place, an unknown stream changes nothing, unsubscribe ends it", async () => {
  const stream = new Stream();
  const { fixture, subscriptions, subscribe } = await subscribed(stream, { types: ["job_added"] });
  await using _ = fixture;
  subscribe({ types: ["job_stopped"] });
  assert.throws(
    () => subscribe({ streams: ["jobs", "weather"] }),
    (error) => isWarrenError(error, "UNKNOWN_STREAM"),
  );
  subscriptions.publish(stream.next("job_added"));
  subscriptions.publish(stream.next("job_stopped"));
  subscriptions.unsubscribe(fixture.connection);
  subscriptions.publish(stream.next("job_stopped"));
  fixture.connection.send({ seq: "end" });
  fixture.read();
  assert.deepEqual(seqs(await fixture.received(4)), [undefined, undefined, 2, "end"]);
  assert.equal(subscriptions.subscriberCount, 0);
});
