import assert from "node:assert/strict";
import { test } from "node:test";
import type { TcpEnd } from "./tcp-table.ts";
import { readState } from "./was-read.ts";

const end = (more: Partial<TcpEnd> = {}): TcpEnd => ({
  state: "established",
  unsentBytes: 0,
  unreadBytes: 0,
  uid: 1000,
  inode: 7,
  ...more,
});
const closed = end({ state: "other", inode: 0 });

test("was read: by an open reader that has nothing unread, or one that closed without a reset", () => {
  assert.equal(readState({ ours: end(), theirs: end() }), "read");
  assert.equal(readState({ ours: end({ state: "close_wait" }), theirs: closed }), "read");
  assert.equal(readState({ ours: end({ state: "close_wait" }), theirs: undefined }), "read");
});

test("was read: not by one whose end was a reset, and not yet while something is on its way or unread", () => {
  assert.equal(readState({ ours: undefined, theirs: undefined }), "lost");
  assert.equal(readState({ ours: undefined, theirs: closed }), "lost");
  assert.equal(readState({ ours: end({ unsentBytes: 5 }), theirs: end() }), "unknown");
  assert.equal(readState({ ours: end({ unsentBytes: 5, state: "close_wait" }), theirs: closed }), "unknown");
  assert.equal(readState({ ours: end(), theirs: end({ unreadBytes: 5 }) }), "unknown");
  assert.equal(readState({ ours: end(), theirs: closed }), "unknown");
});
