import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { renameSync, rmSync } from "node:fs";
import { test } from "node:test";
import { systemClock } from "../platform/clock.ts";
import { Conditions } from "../platform/testing/conditions.ts";
import { isWarrenError } from "../protocol/errors.ts";
import type { Session, SessionCondition } from "../protocol/units.ts";
import { JournalWriter } from "./journal/testing/journal-writer.ts";
import { type OutputPiece, OutputReader } from "./output-reader.ts";
import { type Watched, waitForSession } from "./wait.ts";

/** A session that runs, of which only its journal matters. */
class WatchedJournal implements Watched {
  readonly journal: JournalWriter;
  readonly clock = systemClock;
  readonly first = { status: "running", state: "working" } as Session;
  readonly listeners = new Set<() => void>();
  lookCount = 0;
  #askedCount = 0;
  readonly #asked = new Conditions();

  constructor(journal: JournalWriter) {
    this.journal = journal;
  }

  look() {
    this.lookCount += 1;
    return { session: this.first, outputBytes: this.journal.output };
  }

  /** Its output was asked for so often. */
  untilAsked(count: number): Promise<void> {
    return this.#asked.until(() => this.#askedCount >= count, `being asked ${count} times`);
  }

  openOutput(offset: number): Promise<OutputReader | undefined> {
    this.#askedCount += 1;
    this.#asked.look();
    return OutputReader.openFrom(this.journal.dir, offset);
  }

  watch(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  change(): void {
    for (const listener of this.listeners) listener();
  }

  wait(condition: SessionCondition, signal: AbortSignal = new AbortController().signal) {
    return waitForSession(this, { session: "s", conditions: [condition], since: 0 }, signal);
  }
}

/** Much output; `onRead` is called when its first piece is read. */
class Flood {
  static readonly READS = 1_000;
  readCount = 0;
  #isClosed = false;
  readonly #onRead: () => void;

  constructor(onRead: () => void) {
    this.#onRead = onRead;
  }

  async read(): Promise<OutputPiece> {
    if (this.#isClosed || this.readCount === Flood.READS) return { kind: "none" };
    this.readCount += 1;
    if (this.readCount === 1) this.#onRead();
    await new Promise((turn) => setImmediate(turn));
    return { kind: "output", bytes: Buffer.from("more\n") };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }
}

test("wait: at its end nothing looks any more, and the connection's signal is let go", async () => {
  using journal = new JournalWriter();
  journal.write("it is listening");
  const watched = new WatchedJournal(journal);
  const { signal } = new AbortController();
  const waiting = watched.wait({ kind: "output", pattern: "listening" }, signal);
  assert.equal((await waiting).result, "met");
  assert.deepEqual(getEventListeners(signal, "abort"), []);
  assert.equal(watched.listeners.size, 0);
});

test("wait: of a wait that is asked again when its place is not kept any more, what is kept is looked through", async () => {
  using journal = new JournalWriter();
  journal.write("long ago\n");
  const oldest = journal.path;
  journal.rotate();
  journal.write("it is listening\n");
  rmSync(oldest);
  const found = await new WatchedJournal(journal).wait({ kind: "output", pattern: "listening" });
  assert.equal(found.result, "met");
});

test("wait: begun before anything is written, it sees what is", async () => {
  using journal = new JournalWriter();
  const first = journal.path;
  renameSync(first, `${first}.later`);
  const watched = new WatchedJournal(journal);
  const waiting = watched.wait({ kind: "output", pattern: "listening" });
  await watched.untilAsked(2);
  renameSync(`${first}.later`, first);
  journal.write("it is listening\n");
  assert.equal((await waiting).result, "met");
});

test("wait: looks that are due when its client goes look at nothing", async () => {
  using journal = new JournalWriter();
  const watched = new WatchedJournal(journal);
  const gone = new AbortController();
  const waiting = watched.wait({ kind: "exit" }, gone.signal);
  for (let change = 0; change < 20; change++) watched.change();
  gone.abort();
  assert.equal((await waiting).result, "timeout");
  await new Promise((turn) => setImmediate(turn));
  assert.ok(watched.lookCount < 10, `${watched.lookCount} looks`);
});

test("wait: a client that went before it began waits for nothing", async () => {
  using journal = new JournalWriter();
  const watched = new WatchedJournal(journal);
  assert.equal((await watched.wait({ kind: "exit" }, AbortSignal.abort())).result, "timeout");
  assert.equal(watched.listeners.size, 0);
});

test("wait: it ends at once, however much there is to read still", async () => {
  using journal = new JournalWriter();
  const watched = new WatchedJournal(journal);
  const gone = new AbortController();
  const flood = new Flood(() => gone.abort());
  watched.openOutput = async () => flood as unknown as OutputReader;
  assert.equal((await watched.wait({ kind: "output", pattern: "listening" }, gone.signal)).result, "timeout");
  assert.ok(flood.readCount < Flood.READS, `${flood.readCount} reads`);
});

test("wait: a pattern that would take for ever is refused, and holds nobody up", async () => {
  using journal = new JournalWriter();
  journal.write(`${"a".repeat(60)}!`);
  await assert.rejects(new WatchedJournal(journal).wait({ kind: "output", pattern: "^(a+)+$" }), (error) =>
    isWarrenError(error, "PATTERN_SLOW"),
  );
});

test("wait: a pattern that is none is refused", async () => {
  using journal = new JournalWriter();
  await assert.rejects(new WatchedJournal(journal).wait({ kind: "output", pattern: "(" }), (error) =>
    isWarrenError(error, "PATTERN_INVALID"),
  );
});

test("wait: what comes later is looked at together with what was there", async () => {
  using journal = new JournalWriter();
  journal.write("it is \x1b[1mlist");
  const watched = new WatchedJournal(journal);
  const waiting = watched.wait({ kind: "output", pattern: "^it is listening$" });
  journal.write("ening");
  watched.change();
  assert.equal((await waiting).result, "met");
});
