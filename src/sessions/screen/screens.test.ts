import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Log } from "../../platform/log.ts";
import { SEGMENT_BYTES } from "../../protocol/journal-records.ts";
import { JournalWriter } from "../journal/testing/journal-writer.ts";
import type { ScreenEvent } from "./screen-messages.ts";
import { Screens } from "./screens.ts";
import { emulatorAfter, stateOf } from "./testing/terminal-state.ts";

const QUIET: Log = { debug() {}, info() {}, warn() {}, error() {} };
const FRAGILE = new URL("./testing/fragile-thread.ts", import.meta.url);
const DEADLINE_MS = 30_000;

class Fixture implements AsyncDisposable {
  readonly journals = new Map<string, JournalWriter>();
  readonly events: [id: string, event: ScreenEvent][] = [];
  readonly screens: Screens;
  /** Holds the test's process while threads come and go. */
  readonly #deadline = setTimeout(() => assert.fail("too late"), DEADLINE_MS);

  constructor(script?: URL) {
    this.screens = new Screens({
      log: QUIET,
      onEvent: (id, event) => this.events.push([id, event]),
      random: () => 1,
      ...(script ? { script } : {}),
    });
  }

  open(id: string, size = { cols: 40, rows: 6 }): JournalWriter {
    const journal = new JournalWriter(size);
    this.journals.set(id, journal);
    this.screens.open({ id, journalDir: journal.dir, end: journal.end });
    return journal;
  }

  write(id: string, output: string): void {
    const journal = this.journals.get(id)!;
    journal.write(output);
    this.screens.advance(id, journal.end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#deadline);
    await this.screens.close();
    for (const journal of this.journals.values()) journal[Symbol.dispose]();
  }
}

test("screens: pictures and events come from the thread", async () => {
  await using fixture = new Fixture();
  fixture.open("fox");
  fixture.write("fox", "\x1b]2;title\x07\x1b[1mtext\x07");
  const { bytes, position, title } = await fixture.screens.screen("fox");
  assert.deepEqual([position.offset, title], [fixture.journals.get("fox")!.output, "title"]);
  assert.deepEqual(emulatorAfter(40, 6, bytes).text().lines[0], "text");
  assert.deepEqual((await fixture.screens.text("fox")).lines[0], "text");
  assert.ok((await fixture.screens.render("fox", 5, 2)).bytes.length > 0);
  assert.deepEqual(fixture.events, [
    ["fox", { kind: "title", title: "title", offset: position.offset }],
    ["fox", { kind: "bell", offset: position.offset }],
  ]);
});

test("screens: during a flood of 64 MB, the screens of others answer, and the flood's screen is that of all of it", async () => {
  await using fixture = new Fixture();
  const flood = fixture.open("flood", { cols: 80, rows: 24 });
  fixture.open("owl");
  fixture.write("owl", "hoo");
  const piece = Buffer.from(
    Array.from({ length: 900 }, (_, row) => `\x1b[3${row % 8}mline ${row} é日本 ${"-".repeat(40)}\r\n`).join(""),
  );
  const pieceCount = Math.ceil((64 * 1024 * 1024) / piece.length);
  for (let count = 0; count < pieceCount; count++) {
    flood.write(piece);
    if (flood.segmentBytes > SEGMENT_BYTES) flood.rotate();
  }
  fixture.screens.advance("flood", flood.end);
  const order: string[] = [];
  const last = fixture.screens.screen("flood").then((picture) => {
    order.push("flood");
    return picture;
  });
  for (let count = 0; count < 20; count++) {
    assert.equal((await fixture.screens.text("owl")).lines[0], "hoo");
    order.push("owl");
  }
  const { bytes, position } = await last;
  assert.deepEqual(order, [...Array<string>(20).fill("owl"), "flood"]);
  assert.equal(position.offset, flood.output);
  assert.deepEqual(stateOf(emulatorAfter(80, 24, bytes)), stateOf(emulatorAfter(80, 24, piece, piece)));
});

test("screens: a thread that dies is started again, and who waits is answered", async () => {
  await using fixture = new Fixture(FRAGILE);
  const journal = fixture.open("fox");
  fixture.open("owl");
  fixture.write("fox", "\x1b[1mtext");
  fixture.write("owl", "hoo");
  await fixture.screens.screen("owl");
  writeFileSync(join(journal.sessionDir, "bomb"), "");
  fixture.write("fox", " and more");
  const waiting = [fixture.screens.text("fox"), fixture.screens.text("owl")];
  assert.deepEqual(
    (await Promise.all(waiting)).map(({ lines }) => lines[0]),
    ["text and more", "hoo"],
  );
  assert.ok(!existsSync(join(journal.sessionDir, "bomb")), "it did die");
});

test("screens: a look of which the thread dies each time is given up, the session's others are not", async () => {
  await using fixture = new Fixture(FRAGILE);
  const journal = fixture.open("fox");
  fixture.write("fox", "text");
  writeFileSync(join(journal.sessionDir, "mine"), "");
  await assert.rejects(fixture.screens.text("fox"), /could not be made/);
  assert.ok((await fixture.screens.screen("fox")).bytes.length > 0);
  rmSync(join(journal.sessionDir, "mine"));
  assert.equal((await fixture.screens.text("fox")).lines[0], "text");
});

test("screens: of a session that is not open, and after the end, there is none", async () => {
  await using fixture = new Fixture();
  await assert.rejects(fixture.screens.screen("fox"), /no screen of fox/);
  fixture.open("fox");
  const look = fixture.screens.screen("fox");
  await fixture.screens.close();
  await assert.rejects(look, /closing/);
  await assert.rejects(fixture.screens.screen("fox"), /no screen of fox/);
});

test("screens: forgotten, a session's last screen is on disk", async () => {
  await using fixture = new Fixture();
  const journal = fixture.open("fox");
  fixture.write("fox", "the last words");
  await fixture.screens.text("fox");
  fixture.screens.forget("fox");
  await fixture.screens.forgotten("fox");
  rmSync(journal.sessionDir, { recursive: true });
  await assert.rejects(fixture.screens.text("fox"), /no screen of fox/);
});
