import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { RECORD, SEGMENT_BYTES, segmentName } from "../../protocol/journal-records.ts";
import { JournalWriter } from "../journal/testing/journal-writer.ts";
import type { ScreenAnswer, ScreenEvent, ScreenPicture, ScreenText } from "./screen-messages.ts";
import { type ScreenLimits, ScreenSet } from "./screen-set.ts";
import { snapshotPath } from "./snapshot.ts";
import { emulatorAfter, stateOf } from "./testing/terminal-state.ts";

const DEADLINE_MS = 20_000;

/** A set of screens in this thread, with its journals. */
class Fixture implements AsyncDisposable {
  readonly clock = new HandClock();
  readonly journals = new Map<string, JournalWriter>();
  readonly events: [id: string, event: ScreenEvent][] = [];
  /** Calls in the order in which they were answered. */
  readonly answered: number[] = [];
  set: ScreenSet;
  /** Those of the servers before too: a killed one's are closed at the end. */
  readonly #sets: ScreenSet[] = [];
  readonly #limits: Partial<ScreenLimits>;
  readonly #answers = new EventEmitter();
  #lastCall = 0;

  constructor(limits: Partial<ScreenLimits> = {}) {
    this.#limits = limits;
    this.set = this.#newSet();
  }

  /** Another server's, which knows nothing but what is on disk. */
  restart(): void {
    this.set = this.#newSet();
  }

  open(id: string, journal = new JournalWriter({ cols: 40, rows: 6 })): JournalWriter {
    this.journals.set(id, journal);
    this.set.take({ kind: "open", id, journalDir: journal.dir, end: journal.end });
    return journal;
  }

  advance(id: string): void {
    this.set.take({ kind: "advance", id, end: this.journals.get(id)!.end });
  }

  write(id: string, output: string | Uint8Array): void {
    this.journals.get(id)!.write(output);
    this.advance(id);
  }

  async look<T>(
    id: string,
    look: { kind: "screen" } | { kind: "text" } | { kind: "render"; cols: number; rows: number },
  ) {
    const call = ++this.#lastCall;
    const answer = once(this.#answers, String(call), { signal: AbortSignal.timeout(DEADLINE_MS) });
    this.set.take({ ...look, id, call, end: this.journals.get(id)!.end });
    const [{ data, error }] = (await answer) as [{ data: T; error?: string }];
    if (error !== undefined) throw new Error(error);
    return data;
  }

  text = async (id: string) => (await this.look<ScreenText>(id, { kind: "text" })).lines.filter((line) => line !== "");
  screen = (id: string) => this.look<ScreenPicture>(id, { kind: "screen" });

  async close(id: string): Promise<void> {
    const call = ++this.#lastCall;
    const closed = once(this.#answers, String(call), { signal: AbortSignal.timeout(DEADLINE_MS) });
    this.set.take({ kind: "close", id, call });
    await closed;
  }

  /** Until there is nothing left to do. */
  async settled(): Promise<void> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    while (this.set.isWorking) {
      deadline.throwIfAborted();
      await new Promise(setImmediate);
    }
  }

  async pass(ms: number): Promise<void> {
    this.clock.leap(ms);
    await this.settled();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const set of this.#sets) {
      this.set = set;
      for (const id of this.journals.keys()) await this.close(id);
    }
    for (const journal of this.journals.values()) journal[Symbol.dispose]();
  }

  #newSet(): ScreenSet {
    const set = new ScreenSet({ say: (answer) => this.#hear(answer), clock: this.clock, limits: this.#limits });
    this.#sets.push(set);
    return set;
  }

  #hear(answer: ScreenAnswer): void {
    if (answer.kind === "event") this.events.push([answer.id, answer.event]);
    if (answer.kind === "answer") this.answered.push(answer.call);
    if (answer.kind === "answer" || answer.kind === "closed") this.#answers.emit(String(answer.call), answer);
  }
}

test("look: as new as the end that was known, at the very place in the journal", async () => {
  await using fixture = new Fixture();
  const journal = fixture.open("fox");
  fixture.write("fox", "one\r\n");
  journal.resize(20, 4);
  fixture.write("fox", "\x1b[31mtwo");
  const picture = await fixture.screen("fox");
  assert.deepEqual(picture.position, { segment: 1, at: journal.segmentBytes, offset: 13 });
  assert.deepEqual([picture.cols, picture.rows], [20, 4]);
  assert.deepEqual(emulatorAfter(20, 4, picture.bytes).text().lines, ["one", "two", "", ""]);
  assert.deepEqual(await fixture.text("fox"), ["one", "two"]);
  const small = await fixture.look<ScreenPicture>("fox", { kind: "render", cols: 10, rows: 2 });
  assert.deepEqual(
    emulatorAfter(10, 2, small.bytes)
      .text()
      .lines.map((line) => line.trim()),
    ["one", "two"],
  );
});

