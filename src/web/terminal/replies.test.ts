import assert from "node:assert/strict";
import { test } from "node:test";
import { isReply } from "./replies.ts";
import { withSticky } from "./sticky-keys.ts";

test("replies: what a terminal answers by itself is told from what is typed", () => {
  for (const reply of [
    "\x1b[?1;2c",
    "\x1b[>0;276;0c",
    "\x1b[24;80R",
    "\x1b[0n",
    "\x1b[?2026;2$y",
    "\x1b[I",
    "\x1b]11;rgb:16/16/1e\x1b\\",
    "\x1bP1$r0m\x1b\\",
    "\x1b[?1;2c\x1b[0n",
  ])
    assert.ok(isReply(reply), JSON.stringify(reply));
  for (const typed of [
    "a",
    "\x1b",
    "\x1b[A",
    "\x1b[1;5C",
    "\x1b[3~",
    "\x1bOP",
    "\r",
    "[?1;2c",
    "\x1b[200~\x1b[0n\x1b[201~",
  ])
    assert.ok(!isReply(typed), JSON.stringify(typed));
});

test("sticky keys: ctrl and ⌥ of the bar mean what a keyboard's do", () => {
  assert.equal(withSticky("c", { isCtrl: true, isAlt: false }), "\x03");
  assert.equal(withSticky("[", { isCtrl: true, isAlt: false }), "\x1b");
  assert.equal(withSticky(" ", { isCtrl: true, isAlt: false }), "\0");
  assert.equal(withSticky("b", { isCtrl: false, isAlt: true }), "\x1bb");
  assert.equal(withSticky("1", { isCtrl: true, isAlt: false }), "1");
  assert.equal(withSticky("héllo", { isCtrl: true, isAlt: false }), "héllo");
});
