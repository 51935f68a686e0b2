import assert from "node:assert/strict";
import { test } from "node:test";
import { Kept } from "./kept.ts";

test("kept: a change that was not written down has changed nothing, however deep", async () => {
  const first = { list: [{ names: ["a"] }], table: { one: { count: 1, none: null } } };
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
    draft.list[0]!.names.push("b");
    draft.table.one.count += 1;
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
  const second = { list: [{ names: ["a", "b"] }], table: { one: { count: 2, none: null } } };
  assert.deepEqual(kept.now, second);
  await assert.rejects(kept.change(grow));
  assert.deepEqual(kept.now, second);
});