test("look: a session of which nothing was written, and one that is not there", async () => {
  await using fixture = new Fixture();
  const journal = fixture.open("fox");
  rmSync(journal.path);
  await assert.rejects(fixture.screen("fox"), /nothing was written/);
  await fixture.close("fox");
  await assert.rejects(fixture.screen("fox"), /no screen fox/);
});

test("look: during a flood, others are answered after a slice or two, and the flood's own screen is right", async () => {
  await using fixture = new Fixture();
  fixture.open("flood");
  fixture.open("owl");
  fixture.write("owl", "hoo");
  const piece = Buffer.from(`${"x\x1b[31m\u00e9".repeat(700)}\r\n`.repeat(40));
  for (let count = 0; count < 64; count++) {
    fixture.journals.get("flood")!.write(piece);
    if (fixture.journals.get("flood")!.segmentBytes > SEGMENT_BYTES) fixture.journals.get("flood")!.rotate();
  }
  fixture.advance("flood");
  const flood = fixture.text("flood"); // call 1
  for (let call = 2; call <= 5; call++) assert.deepEqual(await fixture.text("owl"), ["hoo"]);
  assert.deepEqual(fixture.answered, [2, 3, 4, 5], "the flood is still being read");
  assert.ok((await flood).length > 0);
  const whole = emulatorAfter(40, 6, ...Array<Buffer>(64).fill(piece));
  assert.deepEqual(stateOf(emulatorAfter(40, 6, (await fixture.screen("flood")).bytes)), stateOf(whole));
});

test("skip-ahead: megabytes of plain text give the same screen, and a sequence among them is obeyed", async () => {
  await using fixture = new Fixture();
  const journal = fixture.open("fox");
  const parts: Buffer[] = [];
  for (let count = 0; count < 120; count++) {
    const lines = Array.from({ length: 1000 }, (_, line) => `${count} ${line} ${"text ".repeat(line % 20)}`).join(
      "\r\n",
    );
    parts.push(Buffer.from(`${lines}${count % 50 === 20 ? "\x1b[1;33m\x1b]2;yellow\x07" : ""}`));
    journal.write(parts.at(-1)!);
    if (journal.segmentBytes > SEGMENT_BYTES) journal.rotate();
  }
  fixture.advance("fox");
  const { bytes } = await fixture.screen("fox");
  assert.deepEqual(stateOf(emulatorAfter(40, 6, bytes)), stateOf(emulatorAfter(40, 6, ...parts)));
  assert.deepEqual(
    fixture.events.map(([, event]) => event.kind),
    ["title"],
  );
});

test("idle: given up after its time, with its screen on disk, and made again when it is asked for", async () => {
  await using fixture = new Fixture({ sleepAfterMs: 30_000, idleAfterMs: 1_000 });
  fixture.open("fox");
  fixture.write("fox", "\x1b[?1049h\x1b[44mediting\x1b]2;a title\x07");
  const before = (await fixture.screen("fox")).bytes;
  await fixture.pass(29_000);
  assert.equal(fixture.set.awakeCount, 1);
  await fixture.pass(1_000);
  await fixture.pass(1_000);
  assert.equal(fixture.set.awakeCount, 0);
  assert.ok(existsSync(snapshotPath(fixture.journals.get("fox")!.dir)));
  assert.deepEqual((await fixture.screen("fox")).bytes, before);
  fixture.write("fox", " on");
  assert.deepEqual(await fixture.text("fox"), ["editing on"]);
});

test("idle: no more than so many are kept; the one that was used last stays", async () => {
  await using fixture = new Fixture({ idleScreensMax: 3, idleAfterMs: 1_000 });
  for (let count = 0; count < 8; count++) {
    fixture.open(`s${count}`);
    fixture.write(`s${count}`, `screen ${count}`);
    await fixture.settled();
    fixture.clock.leap(10);
  }
  await fixture.text("s0");
  assert.equal(fixture.set.awakeCount, 8, "busy ones all are kept");
  await fixture.pass(1_000);
  await fixture.pass(1_000);
  assert.equal(fixture.set.awakeCount, 3);
  const isSaved = (id: string) => existsSync(snapshotPath(fixture.journals.get(id)!.dir));
  assert.deepEqual(["s0", "s1", "s5", "s6"].map(isSaved), [false, true, true, false]);
  for (let count = 0; count < 8; count++) assert.deepEqual(await fixture.text(`s${count}`), [`screen ${count}`]);
});

