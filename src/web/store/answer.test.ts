import assert from "node:assert/strict";
import { test } from "node:test";
import type { NewItem } from "../../client/remote/outbox.ts";
import type { ConversationItem, ItemOf } from "../../protocol/conversation.ts";
import { checkApproval } from "../../remote/records/approval.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import type { Machine } from "../link/machine.ts";
import type { Question } from "../model/asked.ts";
import { answer } from "./answer.ts";

const NOW_MS = 1_000_000;
const question: ItemOf<"permission"> = {
  id: "q",
  at: "2026",
  seq: 1,
  kind: "permission",
  title: "Deploy?",
  tool_item_id: "t",
  options: [{ optionId: "yes", name: "Allow once", kind: "allow_once" }],
  state: "pending",
};
const tool = (raw_input: unknown) => ({ id: "t", kind: "tool_call", title: "npm run deploy", raw_input });
const asked: Question = {
  session: "fox",
  question,
  tool: tool({ env: { CI: "1", A: "2" }, command: "npm run deploy" }) as ItemOf<"tool_call">,
  directory: "/srv/site",
  seenMs: 0,
};

/** What the browser leaves for a machine that is away. */
async function left(given: Question): Promise<NewItem> {
  const items: NewItem[] = [];
  const outbox = { add: async (item: NewItem) => void items.push(item) };
  const machine = { id: "aa", name: "laptop" } as Machine;
  const how = await answer({
    machine,
    version: "1",
    isLive: false,
    outbox,
    question: given,
    choice: "yes",
    nowMs: NOW_MS,
  });
  assert.equal(how, "waits");
  return items[0]!;
}

/** The machine's own check of it, with what its agent really asks. */
async function checked(
  { approval, payload }: NewItem,
  items: readonly (Pick<ConversationItem, "id"> & Record<string, unknown>)[],
  { workdir = "/srv/site", nowMs = NOW_MS } = {},
): Promise<void> {
  const talk = { ask: async () => ({ session: { workdir }, conversation: { items } }) };
  const facts = { talk: talk as never, crypto: webCrypto(), nowMs };
  await checkApproval({ approval: approval!, sentMs: NOW_MS, payload }, facts);
}

test("answer: to a machine that is away it goes as an approval that the machine takes, for what was shown alone", async () => {
  const item = await left(asked);
  assert.deepEqual(
    [item.machine, item.unit, item.payload],
    ["aa", "fox", { session: "fox", item_id: "q", choice: "yes" }],
  );
  const reordered = tool({ command: "npm run deploy", env: { A: "2", CI: "1" } });
  await checked(item, [question, reordered]);
  const refused = (items: object[], more?: object) => assert.rejects(checked(item, items as never, more));
  await refused([question, tool({ command: "npm run deploy; rm -rf ." })]);
  await refused([question, reordered], { workdir: "/srv/other" });
  await refused([{ ...question, state: "answered" }, reordered]);
  await refused([{ ...question, id: "another" }, reordered]);
  await refused([question, reordered], { nowMs: NOW_MS + 10 * 60 * 1_000 });
});

test("answer: a question about no tool is bound to its own words", async () => {
  const item = await left({ ...asked, tool: undefined });
  await checked(item, [question]);
  await assert.rejects(checked(item, [{ ...question, title: "Delete?" }]));
});

test("answer: where nothing can be left for a machine that is away it says so, and the question stays open", async () => {
  const machine = { id: "local", name: "this machine" } as Machine;
  const options = { machine, version: "1", isLive: false, outbox: undefined, choice: "yes", nowMs: NOW_MS };
  await assert.rejects(answer({ ...options, question: asked }), { code: "MACHINE_AWAY" });
});
