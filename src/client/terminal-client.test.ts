import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeAnswer, FakeSessionServer } from "../cli/attach/testing/fake-session-server.ts";
import { dialUnixBytes } from "../local/unix-wire.ts";
import { Conditions } from "../platform/testing/conditions.ts";
import { WarrenError } from "../protocol/errors.ts";
import type { Outcome } from "../protocol/outcome.ts";
import { encodeJson, encodePosition, encodeTerminalFrame, TERMINAL_FRAME } from "../protocol/terminal-frames.ts";
import { TerminalClient } from "./terminal-client.ts";
import { type TerminalClientOptions, type TerminalClock, terminalClock } from "./terminal-world.ts";

const DEADLINE_MS = 20_000;

/** A client and what it was told. */
class Seen implements Disposable {
  readonly client: TerminalClient;
  readonly screens: string[] = [];
  readonly skipped: number[] = [];
  readonly connection: string[] = [];
  readonly end = Promise.withResolvers<Outcome>();
  readonly #conditions = new Conditions();
  #output: Buffer[] = [];
  roomCount = 0;

  constructor(server: FakeSessionServer, options: Partial<TerminalClientOptions> = {}) {
    this.end.promise.catch(() => {});
    this.client = new TerminalClient({
      dial: (events) => dialUnixBytes(server.path, events),
      session: "fox",
      name: "test",
      version: "0",
      clientId: "00000000deadbeef",
      size: { cols: 80, rows: 24 },
      ...options,
      events: {
        onOutput: (bytes) => {
          this.#output.push(Buffer.from(bytes));
          this.#look();
        },
        onScreen: (bytes, skipped) => {
          this.screens.push(Buffer.from(bytes).toString());
          this.skipped.push(skipped);
          this.#look();
        },
        onEnd: this.end.resolve,
        onFailed: this.end.reject,
        onConnection: (state) => {
          this.connection.push(state);
          this.#look();
        },
        onRoom: () => {
          this.roomCount += 1;
          this.#look();
        },
      },
    });
    this.client.start();
  }

  get output(): Buffer {
    this.#output = [Buffer.concat(this.#output)];
    return this.#output[0]!;
  }

  until(condition: () => boolean, what: string): Promise<void> {
    return this.#conditions.until(condition, what);
  }

  untilOutput(text: string): Promise<void> {
    return this.until(() => this.output.includes(text), `${text} was shown`);
  }

  /** A client that a failed test leaves would look for its server for ever. */
  [Symbol.dispose](): void {
    void this.client.detach(0);
  }

  #look(): void {
    this.#conditions.look();
  }
}

/** Pauses between two dials; an answer is waited for longer than that. */
const REDIAL_DELAY_MAX_MS = 1_000;

/**
 * A clock that jumps over what it is told to wait for, up to `hurriedMaxMs`; nothing else of it is faked. A busy machine does not answer within a
 * deadline that is jumped over.
 */
function hurryingClock(hurriedMaxMs = REDIAL_DELAY_MAX_MS): TerminalClock & { passedMs: number } {
  const clock = {
    passedMs: 0,
    nowMs: () => performance.now() + clock.passedMs,
    timer(delayMs: number, task: () => void): () => void {
      if (delayMs > hurriedMaxMs) return terminalClock.timer(delayMs, task);
      return terminalClock.timer(delayMs / 100, () => {
        clock.passedMs += delayMs;
        task();
      });
    },
  };
  return clock;
}

function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0; // mulberry32
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const rejectsWith = (seen: Seen, code: string): Promise<void> =>
  assert.rejects(seen.end.promise, (error) => error instanceof WarrenError && error.code === code);

test("attach: the screen, then the output from there; what is typed arrives; the end is told", async () => {
  await using server = await FakeSessionServer.start();
  server.output("before");
  using seen = new Seen(server, { label: "ann" });
  await seen.until(() => seen.screens.length === 1, "a screen");
  server.output("after");
  await seen.untilOutput("after");
  assert.equal(seen.output.toString(), "after", "what the screen shows is not shown again");
  seen.client.type(Buffer.from("ls\r"));
  await server.untilTyped("ls\r");
  assert.deepEqual(server.attaches[0], {
    session: "fox",
    client: "00000000deadbeef",
    cols: 80,
    rows: 24,
    label: "ann",
  });
  server.end({ kind: "exited", status: 3 });
  assert.deepEqual(await seen.end.promise, { kind: "exited", status: 3 });
  assert.deepEqual(seen.connection, []);
});