test("restart: goes on from the last snapshot, and does not read what is before it", async () => {
  await using fixture = new Fixture({ unsavedBytesMax: 10 });
  const journal = fixture.open("fox");
  fixture.write("fox", "before the snapshot\r\n");
  await fixture.settled();
  await fixture.pass(2_000);
  fixture.write("fox", "after it");
  const bytes = readFileSync(journal.path);
  const at = bytes.indexOf("before the snapshot");
  writeFileSync(journal.path, Buffer.concat([bytes.subarray(0, at), Buffer.from("BEFORE"), bytes.subarray(at + 6)]));
  fixture.restart();
  fixture.open("fox", journal);
  assert.deepEqual(await fixture.text("fox"), ["before the snapshot", "after it"]);
});

test("restart: a session that is where its snapshot is stays asleep", async () => {
  await using fixture = new Fixture({ sleepAfterMs: 1_000 });
  const journal = fixture.open("fox");
  fixture.write("fox", "text\x1b]2;its title\x07");
  await fixture.settled();
  await fixture.pass(2_000);
  fixture.events.length = 0;
  fixture.restart();
  fixture.open("fox", journal);
  await fixture.settled();
  assert.equal(fixture.set.awakeCount, 0);
  assert.deepEqual(fixture.events, [["fox", { kind: "title", title: "its title", offset: journal.output }]]);
  assert.deepEqual(await fixture.text("fox"), ["text"]);
});

