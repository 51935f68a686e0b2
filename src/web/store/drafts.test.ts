import assert from "node:assert/strict";
import { test } from "node:test";
import { Drafts, unsent } from "./drafts.ts";

test("drafts: what is typed while something is sent stays, and nothing is sent twice meanwhile", async () => {
  const drafts = new Drafts();
  const answer = Promise.withResolvers<boolean>();
  const said: string[] = [];
  const say = (text: string): Promise<boolean> => {
    said.push(text);
    return answer.promise;
  };
  drafts.write("fox", "mend it");
  const sending = drafts.send("fox", say);
  assert.deepEqual(drafts.get("fox"), { text: "mend it", isSending: true });
  await drafts.send("fox", say);
  drafts.write("fox", "mend it\nand test it");
  answer.resolve(true);
  await sending;
  assert.deepEqual(said, ["mend it"]);
  assert.deepEqual(drafts.get("fox"), { text: "\nand test it", isSending: false });
});

test("drafts: what could not be sent stays whole; what was written anew meanwhile is not cut", async () => {
  const drafts = new Drafts();
  drafts.write("fox", "mend it");
  await drafts.send("fox", async () => false);
  assert.deepEqual(drafts.get("fox"), { text: "mend it", isSending: false });
  assert.equal(unsent("test it", "mend it"), "test it");
});

test("drafts: each has its own, whoever looks is told, and one that was sent is gone", async () => {
  const drafts = new Drafts();
  let count = 0;
  const unsubscribe = drafts.subscribe(() => count++);
  drafts.write("fox", "mend it");
  drafts.write("owl", "wait");
  await drafts.send("fox", async () => true);
  assert.deepEqual([drafts.get("fox").text, drafts.get("owl").text, count], ["", "wait", 4]);
  unsubscribe();
  drafts.write("owl", "");
  assert.equal(count, 4);
  await drafts.send("owl", () => assert.fail("nothing is not sent"));
});

test("drafts: of many the one that was written longest ago goes, and never the newest", () => {
  const drafts = new Drafts();
  for (let number = 0; number < 50; number++) drafts.write(`${number}`, "text");
  drafts.write("0", "text again");
  drafts.write("50", "text");
  assert.deepEqual([drafts.get("0").text, drafts.get("1").text, drafts.get("50").text], ["text again", "", "text"]);
  drafts.write("long", "x".repeat(2_000_000));
  assert.deepEqual([drafts.get("50").text, drafts.get("long").text.length], ["", 2_000_000]);
});
