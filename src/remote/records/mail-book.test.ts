import assert from "node:assert/strict";
import { test } from "node:test";
import type { MailMessage } from "../../protocol/mail-units.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import type { RemoteStore, StoredName } from "../store.ts";
import { MailBook } from "./mail-book.ts";
import type { MailLook } from "./mail-watch.ts";

const crypto = webCrypto();
const NOW_MS = Date.parse("2026-11-01T12:00:00.000Z");

function site() {
  const files = new Map<StoredName, string>();
  const clock = { ms: NOW_MS };
  const events = { onWritten: async () => {} };
  const store: RemoteStore = {
    read: async (name) => files.get(name),
    write: async (name, text) => {
      files.set(name, text);
      void events.onWritten();
    },
    pathOf: (name) => name,
  };
  return { files, clock, events, open: () => MailBook.open({ store, crypto, nowMs: () => clock.ms }) };
}

const look = (...states: string[]): MailLook =>
  states.map((state, index) => {
    const seq = index + 1;
    const at = "2026-11-01T11:00:00.000Z";
    const about = {
      id: `m${seq}`,
      seq,
      from: "fox",
      to: "you",
      addressed_to: "you",
      sent_at: at,
      thread: "t",
      hops: 0,
    };
    const message: MailMessage = { ...about, kind: "message", body: "hello" };
    return { message, receipts: [{ id: about.id, seq, to: "you", state: state as "queued", at }] };
  });

const numbers = (book: MailBook): number[] => book.read()!.entries.map(([, { seq }]) => seq);

test("mail book: each change of a message gets a number, at least the wall clock's; what is as it was keeps its own", async () => {
  const { clock, open } = site();
  const book = await open();
  assert.deepEqual([book.mark("mail"), book.read()], [undefined, undefined], "before the first look nothing is known");
  assert.equal(await book.put(look("queued", "queued")), true);
  assert.deepEqual(numbers(book), [NOW_MS, NOW_MS + 1]);
  assert.equal(await book.put(look("queued", "queued")), false);
  clock.ms -= 5_000;
  assert.equal(await book.put(look("seen", "queued", "queued")), true);
  assert.deepEqual(numbers(book), [NOW_MS + 2, NOW_MS + 1, NOW_MS + 3]);
  assert.deepEqual(book.mark("mail"), { session: "mail", mark: String(NOW_MS + 3) });
});

test("mail book: whoever reads while a look is written down gets the one before or that one, and none of each", async () => {
  const { events, open } = site();
  const book = await open();
  await book.put(look("queued"));
  const text = (): string => JSON.stringify(book.read());
  const reads = new Set([text()]);
  const before = text();
  events.onWritten = async () => {
    // Each step of what goes on once it is on the disk.
    for (let count = 0; count < 50; count++) {
      reads.add(text());
      await undefined;
    }
  };
  await book.put(look("handled", "queued"));
  assert.deepEqual([...reads], [before, text()]);
  assert.deepEqual(
    book.read()!.entries.map(([, { seq, receipts }]) => [seq, receipts[0]!.state]),
    [
      [NOW_MS + 1, "handled"],
      [NOW_MS + 2, "queued"],
    ],
  );
});

test("mail book: the next server goes on with the same numbers; one of a restored home repeats none", async () => {
  const { files, clock, open } = site();
  await (await open()).put(look("queued"));
  const backup = files.get("mail.json")!;
  const next = await open();
  await next.put(look("queued", "queued"));
  assert.deepEqual(numbers(next), [NOW_MS, NOW_MS + 1]);
  files.set("mail.json", backup);
  clock.ms += 1_000;
  const restored = await open();
  await restored.put(look("queued", "seen"));
  assert.deepEqual(numbers(restored), [NOW_MS, NOW_MS + 1_000]);
});

test("mail book: a file that cannot be read is begun anew, with higher numbers", async () => {
  const { files, clock, open } = site();
  for (const text of ["", "nothing", "{}", '{"oldest_reader":2}']) {
    files.set("mail.json", text);
    clock.ms += 1_000;
    const book = await open();
    assert.equal(await book.put(look("queued")), true);
    assert.deepEqual(numbers(book), [clock.ms], text);
  }
});
