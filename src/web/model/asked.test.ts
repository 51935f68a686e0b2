import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConversationItem, ItemOf } from "../../protocol/conversation.ts";
import { type Asked, type AskedAction, endOf, isOpen, reduceAsked } from "./asked.ts";
import { EMPTY_TALK, type Talk } from "./talk.ts";

const at = "2026-01-01T00:00:00.000Z";
const question = (id: string, more: Partial<ItemOf<"permission">> = {}): ConversationItem => ({
  id,
  at,
  seq: 1,
  kind: "permission",
  title: "Deploy?",
  options: [{ optionId: "yes", name: "Allow once", kind: "allow_once" }],
  state: "pending",
  tool_item_id: "tool",
  ...more,
});
const tool = { id: "tool", at, seq: 1, kind: "tool_call", title: "npm run deploy" } as ConversationItem;
const talk = (...items: ConversationItem[]): Talk => ({ ...EMPTY_TALK, items: [tool, ...items] });
const heard = (session: string, nowMs: number, ...items: ConversationItem[]): AskedAction => ({
  type: "talk",
  session,
  directory: "/srv/site",
  talk: talk(...items),
  nowMs,
});
const after = (...actions: AskedAction[]): Asked => actions.reduce(reduceAsked, new Map());

test("asked: an open question stands with its tool and directory, from when it was seen first", () => {
  const asked = after(heard("fox", 1, question("q")), heard("fox", 5, question("q"), question("r")));
  assert.deepEqual(
    [...asked].map(([key, one]) => [key, one.tool?.title, one.directory, one.seenMs, isOpen(one)]),
    [
      ["fox/q", "npm run deploy", "/srv/site", 1, true],
      ["fox/r", "npm run deploy", "/srv/site", 5, true],
    ],
  );
});

test("asked: one that was answered elsewhere stays, with by whom, until it is put away", () => {
  const asked = after(
    heard("fox", 1, question("q")),
    heard("fox", 2, question("q", { state: "answered", option_id: "yes", by: "Pixel 9" })),
  );
  const one = asked.get("fox/q")!;
  assert.deepEqual([isOpen(one), endOf(one)], [false, "Allow once, by Pixel 9"]);
  assert.equal(reduceAsked(asked, { type: "put-away", key: "fox/q" }).size, 0);
});

test("asked: of a session that needs nobody nothing is open, and of another's nothing changes", () => {
  const asked = after(
    heard("fox", 1, question("q")),
    heard("owl", 1, question("q")),
    { type: "quiet", session: "fox", nowMs: 2 },
    { type: "quiet", session: "fox", nowMs: 9 },
  );
  assert.deepEqual([...asked.values()].map(isOpen), [false, true]);
  assert.equal(asked.get("fox/q")!.overMs, 2);
  assert.equal(endOf(asked.get("fox/q")!), "answered elsewhere, or withdrawn");
});

test("asked: one that comes up again after its machine was away is open again", () => {
  const asked = after(heard("fox", 1, question("q")), { type: "quiet", session: "fox", nowMs: 2 });
  assert.equal(isOpen(reduceAsked(asked, heard("fox", 3, question("q"))).get("fox/q")!), true);
});

test("asked: those that are over are kept up to a bound, the latest; what is remembered gives way to what was heard", () => {
  let asked: Asked = new Map();
  for (let at = 0; at < 50; at++) {
    asked = reduceAsked(asked, heard("fox", 2 * at, question(`q${at}`)));
    asked = reduceAsked(asked, { type: "quiet", session: "fox", nowMs: 2 * at + 1 });
  }
  assert.equal(asked.size, 20);
  assert.ok(asked.has("fox/q49") && !asked.has("fox/q0"));
  const old = after(heard("fox", 1, question("q49")), heard("owl", 1, question("r")));
  const both = reduceAsked(asked, { type: "remembered", asked: old });
  assert.deepEqual([isOpen(both.get("fox/q49")!), isOpen(both.get("owl/r")!)], [false, true]);
});
