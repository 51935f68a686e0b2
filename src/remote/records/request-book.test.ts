import assert from "node:assert/strict";
import { test } from "node:test";
import type { RemoteStore } from "../store.ts";
import { keyOf, type NewRequest, RequestBook } from "./request-book.ts";

const STORE: RemoteStore = { read: async () => undefined, write: async () => {}, pathOf: (name) => name };
const NOW = 1_800_000_000_000;
const KEY = keyOf("phone", "a");

const asked = (sentMs: number, hub: string, hash = "h"): NewRequest => ({
  ...{ device: "phone", id: "a", after: 0, isRefused: false },
  request: { number: 1, hubs: [hub], text: JSON.stringify({ sent_ms: sentMs }), hash, deadline_ms: NOW + 60_000 },
});
const textOf = (book: RequestBook): unknown => JSON.parse(book.get(KEY)?.text || "null");

test("request book: one that is open and is brought again has the text that was made last, and each hub", async () => {
  const book = await RequestBook.open(STORE);
  assert.equal(await book.add(asked(100, "home"), NOW), "new");
  assert.equal(await book.add(asked(200, "home"), NOW), "known");
  assert.deepEqual(textOf(book), { sent_ms: 200 });
  assert.equal(await book.add(asked(150, "cloud"), NOW), "known"); // late, by another way
  assert.deepEqual([textOf(book), book.get(KEY)?.hubs], [{ sent_ms: 200 }, ["home", "cloud"]]);
  assert.equal(await book.add(asked(300, "home", "another question"), NOW), "known");
  assert.deepEqual(textOf(book), { sent_ms: 200 }, "what asks for something else is none of it");
  await book.update(KEY, { is_over: true, text: "" });
  assert.equal(await book.add(asked(400, "home"), NOW), "known");
  assert.equal(textOf(book), null, "what is over stays so");
});

test("request book: one that was brought again since it was looked at is not over yet", async () => {
  const book = await RequestBook.open(STORE);
  await book.add(asked(100, "home"), NOW);
  const seen = book.get(KEY)!;
  await book.add(asked(100, "cloud"), NOW);
  assert.equal(await book.finish(KEY, seen, undefined), false);
  assert.equal(book.open.length, 1);
  assert.equal(await book.finish(KEY, book.get(KEY)!, "{}"), true);
  assert.deepEqual([book.open, textOf(book), book.get(KEY)?.outcome], [[], null, "{}"]);
});