for (const [what, spoil] of [
  ["torn", (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 200))],
  [
    "of another format",
    (file: string) => writeFileSync(file, readFileSync(file, "utf8").replace('"format":1', '"format":2')),
  ],
  [
    "changed",
    (file: string) => writeFileSync(file, readFileSync(file, "utf8").replace(/"screen":"..../, '"screen":"AAAA')),
  ],
  [
    "past the end",
    (file: string) => writeFileSync(file, readFileSync(file, "utf8").replace(/"offset":\d+/, '"offset":999999')),
  ],
  [
    "in the middle of a record",
    (file: string) => writeFileSync(file, readFileSync(file, "utf8").replace(/"at":\d+/, '"at":35')),
  ],
  ["absent", (file: string) => rmSync(file)],
] as const)
  test(`restart: with a snapshot that is ${what}, the screen is made from the journal`, async () => {
    await using fixture = new Fixture({ sleepAfterMs: 1_000 });
    const journal = fixture.open("fox");
    fixture.write("fox", "all of it");
    await fixture.settled();
    await fixture.pass(2_000);
    spoil(snapshotPath(journal.dir));
    journal.write(" and more");
    fixture.restart();
    fixture.open("fox", journal);
    assert.deepEqual(await fixture.text("fox"), ["all of it and more"]);
  });

test("restart: what rang before is not told again, titles and marks are", async () => {
  await using fixture = new Fixture();
  const journal = fixture.open("fox");
  fixture.write("fox", "\x07\x1b]9;old\x07\x1b]2;title\x07\x1b]133;D;3\x07\x1b[6n");
  await fixture.settled();
  const kinds = () => fixture.events.splice(0).map(([, { kind }]) => kind);
  assert.deepEqual(kinds(), ["reply", "bell", "notification", "title", "mark"]);
  fixture.restart();
  fixture.open("fox", journal);
  fixture.write("fox", "\x07\x1b[2;3H\x1b[6n\x1b]9;new\x07");
  await fixture.settled();
  assert.deepEqual(fixture.events.at(-1), ["fox", { kind: "notification", text: "new", offset: journal.output }]);
  assert.deepEqual(kinds(), ["reply", "title", "mark", "bell", "notification"]);
});

test("gap: a session that outran its journal goes on from what is kept", async () => {
  await using fixture = new Fixture({ sleepAfterMs: 1_000 });
  const journal = fixture.open("fox");
  fixture.write("fox", "shown\x1b]2;unfin");
  await fixture.settled();
  await fixture.pass(2_000);
  for (const text of ["gone", "gone as well"]) {
    journal.rotate();
    journal.write(text);
  }
  journal.rotate();
  for (const segment of [1, 2, 3]) rmSync(join(journal.dir, segmentName(segment)));
  fixture.write("fox", "\r\nkept");
  assert.deepEqual(await fixture.text("fox"), ["shown", "kept"]);
});

test("resume: another program in the same journal begins below what the first has left", async () => {
  await using fixture = new Fixture();
  const journal = fixture.open("fox");
  fixture.write("fox", "$ vim\r\n\x1b[?1049h\x1b[?1000hhalf done");
  journal.append(RECORD.end, Buffer.from("{}"));
  journal.rotate();
  fixture.write("fox", "$ again");
  assert.deepEqual(await fixture.text("fox"), ["$ vim", "$ again"]);
  assert.doesNotMatch((await fixture.screen("fox")).bytes.toString(), /1000h/);
});

test("resume: a segment that is full is no new program", async () => {
  await using fixture = new Fixture();
  const journal = fixture.open("fox");
  fixture.write("fox", "\x1b[?1049h");
  while (journal.segmentBytes <= SEGMENT_BYTES) journal.write(Buffer.alloc(500_000, "\x1b[H"));
  journal.rotate();
  fixture.write("fox", "still in the editor");
  const { bytes } = await fixture.screen("fox");
  assert.equal(stateOf(emulatorAfter(40, 6, bytes)).isAlternate, true);
});

test("events: a flood of bells rings once in a step, and a flood of questions is answered up to a limit", async () => {
  await using fixture = new Fixture();
  fixture.open("fox");
  await fixture.settled();
  fixture.write("fox", "\x07\x1b[c".repeat(10_000));
  await fixture.settled();
  const events = fixture.events.map(([, event]) => event);
  assert.equal(events.filter(({ kind }) => kind === "bell").length, 1);
  const replyBytes = events.reduce((sum, event) => sum + (event.kind === "reply" ? event.text.length : 0), 0);
  assert.ok(replyBytes > 0 && replyBytes <= 16 * 1024, `${replyBytes} bytes`);
});

test("events: a flood of titles, notifications and marks is told once in a step, as it was at last", async () => {
  await using fixture = new Fixture();
  const journal = fixture.open("fox");
  await fixture.settled();
  const flood = "\x1b]0;one\x07\x1b]9;x\x07\x1b]133;D;1\x07\x1b]133;A\x07\x07\x1b]0;two\x07\x1b]9;y\x07\x1b]133;C\x07";
  fixture.write("fox", `${flood.repeat(2_000)}\x1b]133;L\x07`);
  await fixture.settled();
  const offset = journal.output;
  assert.equal(fixture.events.length, 6);
  assert.deepEqual(
    fixture.events.map(([, event]) => event),
    [
      { kind: "mark", letter: "D", status: 1, offset },
      { kind: "mark", letter: "A", offset },
      { kind: "bell", offset },
      { kind: "title", title: "two", offset },
      { kind: "notification", text: "y", offset },
      { kind: "mark", letter: "C", offset },
    ],
  );
});

test("close: the screen is on disk when it is answered, and looks before it are answered", async () => {
  await using fixture = new Fixture();
  const journal = fixture.open("fox");
  fixture.write("fox", "the last words");
  const text = fixture.text("fox");
  await fixture.close("fox");
  assert.deepEqual(await text, ["the last words"]);
  assert.equal((JSON.parse(readFileSync(snapshotPath(journal.dir), "utf8")) as { offset: number }).offset, 14);
});

test("close: waits for no other session, however much that one writes", async () => {
  await using fixture = new Fixture();
  fixture.open("fox");
  fixture.write("fox", "the last words");
  await fixture.settled();
  fixture.open("owl");
  for (let count = 0; count < 32; count++) fixture.journals.get("owl")!.write("x\x1b[31m\u00e9".repeat(8 * 1024));
  fixture.advance("owl");
  const done: string[] = [];
  const flooded = fixture.text("owl").then(() => done.push("owl"));
  await fixture.close("fox").then(() => done.push("fox"));
  await flooded;
  assert.deepEqual(done, ["fox", "owl"]);
});

test("no room for a snapshot: the screen is made from the journal", async () => {
  await using fixture = new Fixture({ sleepAfterMs: 1_000 });
  const journal = fixture.open("fox");
  fixture.write("fox", "all of it");
  await fixture.settled();
  mkdirSync(join(snapshotPath(journal.dir), "in the way"), { recursive: true }); // nothing can be renamed to it
  await fixture.pass(2_000);
  assert.equal(fixture.set.awakeCount, 0);
  assert.deepEqual(await fixture.text("fox"), ["all of it"]);
});