test("attach: frames right behind the answer's newline, and an answer in pieces", async () => {
  await using server = await FakeSessionServer.start();
  const answers = Buffer.concat([
    Buffer.from(
      '{"id":0,"success":true,"data":{"server":"blazing"}}\n{"id":1,"success":true,"data":{"continued":false,',
    ),
    Buffer.from('"input_bytes":0}}\n'),
    encodeTerminalFrame(TERMINAL_FRAME.screen, encodePosition(7), Buffer.from("{\n")),
    encodeTerminalFrame(99, Buffer.from("of a newer server")),
    encodeTerminalFrame(TERMINAL_FRAME.output, encodePosition(7), Buffer.from("x")),
    encodeTerminalFrame(TERMINAL_FRAME.end, encodeJson({ kind: "exited", status: 0 })),
  ]);
  server.answers.push({ say: answers });
  using whole = new Seen(server);
  await whole.end.promise;
  assert.deepEqual([whole.screens, whole.output.toString()], [["{\n"], "x"]);
  using pieces = new Seen(server, {
    dial: async (events) => {
      setImmediate(() => {
        for (const byte of answers) events.onBytes(Uint8Array.of(byte));
      });
      return { send() {}, pause() {}, resume() {}, close() {} };
    },
  });
  await pieces.end.promise;
  assert.deepEqual([pieces.screens, pieces.output.toString()], [["{\n"], "x"]);
});

test("the wire is cut: it goes on at the very byte, and sends again what was not taken", async () => {
  await using server = await FakeSessionServer.start();
  using seen = new Seen(server);
  await seen.until(() => seen.screens.length === 1, "a screen");
  server.output("one ");
  await seen.untilOutput("one");
  server.isAcking = false;
  seen.client.type(Buffer.from("typed"));
  await server.untilTyped("typed");
  server.cut();
  server.output("two ");
  await seen.untilOutput("two");
  assert.equal(seen.output.toString(), "one two ");
  assert.equal(server.attaches[1]!.since, 4);
  assert.deepEqual(seen.connection, ["lost", "back"]);
  assert.equal(seen.screens.length, 1, "no second screen");
  server.isAcking = true;
  seen.client.type(Buffer.from(" more"));
  await server.untilTyped("typed more");
  assert.equal(server.typed.toString(), "typed more");
  await seen.client.detach();
});

for (const seed of [1, 2, 3])
  test(`50 cuts at any byte: nothing is lost or doubled, neither way (seed ${seed})`, async () => {
    await using server = await FakeSessionServer.start();
    const random = seededRandom(seed);
    const bytes = Buffer.from(Array.from({ length: 1 << 20 }, () => Math.floor(random() * 256)));
    server.cutAfterBytes = () => (server.cutCount < 50 ? Math.floor(random() * 60_000) : Number.POSITIVE_INFINITY);
    server.screen = Buffer.from("");
    using seen = new Seen(server, { random, clock: hurryingClock() });
    await seen.until(() => seen.screens.length >= 1, "a screen");
    const sent: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + Math.floor(random() * 20_000);
      server.output(bytes.subarray(at, end));
      seen.client.type(bytes.subarray(at, end));
      sent.push(bytes.subarray(at, end));
      at = end;
      if (random() < 0.5) await new Promise((next) => setImmediate(next));
    }
    await seen.client.flushed();
    await seen.until(() => seen.output.length >= bytes.length, "all output");
    assert.equal(server.cutCount, 50);
    assert.ok(server.typed.equals(bytes), "typed");
    assert.ok(seen.output.equals(bytes), "shown");
  });

test("output that does not fit: an overlap is cut, a gap brings a new screen", async () => {
  await using server = await FakeSessionServer.start();
  using seen = new Seen(server);
  await seen.until(() => seen.screens.length === 1, "a screen");
  server.frame(TERMINAL_FRAME.output, encodePosition(0), Buffer.from("abc"));
  server.frame(TERMINAL_FRAME.output, encodePosition(1), Buffer.from("bcd"));
  server.frame(TERMINAL_FRAME.output, encodePosition(0), Buffer.from("abc"));
  await seen.untilOutput("d");
  assert.equal(seen.output.toString(), "abcd");
  server.skip(20);
  server.frame(TERMINAL_FRAME.output, encodePosition(9), Buffer.from("far"));
  await seen.until(() => seen.screens.length === 2, "a second screen");
  assert.equal(server.attaches[1]!.since, undefined);
  assert.deepEqual(seen.skipped, [0, 16]);
  await seen.client.detach();
});

