import assert from "node:assert/strict";
import { test } from "node:test";
import type { Jobs } from "../jobs/jobs.ts";
import { silentLog } from "../platform/log.ts";
import type { Scope } from "../protocol/messages.ts";
import { type EventSource, Subscriptions } from "../serving/subscriptions.ts";
import type { Sessions } from "../sessions/sessions.ts";
import { ConnectionFixture } from "./connection-fixture.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { ServerFacts } from "./handlers.ts";
import { MailForward } from "./mail-forward.ts";

const facts = {
  name: "blazing",
  version: "1.2.3",
  build: "abc1234",
  primaryName: () => "frozen",
  hello: () => ({}),
  claimJobs: async () => {},
} as unknown as ServerFacts;

/** A dispatcher with a client; `jobs` has only the methods that the test gives. */
async function served(
  jobs: Partial<Jobs> | undefined,
  scopes?: readonly Scope[],
  server = facts,
  sessions: object = {},
) {
  const source: EventSource = { snapshot: () => ({ seq: 0, snapshot: {} }), after: () => [] };
  const subscriptions = new Subscriptions(new Map(["jobs", "gateway", "sessions"].map((name) => [name, source])));
  const dispatcher = new Dispatcher({
    subscriptions,
    log: silentLog,
    context: () => ({
      jobs: jobs && ({ answerTo: async () => undefined, ...jobs } as unknown as Jobs),
      gateways: undefined,
      sessions: sessions as Sessions,
      server,
      mail: { unread: async () => new Map() },
      usage: { measured: (sessions) => [...sessions] },
    }),
    forward: new MailForward({ open: () => assert.fail("no mail is asked for"), isUsed: () => false }),
  });
  const handlers = {
    onLine: (line: string, connection: ConnectionFixture["connection"]) => dispatcher.onLine(line, connection),
    onTooLong: (connection: ConnectionFixture["connection"]) => dispatcher.onTooLong(connection),
  };
  const fixture = await ConnectionFixture.make(handlers, scopes);
  fixture.read();
  const ask = (request: object): void => void fixture.peer.write(`${JSON.stringify(request)}\n`);
  return { fixture, dispatcher, ask };
}

const STOP = { type: "stop", payload: { job_id: "web" } };

test("dispatch: an answer carries the id of its request, as number or text, and an error its code and fix", async () => {
  const { fixture, ask } = await served({ get: () => ({ job: {} }) as never });
  await using _ = fixture;
  ask({ id: 1, type: "ping" });
  ask({ id: "two", type: "get_job", payload: { job_id: "web" } });
  ask({ id: 3, type: "get_job" });
  fixture.peer.write("nonsense\n");
  const received = await fixture.received(4);
  const byId = new Map(received.map((message) => [message.id, message]));
  assert.deepEqual(byId.get(1), { id: 1, success: true, data: { message: "pong" } });
  assert.deepEqual(byId.get("two"), { id: "two", success: true, data: { job: {} } });
  assert.deepEqual([byId.get(3)?.success, byId.get(3)?.code], [false, "INVALID_PAYLOAD"]);
  assert.deepEqual([byId.get(undefined)?.code, byId.get(undefined)?.success], ["BAD_JSON", false]);
});

test("dispatch: a bug is answered as such, and the next request is served", async () => {
  const { fixture, ask } = await served({
    get: () => {
      throw new TypeError("undefined is not a function");
    },
  });
  await using _ = fixture;
  ask({ id: 1, type: "get_job", payload: { job_id: "web" } });
  ask({ id: 2, type: "ping" });
  const received = await fixture.received(2);
  assert.deepEqual(received.map(({ code }) => code).toSorted(), ["INTERNAL", undefined]);
});

test("dispatch: a server without the jobs says who has them", async () => {
  const { fixture, ask } = await served(undefined);
  await using _ = fixture;
  ask({ id: 1, ...STOP, request_id: "r" });
  const [answer] = await fixture.received(1);
  assert.deepEqual([answer?.code, answer?.detail], ["NOT_PRIMARY", { primary: "frozen" }]);
});

test("subscribe: to the streams of the jobs, by their name or as the default, claims them where nobody has them", async () => {
  for (const streams of [undefined, ["jobs"], ["sessions", "gateway"], ["sessions"]]) {
    let claimCount = 0;
    const claimJobs = async (): Promise<void> => {
      claimCount += 1;
    };
    const { fixture, ask } = await served(undefined, undefined, { ...facts, claimJobs });
    await using _ = fixture;
    ask({ id: 1, type: "subscribe", ...(streams === undefined ? {} : { payload: { streams } }) });
    const [answer] = await fixture.received(1);
    const isOfJobs = streams?.length !== 1 || streams[0] !== "sessions";
    assert.equal(claimCount, isOfJobs ? 1 : 0, String(streams));
    assert.deepEqual(answer?.success, true, String(streams));
  }
});

