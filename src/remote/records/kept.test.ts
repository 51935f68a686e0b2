import assert from "node:assert/strict";
import { test } from "node:test";
import { Kept } from "./kept.ts";

test("kept: a change that was not written down has changed nothing, nor what was read before", async () => {
  const first = { list: ["a"], table: { one: { count: 1, none: null } }, at: 1 };
  const texts: string[] = [];
  const store = {
    read: async () => undefined,
    write: async (_name: string, text: string) => {
      if (texts.push(text) === 2) throw new Error("the disk is full");
    },
    pathOf: (name: string) => name,
  };
  const kept = new Kept(store, "settings.json", structuredClone(first));
  const grow = (draft: typeof first): boolean => {
    draft.list.push("b");
    draft.table.one = { ...draft.table.one, count: draft.table.one.count + 1 };
    draft.at += 1;
    return true;
  };
  const refused = await kept.change((draft) => {
    grow(draft);
    return false;
  });
  assert.equal(refused, false);
  assert.deepEqual(kept.now, first);
  const before = kept.now;
  assert.equal(await kept.change(grow), true);
  assert.deepEqual(before, first, "who read it before reads the same");
  const second = { list: ["a", "b"], table: { one: { count: 2, none: null } }, at: 2 };
  assert.deepEqual(kept.now, second);
  await assert.rejects(kept.change(grow));
  assert.deepEqual(kept.now, second);
});
