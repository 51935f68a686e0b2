import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../platform/testing/hand-clock.ts";
import type { KeeperCall } from "../protocol/keeper-calls.ts";
import {
  encodePosition,
  encodeTerminalFrame,
  TERMINAL_FRAME,
  type TerminalControl,
  TerminalFrameSplitter,
} from "../protocol/terminal-frames.ts";
import type { ByteStream } from "./byte-stream.ts";
import { JournalWriter } from "./journal/testing/journal-writer.ts";
import type { ChannelEvents, ChannelWrite, JournalEnd } from "./keeper-port.ts";
import { TerminalSession, type TerminalSessionOptions } from "./terminal-session.ts";

/** A session's terminal at a keeper that answers when the test says so. */
class Asked implements Disposable {
  readonly written: ChannelWrite[] = [];
  readonly calls: ((answer: object) => void)[] = [];
  /** Where the emulator was told that the journal ends. */
  readonly advances: JournalEnd[] = [];
  events!: ChannelEvents;
  readonly session: TerminalSession;

  constructor() {
    const keeper = {
      call: (_: KeeperCall) =>
        new Promise((resolve) => {
          this.calls.push(resolve);
        }),
      write: (_: number, write: ChannelWrite) => this.written.push(write),
      listen: (_: number, events: ChannelEvents) => {
        this.events = events;
      },
      forget: () => {},
    };
    const end = { output: 0, segment: 1, segmentBytes: 0 };
    this.session = new TerminalSession({
      record: { id: "s", command: ["sh"] },
      channel: { channel: 1, id: "s", pid: process.pid, epoch: 1, ...end, cols: 80, rows: 24, exit: null },
      journalDir: "",
      keeper,
      screens: { open: () => {}, advance: (_: string, to: JournalEnd) => this.advances.push(to) },
      clock: new HandClock(),
      stoppedBy: () => "user",
      onChange: () => {},
      onEnded: () => {},
    } as unknown as TerminalSessionOptions);
  }

  reply(text: string): void {
    this.session.onScreen({ kind: "reply", text, offset: 1 });
  }

  /** To the oldest call that is open: that so many bytes were taken. */
  async answer(bytes: number): Promise<void> {
    this.calls.shift()!({ bytes });
    await new Promise((turn) => setImmediate(turn));
  }

  get writes(): [offset: number, text: string][] {
    return this.written.map(({ offset, bytes }) => [offset, Buffer.from(bytes).toString()]);
  }

  [Symbol.dispose](): void {
    this.session.close();
  }
}

test("replies: what comes while one is on its way goes together, behind it", async () => {
  using asked = new Asked();
  for (const text of ["one ", "two ", "three "]) asked.reply(text);
  assert.equal(asked.calls.length, 1);
  await asked.answer(0);
  assert.deepEqual(asked.writes, [[0, "one two three "]]);
  asked.reply("four ");
  asked.reply("five ");
  await asked.answer(14);
  assert.deepEqual(asked.writes.slice(1), [[14, "four five "]]);
});

test("replies: a keeper that does not answer is asked once, and little is kept for it", async () => {
  using asked = new Asked();
  for (let count = 0; count < 100_000; count++) asked.reply("\x1b[?6c");
  assert.equal(asked.calls.length, 1);
  await asked.answer(0);
  assert.deepEqual(asked.calls, []);
  const [[, text = ""] = []] = asked.writes;
  assert.ok(text.length > 0 && text.length <= 16 * 1024, `${text.length} bytes`);
});

test("replies: what waited for a paste and was written while the keeper was asked is counted", async () => {
  using asked = new Asked();
  asked.session.send("paster", Buffer.from("\x1b[200~text"));
  asked.reply("one ");
  await asked.answer(0);
  asked.reply("two ");
  asked.session.send("paster", Buffer.from("\x1b[201~"));
  await asked.answer(0);
  assert.deepEqual(asked.writes.slice(2), [
    [0, "one "],
    [4, "two "],
  ]);
});

test("output: the answer to a resize does not take back what came behind it in the same chunk", async () => {
  using asked = new Asked();
  const { session, calls, events } = asked;
  const [older, newer] = [
    { output: 100, segment: 1, segmentBytes: 200 },
    { output: 150, segment: 1, segmentBytes: 300 },
  ];
  const resized = session.resize(100, 30);
  calls.shift()!(older);
  events.onOutput(newer); // an answer comes by its promise, a frame at once
  await resized;
  assert.equal(session.outputBytes, 150);
  assert.deepEqual(asked.advances, [newer]);
  const next = { output: 150, segment: 2, segmentBytes: 20 };
  events.onOutput(next);
  assert.deepEqual(asked.advances, [newer, next], "a new segment is newer, however short");
});

/** A client's connection, and what it was told last of who has control. */
class Client {
  readonly #closing = new AbortController();
  readonly #frames = new TerminalFrameSplitter(1024 * 1024);
  control: TerminalControl | undefined;
  #listener = (_: Uint8Array): void => {};
  readonly stream: ByteStream = {
    write: (bytes) => {
      for (const { type, payload } of this.#frames.push(bytes))
        if (type === TERMINAL_FRAME.control) this.control = JSON.parse(Buffer.from(payload).toString());
    },
    backlogBytes: 0,
    drained: async () => {},
    closed: this.#closing.signal,
    onBytes: (listener) => {
      this.#listener = listener;
    },
    pause: () => {},
    resume: () => {},
    end: () => this.#closing.abort(),
    destroy: () => void setImmediate(() => this.#closing.abort()),
  };

  types(text: string): void {
    this.#listener(encodeTerminalFrame(TERMINAL_FRAME.input, encodePosition(0), Buffer.from(text)));
  }
}

test("attach: a client that comes back before its former connection has ended keeps control, and its size", async () => {
  using journal = new JournalWriter();
  journal.write("$ ");
  const session = new TerminalSession({
    record: { id: "s", command: ["sh"] },
    channel: { channel: 1, id: "s", pid: process.pid, epoch: 1, cols: 80, rows: 24, exit: null, ...journal.end },
    journalDir: journal.dir,
    keeper: {
      call: async () => ({ bytes: 0, ...journal.end }),
      write: () => {},
      listen: () => {},
      forget: () => {},
    },
    screens: { open: () => {}, advance: () => {} },
    clock: new HandClock(),
    stoppedBy: () => "user",
    onChange: () => {},
    onEnded: () => {},
  } as unknown as TerminalSessionOptions);
  const attach = (client: string, { stream }: Client, cols: number) =>
    session.attach({ client, label: client, isViewer: false, cols, rows: 24, since: 2, stream });
  const [desk, before, after] = [new Client(), new Client(), new Client()];
  (await attach("desk", desk, 80)).attachment.start();
  (await attach("phone", before, 80)).attachment.start();
  before.types("x");
  assert.deepEqual([before.control?.yours, desk.control?.yours], [true, false]);
  (await attach("phone", after, 80)).attachment.start(); // closes the one before, whose end is told in the middle of it
  assert.deepEqual([after.control?.yours, after.control?.controller], [true, "phone"]);
  session.close();
});