test("hello: a version that both speak, or which side is old and how to mend it", async () => {
  const { fixture, ask } = await served(undefined);
  await using _ = fixture;
  for (const [id, min, max] of [
    [1, 1, 1],
    [2, 1, 9],
    [3, 2, 9],
    [4, 0, 0],
  ])
    ask({ id, type: "hello", payload: { protocol: { min, max }, client: "test" } });
  const answers = new Map((await fixture.received(4)).map((message) => [message.id, message]));
  for (const id of [1, 2]) assert.deepEqual(answers.get(id)?.data, { protocol: 1 });
  assert.deepEqual([answers.get(3)?.code, answers.get(3)?.fix], ["PROTOCOL_MISMATCH", "warren reload blazing"]);
  assert.deepEqual([answers.get(4)?.code, answers.get(4)?.fix], ["PROTOCOL_MISMATCH", "npm install -g warren@latest"]);
});

test("hello: a client that means the server of another build gets nothing here but what is the same in every version", async () => {
  const { fixture, ask } = await served(undefined);
  await using _ = fixture;
  const hello = { protocol: { min: 1, max: 1 }, client: "test" };
  ask({ id: 1, type: "hello", payload: { ...hello, git_hash: "def5678" } });
  ask({ id: 2, type: "session.new", payload: { command: ["true"], workdir: "/", env: [] } });
  ask({ id: 3, type: "ping" });
  ask({ id: 4, type: "hello", payload: { ...hello, git_hash: "abc1234" } });
  ask({ id: 5, type: "list", payload: {} });
  const answers = new Map((await fixture.received(5)).map((message) => [message.id, message]));
  for (const id of [1, 2]) assert.equal(answers.get(id)?.code, "OTHER_BUILD");
  assert.match(String(answers.get(1)?.error), /blazing runs the build abc1234, and def5678 is meant/);
  assert.equal(answers.get(3)?.success, true);
  assert.equal(answers.get(4)?.success, true);
  assert.equal(answers.get(5)?.code, "NOT_PRIMARY", "it is served again");
});

test("hello: scopes are given up at once and for good, also by requests that are on their way; the first name counts", async () => {
  let stops = 0;
  const { fixture, ask } = await served({
    stop: async () => {
      stops += 1;
      return {} as never;
    },
  });
  await using _ = fixture;
  const hello = { protocol: { min: 1, max: 1 }, client: "test" };
  ask({ id: 1, type: "hello", payload: { ...hello, scopes: ["view", "type"], by: "Pixel 9" } });
  ask({ id: 2, ...STOP });
  ask({ id: 3, type: "hello", payload: { ...hello, scopes: ["view", "admin"], by: "root" } });
  ask({ id: 4, ...STOP });
  ask({ id: 5, type: "hello", payload: hello });
  ask({ id: 6, ...STOP });
  ask({ id: 7, type: "hello", payload: { ...hello, scopes: ["root"] } });
  const answers = new Map((await fixture.received(7)).map((message) => [message.id, message]));
  assert.deepEqual((answers.get(3)?.data as { scopes: string[] }).scopes, ["view"]);
  for (const id of [2, 4, 6]) assert.equal(answers.get(id)?.code, "FORBIDDEN");
  assert.equal(answers.get(7)?.code, "INVALID_PAYLOAD");
  assert.equal(stops, 0);
  assert.deepEqual([[...fixture.connection.scopes], fixture.connection.by], [["view"], "Pixel 9"]);
});

test("hello: after one that was refused only what is the same in every version is carried out", async () => {
  let stops = 0;
  const { fixture, ask } = await served({
    stop: async () => {
      stops += 1;
      return {} as never;
    },
  });
  await using _ = fixture;
  ask({ id: 0, type: "hello", payload: { protocol: { min: 9, max: 9 }, client: "test" } });
  ask({ id: 1, ...STOP });
  ask({ id: 2, type: "ping" });
  ask({ id: 3, type: "session.attach", payload: { session: "fox", client: "0".repeat(16), cols: 80, rows: 24 } });
  const refused = await fixture.received(4);
  const codes = new Map(refused.map(({ id, code }) => [id, code]));
  assert.deepEqual(
    [0, 1, 2, 3].map((id) => codes.get(id)),
    ["PROTOCOL_MISMATCH", "PROTOCOL_MISMATCH", undefined, "PROTOCOL_MISMATCH"],
  );
  ask({ id: 4, type: "hello", payload: { protocol: { min: 1, max: 9 }, client: "test" } });
  ask({ id: 5, ...STOP });
  await fixture.received(6);
  assert.equal(stops, 1);
});

