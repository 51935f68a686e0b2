import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConversationSnapshot } from "../../protocol/conversation.ts";
import type { Session } from "../../protocol/units.ts";
import { TalkBook } from "./talk-book.ts";

const EMPTY: ConversationSnapshot = { seq: 0, state: "idle", info: {}, items: [], dropped_count: 0 };
const read = async (): Promise<ConversationSnapshot> => EMPTY;

function site() {
  const clock = { ms: Date.parse("2026-11-01T12:00:00.000Z") };
  const book = new TalkBook(() => clock.ms);
  const agent = (id: string, state: string, agoMs = 5_000): Session =>
    ({ id, kind: "agent", state, active_at: new Date(clock.ms - agoMs).toISOString() }) as Session;
  return { clock, book, agent };
}

test("talk book: a turn that begins, ends, or did both since the last look is a change; one that goes on is each half minute", () => {
  const { clock, book, agent } = site();
  const put = (state: string, agoMs?: number): boolean => book.put([agent("fox", state, agoMs)], read);
  assert.equal(put("idle"), true);
  assert.equal(put("idle"), false);
  clock.ms += 10_000;
  assert.equal(put("working", 2_000), true, "it has begun");
  for (let seconds = 1; seconds < 25; seconds++) {
    clock.ms += 1_000;
    assert.equal(put("working", 10), false, `after ${seconds} s`);
  }
  clock.ms += 1_000;
  assert.equal(put("working", 10), true, "it goes on");
  assert.equal(put("idle", 0), true, "it has ended");
  clock.ms += 500;
  assert.equal(put("idle", 0), true, "another one began and ended");
  clock.ms += 2_000;
  assert.equal(put("idle", 2_000), false);
});

test("talk book: what was read in the moment of a change is read once more when it is quiet", () => {
  const { clock, book, agent } = site();
  const still = agent("fox", "idle", 100);
  assert.equal(book.put([still], read), true);
  clock.ms += 30_000;
  assert.equal(book.put([still], read), true);
  clock.ms += 30_000;
  assert.equal(book.put([still], read), false);
});

test("talk book: the forty that were active last are told, and no terminal", () => {
  const { book, agent } = site();
  const sessions = Array.from({ length: 60 }, (_, index) => agent(`a${index}`, "idle", 5_000 + index));
  assert.equal(book.marks(), undefined, "nothing was looked at yet");
  book.put([...sessions, { ...agent("shell", "idle", 0), kind: "session" }], read);
  const ids = book.marks()!.map(({ session }) => session);
  assert.deepEqual(
    [ids.length, ids[0], ids.at(-1), book.has("a59"), book.has("shell")],
    [40, "a0", "a39", true, false],
  );
});

test("talk book: what could not be read is asked for again at the next look", async () => {
  const { book, agent } = site();
  const still = agent("fox", "idle");
  book.put([still], () => Promise.reject(new Error("gone")));
  assert.equal(await book.read("fox"), undefined);
  assert.equal(book.put([still], read), true);
  assert.equal(await book.read("fox"), EMPTY);
  assert.equal(book.put([still], read), false);
});