test("a server that breaks the rules of frames again and again is left with one error", async () => {
  await using server = await FakeSessionServer.start();
  using seen = new Seen(server, { clock: hurryingClock() });
  for (const [at, payload] of ["x", "{", "null", "x", "{", "null"].entries()) {
    await server.until(() => server.attaches.length === at + 1 && server.attachedCount === 1, "attached again");
    server.frame(payload === "x" ? TERMINAL_FRAME.output : TERMINAL_FRAME.control, Buffer.from(payload));
  }
  await rejectsWith(seen, "FRAMES_BROKEN");
});

test("a server that never answers, hangs up, or is not there: one error at the deadline", async () => {
  await using server = await FakeSessionServer.start();
  const answers: FakeAnswer[] = ["silent", "hang up"];
  for (const answer of answers) {
    server.answers.push(...Array.from({ length: 100 }, () => answer));
    using seen = new Seen(server, { clock: hurryingClock(Number.POSITIVE_INFINITY) });
    await rejectsWith(seen, "SERVER_SILENT");
    server.answers.length = 0;
  }
  using nobody = new Seen(server, {
    clock: hurryingClock(Number.POSITIVE_INFINITY),
    dial: (events) => dialUnixBytes(`${server.path}-none`, events),
  });
  await rejectsWith(nobody, "SERVER_SILENT");
});

test("an answer that is none of ours, or none that begins frames: one error at once", async () => {
  await using server = await FakeSessionServer.start();
  const cases: [FakeAnswer, string][] = [
    [{ say: "HTTP/1.1 400 Bad Request\r\n\r\n" }, "NOT_A_SERVER"],
    [{ say: "null\n" }, "NOT_A_SERVER"],
    [{ say: "x".repeat(2 * 1024 * 1024) }, "NOT_A_SERVER"],
    [{ say: '{"id":1,"success":true,"data":{}}\n' }, "NO_TERMINAL_FRAMES"],
    [{ say: '{"id":0,"success":false,"error":"too old","code":"PROTOCOL_MISMATCH"}\n' }, "PROTOCOL_MISMATCH"],
    [{ refuse: "UNKNOWN_TYPE" }, "NO_TERMINAL_FRAMES"],
    [{ refuse: "SESSION_NOT_FOUND" }, "SESSION_NOT_FOUND"],
    [{ refuse: "SESSION_NOT_LIVE" }, "SESSION_NOT_LIVE"],
  ];
  for (const [answer, code] of cases) {
    server.answers.push(answer);
    using seen = new Seen(server);
    await rejectsWith(seen, code);
  }
});

test("a session that moves is nowhere for a moment: it is looked for, and believed to be gone after a while", async () => {
  await using server = await FakeSessionServer.start();
  using seen = new Seen(server, { clock: hurryingClock() });
  await server.until(() => server.attachedCount === 1, "attached");
  server.answers.push({ refuse: "SESSION_NOT_FOUND" }, { refuse: "SERVER_ENDING" }, { refuse: "SESSION_NOT_FOUND" });
  server.cut();
  await seen.until(() => seen.connection.length === 2, "back");
  assert.equal(server.connectionCount, 5);
  server.answers.push(...Array.from({ length: 100 }, () => ({ refuse: "SESSION_NOT_FOUND" })));
  server.cut();
  await rejectsWith(seen, "SESSION_NOT_FOUND");
});

test("a session that ended while the wire was cut: how it ended is asked for", async () => {
  await using server = await FakeSessionServer.start();
  using seen = new Seen(server, { clock: hurryingClock() });
  await server.until(() => server.attachedCount === 1, "attached");
  server.answers.push({ refuse: "SESSION_NOT_LIVE" }, { refuse: "SESSION_NOT_LIVE" });
  server.cut(); // at the first answer its end is not written down yet
  await server.until(() => server.attaches.length === 2, "asked once");
  server.lastOutcome = { kind: "exited", status: 7 };
  assert.deepEqual(await seen.end.promise, { kind: "exited", status: 7 });
});

