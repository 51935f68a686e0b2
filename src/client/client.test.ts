import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { isWarrenError, WarrenError } from "../protocol/errors.ts";
import { Client, type ClientOptions, type Dial, type WireEvents } from "./client.ts";
import type { SubscriptionItem } from "./subscription.ts";

interface Message {
  id: number;
  type: string;
  payload: Record<string, unknown>;
  request_id?: string;
}

/** One connection as the server has it. Nothing is delivered in the step in which it was sent, as on a real wire. */
class ServerWire {
  readonly received: Message[] = [];
  isClosed = false;
  readonly #events: WireEvents;
  readonly #onMessage: (message: Message) => void;

  constructor(events: WireEvents, onMessage: (message: Message) => void) {
    this.#events = events;
    this.#onMessage = onMessage;
  }

  take(line: string): void {
    if (this.isClosed) return;
    const message = JSON.parse(line) as Message;
    this.received.push(message);
    setImmediate(() => this.#onMessage(message));
  }

  say(message: object): void {
    setImmediate(() => this.#events.onLine(JSON.stringify(message)));
  }

  answer({ id }: Message, data: object = {}): void {
    this.say({ id, success: true, data });
  }

  fail({ id }: Message, code: string): void {
    this.say({ id, success: false, code, error: `failed: ${code}`, fix: "warren list" });
  }

  event(seq: number, type = "job_updated"): void {
    this.say({ event: type, stream: "jobs", seq, data: {} });
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    setImmediate(() => this.#events.onClose());
  }
}

/** A server that remembers its wires; `next` waits for a message of a type. */
class FakeServer {
  readonly wires: ServerWire[] = [];
  /** Set to let dialling fail. */
  refusal: Error | undefined;
  dialCount = 0;
  meansBuild: string | undefined;
  readonly #arrived: { wire: ServerWire; message: Message }[] = [];
  readonly #waiters = new Set<() => void>();

  readonly dial: Dial = async (events) => {
    this.dialCount += 1;
    if (this.refusal) throw this.refusal;
    const wire = new ServerWire(events, (message) => {
      this.#arrived.push({ wire, message });
      for (const look of [...this.#waiters]) look();
    });
    this.wires.push(wire);
    const meant = this.meansBuild === undefined ? {} : { meansBuild: this.meansBuild };
    return { send: (line) => wire.take(line), close: () => wire.close(), ...meant };
  };

  /** The oldest message of that type that nobody has waited for. */
  next(type: string): Promise<{ wire: ServerWire; message: Message }> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no message ${type}`)), 20_000);
      const look = (): void => {
        const at = this.#arrived.findIndex(({ message }) => message.type === type);
        if (at === -1) return;
        clearTimeout(timer);
        this.#waiters.delete(look);
        resolve(this.#arrived.splice(at, 1)[0]!);
      };
      this.#waiters.add(look);
      look();
    });
  }
}

function connected(options: Partial<ClientOptions> = {}) {
  const server = new FakeServer();
  let ids = 0;
  const client = new Client({
    dial: server.dial,
    name: "test",
    version: "0",
    randomId: () => `request-${++ids}`,
    ...options,
  });
  return { server, client };
}

const code = (wanted: string) => (error: unknown) => isWarrenError(error, wanted);
const STOPPED = { job_id: "web" };

test("request: one wire for all, opened by the first; answers find their request in any order", async () => {
  const { server, client } = connected();
  const list = client.request("list", {});
  const ping = client.request("ping", {});
  const first = await server.next("list");
  const second = await server.next("ping");
  second.wire.answer(second.message, { message: "pong" });
  first.wire.answer(first.message, { jobs: [] });
  assert.deepEqual([await list, await ping], [{ jobs: [] }, { message: "pong" }]);
  assert.equal(server.wires.length, 1);
  const hello = await server.next("hello");
  hello.wire.answer(hello.message, { server: "blazing" });
  const again = client.request("ping", {});
  const third = await server.next("ping");
  third.wire.answer(third.message);
  await again;
  assert.deepEqual(client.server, { server: "blazing" });
  client.close();
});

test("request: an error has the server's code, sentence and fix; lines that are none are passed over", async () => {
  const { server, client } = connected();
  const stopped = client.request("stop", STOPPED);
  const { wire, message } = await server.next("stop");
  wire.say({ nothing: true });
  wire.fail(message, "JOB_NOT_FOUND");
  await assert.rejects(stopped, { code: "JOB_NOT_FOUND", message: "failed: JOB_NOT_FOUND", fix: "warren list" });
  client.close();
});

test("reconnect: what is in hand is sent again, what changes something with the same request_id", async () => {
  const states: string[] = [];
  const { server, client } = connected({ onConnection: (state) => states.push(state) });
  const stopped = client.request("stop", STOPPED);
  const listed = client.request("list", {});
  const first = await server.next("stop");
  await server.next("list");
  first.wire.close();
  const second = await server.next("stop");
  const list = await server.next("list");
  assert.notEqual(second.wire, first.wire);
  assert.deepEqual(second.message, first.message);
  assert.ok(first.message.request_id);
  assert.equal(list.message.request_id, undefined, "what only reads needs none");
  second.wire.answer(second.message, { stopped: true });
  list.wire.answer(list.message, { jobs: [] });
  assert.deepEqual([await stopped, await listed], [{ stopped: true }, { jobs: [] }]);
  assert.deepEqual(states, ["lost", "back"]);
  client.close();
});

test("reconnect: a wire that is lost with nothing in hand is opened again by the next request", async () => {
  const { server, client } = connected();
  const ping = client.request("ping", {});
  const { wire, message } = await server.next("ping");
  wire.answer(message);
  await ping;
  wire.close();
  await new Promise(setImmediate);
  assert.equal(server.dialCount, 1);
  const again = client.request("ping", {});
  const next = await server.next("ping");
  next.wire.answer(next.message);
  await again;
  assert.equal(server.dialCount, 2);
  client.close();
});

test("redial: goes on after refusals, up to its count, then every request is told", async () => {
  const { server, client } = connected({ redialCountMax: 3 });
  server.refusal = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  const requests = [client.request("ping", {}), client.request("stop", STOPPED)];
  for (const request of requests) await assert.rejects(request, code("CONNECTION_LOST"));
  assert.equal(server.dialCount, 3);
  server.refusal = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  await assert.rejects(client.request("ping", {}), {
    code: "CONNECTION_LOST",
    message: "The server cannot be reached: ENOSPC: no space left on device, write.",
  });
  server.refusal = new WarrenError("SERVER_START_FAILED", "broken");
  await assert.rejects(client.request("ping", {}), code("SERVER_START_FAILED"));
  assert.equal(server.dialCount, 7, "what has a reason is not tried again");
  client.close();
});

test("reconnect: a server that closes what it accepts is dialled again after growing delays, up to a count", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { server, client } = connected();
  const asked = client.request("ping", {});
  const refused = assert.rejects(asked, code("CONNECTION_LOST"));
  const close = async (): Promise<void> => {
    server.wires.at(-1)!.close();
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  };
  await server.next("ping");
  await close();
  assert.equal(server.dialCount, 2, "the first time it may have been its end");
  await close();
  assert.equal(server.dialCount, 2, "it is waited");
  for (let count = 3; count <= 20; count++) {
    t.mock.timers.tick(1_000);
    await new Promise(setImmediate);
    assert.equal(server.dialCount, count);
    await close();
  }
  await refused;
  t.mock.timers.tick(60_000);
  assert.equal(server.dialCount, 20);
  const again = client.request("list", {});
  const { wire, message } = await server.next("list");
  wire.answer(message, { jobs: [] });
  await again;
  client.close();
});

test("SERVER_ENDING: is not an answer; the request is repeated at the successor", async () => {
  const { server, client } = connected();
  const stopped = client.request("stop", STOPPED);
  const first = await server.next("stop");
  first.wire.fail(first.message, "SERVER_ENDING");
  first.wire.close();
  const second = await server.next("stop");
  assert.equal(second.message.request_id, first.message.request_id);
  second.wire.answer(second.message, { stopped: true });
  assert.deepEqual(await stopped, { stopped: true });
  client.close();
});

test("NOT_PRIMARY: moves to the server that has the jobs, with all that is in hand, and leaves no wire open", async () => {
  const { server, client } = connected();
  const requests = [client.request("stop", STOPPED), client.request("list", {})];
  const stop = await server.next("stop");
  const list = await server.next("list");
  stop.wire.fail(stop.message, "NOT_PRIMARY");
  list.wire.fail(list.message, "NOT_PRIMARY");
  const [movedStop, movedList] = [await server.next("stop"), await server.next("list")];
  assert.notEqual(movedStop.wire, stop.wire);
  const during = client.request("ping", {});
  movedStop.wire.answer(movedStop.message, { stopped: true });
  movedList.wire.answer(movedList.message, { jobs: [] });
  const ping = await server.next("ping");
  ping.wire.answer(ping.message);
  assert.deepEqual(await Promise.all([...requests, during]), [{ stopped: true }, { jobs: [] }, {}]);
  assert.deepEqual(
    server.wires.map(({ isClosed }) => isClosed),
    [true, false],
  );
  client.close();
});

test("OTHER_BUILD: the greeting says whom the dial means; where another answers, it is dialled again with what is in hand", async () => {
  const { server, client } = connected();
  server.meansBuild = "first";
  const made = client.request("session.new", { command: ["true"], workdir: "/", env: [] });
  const greeting = await server.next("hello");
  assert.equal(greeting.message.payload.git_hash, "first");
  const refused = await server.next("session.new");
  server.meansBuild = "second";
  greeting.wire.fail(greeting.message, "OTHER_BUILD");
  refused.wire.fail(refused.message, "OTHER_BUILD");
  assert.equal((await server.next("hello")).message.payload.git_hash, "second");
  const { wire, message } = await server.next("session.new");
  assert.equal(message.request_id, refused.message.request_id);
  wire.answer(message, { session: {} });
  assert.deepEqual(await made, { session: {} });
  assert.equal(server.dialCount, 2);
  client.close();
});

test("NOT_PRIMARY: a request that is made while it moves opens no second wire", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { server, client } = connected();
  const first = client.request("stop", STOPPED);
  const { wire, message } = await server.next("stop");
  wire.fail(message, "NOT_PRIMARY");
  await new Promise(setImmediate);
  assert.equal(server.dialCount, 1, "the move waits for its moment");
  const during = client.request("ping", {});
  const stop = await server.next("stop");
  stop.wire.answer(stop.message, { stopped: true });
  const ping = await server.next("ping");
  ping.wire.answer(ping.message);
  await Promise.all([first, during]);
  t.mock.timers.tick(2_000);
  await new Promise(setImmediate);
  assert.equal(server.dialCount, 2);
  client.close();
});

const items = async (subscription: AsyncIterableIterator<SubscriptionItem>, count: number): Promise<string[]> => {
  const got: string[] = [];
  while (got.length < count) {
    const { value, done } = await subscription.next();
    if (done) break;
    const item = value as SubscriptionItem;
    got.push(item.kind === "event" ? `event ${item.event.seq}` : `snapshot ${item.seq}${item.gap ? " gap" : ""}`);
  }
  return got;
};

test("subscribe: a snapshot, then events; after a lost wire it goes on by seq, each event once", async () => {
  const { server, client } = connected();
  const subscription = client.subscribe({ workdir: "/p" });
  const first = await server.next("subscribe");
  assert.deepEqual(first.message.payload, { workdir: "/p" });
  first.wire.answer(first.message, { streams: { jobs: { seq: 7, snapshot: {} } } });
  first.wire.event(8);
  first.wire.event(9);
  assert.deepEqual(await items(subscription, 3), ["snapshot 7", "event 8", "event 9"]);
  first.wire.close();
  const second = await server.next("subscribe");
  assert.deepEqual(second.message.payload, { workdir: "/p", since: { jobs: 9 } });
  second.wire.event(8); // before the answer
  second.wire.answer(second.message, { streams: { jobs: { seq: 11, snapshot: null } } });
  for (const seq of [9, 10, 11]) second.wire.event(seq);
  assert.deepEqual(await items(subscription, 2), ["event 10", "event 11"]);
  client.close();
  assert.equal((await subscription.next()).done, true);
});

test("subscribe: a gap gives a new snapshot, from which it goes on", async () => {
  const { server, client } = connected();
  const subscription = client.subscribe({ since: { jobs: 3 } });
  const { wire, message } = await server.next("subscribe");
  assert.deepEqual(message.payload, { since: { jobs: 3 } });
  wire.answer(message, { streams: { jobs: { seq: 90, snapshot: {}, gap: true } } });
  wire.event(90);
  wire.event(91);
  assert.deepEqual(await items(subscription, 2), ["snapshot 90 gap", "event 91"]);
  client.close();
});

test("subscribe: ends with its signal, fails when it is refused and when nobody is to be reached", async () => {
  const { server, client } = connected({ redialCountMax: 1 });
  const gone = new AbortController();
  const aborted = client.subscribe({}, gone.signal);
  await server.next("subscribe");
  gone.abort();
  assert.equal((await aborted.next()).done, true);

  const refused = client.subscribe({ streams: ["weather"] });
  const { wire, message } = await server.next("subscribe");
  wire.fail(message, "UNKNOWN_STREAM");
  await assert.rejects(refused.next(), code("UNKNOWN_STREAM"));

  const lost = client.subscribe({});
  const last = await server.next("subscribe");
  server.refusal = new Error("gone");
  last.wire.close();
  await assert.rejects(lost.next(), code("CONNECTION_LOST"));
  client.close();
});

test("subscribe: with its end, however it came, its signal knows nothing of it any more", async () => {
  const { server, client } = connected();
  const gone = new AbortController();
  for (let count = 0; count < 3; count++) {
    const refused = client.subscribe({}, gone.signal);
    const { wire, message } = await server.next("subscribe");
    wire.fail(message, "UNKNOWN_STREAM");
    await assert.rejects(refused.next(), code("UNKNOWN_STREAM"));
  }
  assert.equal(getEventListeners(gone.signal, "abort").length, 0);
  client.close();
});

test("subscribe: the end of an earlier one does not end the one that took its place", async () => {
  const { server, client } = connected();
  const gone = new AbortController();
  const earlier = client.subscribe({}, gone.signal);
  await server.next("subscribe");
  const later = client.subscribe({ workdir: "/p" });
  const { wire, message } = await server.next("subscribe");
  gone.abort();
  assert.equal((await earlier.next()).done, true);
  wire.answer(message, { streams: { jobs: { seq: 1, snapshot: {} } } });
  wire.event(2);
  assert.deepEqual(await items(later, 2), ["snapshot 1", "event 2"]);
  client.close();
});

test("request: given up by its signal or its time, refused when it is too long, told when the client closes", async () => {
  const { server, client } = connected();
  const gone = new AbortController();
  const aborted = client.request("list", {}, { signal: gone.signal });
  await server.next("list");
  gone.abort();
  await assert.rejects(aborted, code("ABORTED"));
  await assert.rejects(client.request("list", {}, { signal: gone.signal }), code("ABORTED"));
  await assert.rejects(client.request("list", {}, { timeoutMs: 1 }), code("TIMEOUT"));
  const huge = { command: ["ü".repeat(600_000)], workdir: "/p", env: [] };
  await assert.rejects(client.request("add", huge), code("LINE_TOO_LONG"));
  const open = client.request("ping", {});
  await server.next("ping");
  client.close();
  await assert.rejects(open, code("CLOSED"));
  await assert.rejects(client.request("ping", {}), code("CLOSED"));
  assert.deepEqual(
    server.wires.map(({ isClosed }) => isClosed),
    [true],
  );
});

test("reconnect: a wire that is lost while the first lines are sent, or just after, is dialled anew", async () => {
  for (const lose of [(close: () => void) => close(), (close: () => void) => queueMicrotask(close)]) {
    const server = new FakeServer();
    const states: string[] = [];
    const { client } = connected({
      dial: async (events) => {
        const wire = await server.dial(events);
        if (server.dialCount > 1) return wire;
        let isLost = false;
        const send = (): void => {
          if (!isLost) lose(() => events.onClose());
          isLost = true;
        };
        return { ...wire, send };
      },
      onConnection: (state) => states.push(state),
    });
    const listed = client.request("list", {}, { timeoutMs: 20_000 });
    const { wire, message } = await server.next("list");
    wire.answer(message, { jobs: [] });
    assert.deepEqual(await listed, { jobs: [] });
    assert.deepEqual([server.dialCount, states], [2, ["lost", "back"]]);
    client.close();
  }
});

test("request: a client that is closed while it dials leaves no wire open", async () => {
  const { server, client } = connected();
  const request = client.request("ping", {});
  client.close();
  await assert.rejects(request, code("CLOSED"));
  await new Promise(setImmediate);
  assert.ok(server.wires.every(({ isClosed }) => isClosed));
});

test("greeting: a server that is silent is given up, one that greets may take its time", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { server, client } = connected({ greetingTimeoutMs: 10_000 });
  const first = assert.rejects(client.request("list", {}), code("SERVER_SILENT"));
  await server.next("list");
  t.mock.timers.tick(10_000);
  await first;
  assert.ok(server.wires[0]?.isClosed);

  await server.next("hello");
  const second = client.request("list", {});
  const hello = await server.next("hello");
  hello.wire.answer(hello.message, { server: "blazing" });
  const { wire, message } = await server.next("list");
  await new Promise(setImmediate);
  t.mock.timers.tick(20_000);
  wire.answer(message, { jobs: [] });
  assert.deepEqual(await second, { jobs: [] });
  client.close();
});

test("greeting: of a server of another protocol, only what is the same in every version is still awaited", async () => {
  const { server, client } = connected();
  const list = assert.rejects(client.request("list", {}), code("PROTOCOL_MISMATCH"));
  const shutdown = client.request("shutdown", { force: true });
  const hello = await server.next("hello");
  hello.wire.fail(hello.message, "PROTOCOL_MISMATCH");
  await list;
  const { wire, message } = await server.next("shutdown");
  wire.answer(message, { message: "shutting down" });
  assert.deepEqual(await shutdown, { message: "shutting down" });
  client.close();
});

test("greeting: that a server does not have a message is told with its name, whichever comes first", async () => {
  for (const isGreetedFirst of [true, false]) {
    const { server, client } = connected();
    const wanted = { code: "UNKNOWN_TYPE", fix: "warren reload blazing", message: /blazing .* has no list/ };
    const list = assert.rejects(client.request("list", {}), wanted);
    const hello = await server.next("hello");
    const { wire, message } = await server.next("list");
    const greet = () => hello.wire.answer(hello.message, { server: "blazing", version: "1", git_hash: "abc" });
    if (isGreetedFirst) greet();
    wire.fail(message, "UNKNOWN_TYPE");
    if (!isGreetedFirst) greet();
    await list;
    client.close();
  }
});