test("scopes: a connection with `view` sees and changes nothing, also not by a repeat or a wrong id", async () => {
  let stops = 0;
  const { fixture, ask } = await served(
    {
      list: () => ({ jobs: [] }),
      stop: async () => {
        stops += 1;
        return {} as never;
      },
    },
    ["view"],
  );
  await using _ = fixture;
  ask({ id: 1, type: "list" });
  ask({ id: 2, ...STOP });
  ask({ id: 3, ...STOP, request_id: "r" });
  ask({ id: 4, type: "shutdown" });
  const received = await fixture.received(4);
  assert.deepEqual(
    received.map(({ id, code }) => [id, code]).toSorted(),
    [
      [1, undefined],
      [2, "FORBIDDEN"],
      [3, "FORBIDDEN"],
      [4, "FORBIDDEN"],
    ].toSorted(),
  );
  assert.equal(stops, 0);
});

test("repeat: joins the request that is still in hand, and is answered from what is stored afterwards", async () => {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const stored = new Map<string, Record<string, unknown>>();
  let stops = 0;
  const { fixture, ask } = await served({
    answerTo: async (id) => stored.get(id),
    stop: async (_payload, receipt) => {
      stops += 1;
      begun.resolve();
      await gate.promise;
      if (receipt) stored.set(receipt.id, { job_id: "first" });
      return { job_id: "first" } as never;
    },
  });
  await using _ = fixture;
  ask({ id: 1, ...STOP, request_id: "r" });
  ask({ id: 2, ...STOP, request_id: "r" });
  await begun.promise;
  gate.resolve();
  await fixture.received(2);
  ask({ id: 3, ...STOP, request_id: "r" });
  const received = await fixture.received(3);
  assert.deepEqual(
    received.map(({ id, data }) => [id, data]),
    [1, 2, 3].map((id) => [id, { job_id: "first" }]),
  );
  assert.equal(stops, 1);
  ask({ id: 4, ...STOP, request_id: "another" });
  await fixture.received(4);
  assert.equal(stops, 2);
});

test("repeat: a signal to a session, or a cancel, is not carried out again when its answer was lost", async () => {
  const done: string[] = [];
  const sessions = {
    signal: async ({ signal }: { signal: string }) => ({ number: done.push(signal) }),
    agents: { cancel: async () => ({ number: done.push("cancel") }) },
  };
  const { fixture, ask } = await served(undefined, undefined, facts, sessions);
  await using _ = fixture;
  const signal = { type: "session.signal", payload: { session: "fox", signal: "INT" } };
  const cancel = { type: "session.cancel", payload: { session: "owl" } };
  for (const [id, request] of [
    [1, { ...signal, request_id: "a" }],
    [2, { ...signal, request_id: "a" }],
    [3, { ...cancel, request_id: "b" }],
    [4, { ...cancel, request_id: "b" }],
    [5, { ...signal, request_id: "c" }],
  ] as const) {
    ask({ id, ...request });
    await fixture.received(id);
  }
  const answers = (await fixture.received(5)).map(({ id, data }) => [id, (data as { number: number }).number]);
  assert.deepEqual(answers, [
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 3],
  ]);
  assert.deepEqual(done, ["INT", "cancel", "INT"]);
});

test("repeat: one that failed is tried again", async () => {
  let count = 0;
  const { fixture, ask } = await served({
    stop: async () => {
      count += 1;
      throw new Error(`failure ${count}`);
    },
  });
  await using _ = fixture;
  ask({ id: 1, ...STOP, request_id: "r" });
  await fixture.received(1);
  ask({ id: 2, ...STOP, request_id: "r" });
  await fixture.received(2);
  assert.equal(count, 2);
});

test("drain: waits for what changes something, refuses what comes, and waits no longer than it was told", async () => {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const { fixture, dispatcher, ask } = await served({
    stop: async () => {
      begun.resolve();
      await gate.promise;
      return { job_id: "x" } as never;
    },
  });
  await using _ = fixture;
  ask({ id: 1, ...STOP, request_id: "r" });
  await begun.promise;
  await dispatcher.drain(1);
  let isDrained = false;
  const drained = dispatcher.drain(5_000).then(() => {
    isDrained = true;
  });
  ask({ id: 2, type: "ping" });
  assert.deepEqual((await fixture.received(1))[0]?.code, "SERVER_ENDING");
  assert.equal(isDrained, false);
  gate.resolve();
  await drained;
  fixture.connection.end();
  assert.deepEqual((await fixture.received(2))[1], { id: 1, success: true, data: { job_id: "x" } });
});

test("too long: the answer says so before the connection goes", async () => {
  const { fixture } = await served({});
  await using _ = fixture;
  fixture.peer.write("x".repeat(2 * 1024 * 1024));
  assert.equal((await fixture.received(1))[0]?.code, "LINE_TOO_LONG");
});