test("input: at most a window is on the wire, at most 16 MiB wait, and room is told", async () => {
  await using server = await FakeSessionServer.start();
  server.isAcking = false;
  using seen = new Seen(server);
  await seen.until(() => seen.screens.length === 1, "a screen");
  const piece = Buffer.alloc(1024 * 1024, "p");
  let taken = 0;
  while (seen.client.type(piece)) taken += 1;
  assert.equal(taken, 16);
  seen.client.resize({ cols: 81, rows: 24 }); // arrives behind everything that was sent before it
  await server.until(() => server.sizes.length === 1, "all that is on the wire");
  assert.equal(server.typed.length, 256 * 1024);
  server.isAcking = true;
  server.cut();
  await seen.client.flushed();
  assert.equal(server.typed.length, 17 * 1024 * 1024);
  assert.equal(seen.roomCount, 1);
  await seen.client.detach();
});

test("resize and control: sent at once, or with the next attach", async () => {
  await using server = await FakeSessionServer.start();
  using seen = new Seen(server);
  await server.until(() => server.attachedCount === 1, "attached");
  seen.client.resize({ cols: 100, rows: 30 });
  seen.client.resize({ cols: 100, rows: 30 });
  seen.client.takeControl();
  await server.until(() => server.controls.length === 1, "control");
  assert.deepEqual(server.sizes, [{ cols: 100, rows: 30 }]);
  server.cut();
  await seen.until(() => seen.connection.includes("lost"), "lost");
  seen.client.resize({ cols: 120, rows: 40 });
  seen.client.takeControl();
  await server.until(() => server.controls.length === 2, "control again");
  assert.deepEqual([server.attaches[1]!.cols, server.attaches[1]!.rows], [120, 40]);
  await seen.client.detach();
});

test("a picture of another size is no place to go on from", async () => {
  await using server = await FakeSessionServer.start();
  using seen = new Seen(server);
  await seen.until(() => seen.screens.length === 1, "a screen");
  server.control({ cols: 200, rows: 50, yours: false });
  server.output("x");
  await seen.untilOutput("x");
  server.cut();
  await seen.until(() => seen.screens.length === 2, "a second screen");
  assert.equal(server.attaches[1]!.since, undefined);
});

test("paused: output stays where it is, and comes whole afterwards, over a cut too", async () => {
  await using server = await FakeSessionServer.start();
  using seen = new Seen(server);
  await seen.until(() => seen.screens.length === 1, "a screen");
  seen.client.pause();
  server.output(Buffer.alloc(4 * 1024 * 1024, "o"));
  seen.client.type(Buffer.from("x"));
  await server.untilTyped("x");
  assert.equal(seen.output.length, 0);
  server.cut();
  seen.client.resume();
  await seen.until(() => seen.output.length >= 4 * 1024 * 1024, "all of it");
  assert.equal(seen.output.length, 4 * 1024 * 1024);
});

test("redraw: a new screen without a new place in the output", async () => {
  await using server = await FakeSessionServer.start();
  using seen = new Seen(server);
  await seen.until(() => seen.screens.length === 1, "a screen");
  server.output("abc");
  await seen.untilOutput("abc");
  seen.client.redraw();
  await seen.until(() => seen.screens.length === 2, "a second screen");
  server.output("def");
  await seen.untilOutput("def");
  assert.equal(seen.output.toString(), "abcdef");
  await seen.client.detach();
});

test("a viewer types nothing, and says so when it attaches", async () => {
  await using server = await FakeSessionServer.start();
  using seen = new Seen(server, { isViewer: true });
  await seen.until(() => seen.screens.length === 1, "a screen");
  assert.equal(seen.client.type(Buffer.from("rm -rf")), true);
  assert.equal(server.attaches[0]!.view, true);
  await seen.client.detach();
  await server.until(() => server.attachedCount === 0, "left");
  assert.equal(server.typed.length, 0);
});

test("detach: what was typed is taken first; a server that is stuck holds nobody", async () => {
  await using server = await FakeSessionServer.start();
  using seen = new Seen(server);
  seen.client.type(Buffer.from("typed before the answer"));
  await seen.client.detach(DEADLINE_MS);
  assert.equal(server.typed.toString(), "typed before the answer");
  server.isAcking = false;
  using stuck = new Seen(server, { clock: hurryingClock() });
  stuck.client.type(Buffer.from("x"));
  await stuck.client.detach();
  await server.until(() => server.attachedCount === 0, "left");
});
