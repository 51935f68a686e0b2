import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ConversationEvent } from "../../protocol/conversation.ts";
import {
  fold,
  TestPlace,
  type TestRecord,
  type TestServer,
  text,
  withDeadline,
  withoutTimes,
} from "./agent-fixture.ts";
import { Conversation } from "./conversation.ts";

/** A conversation with everything in it: streams, files, a command, a question, an unknown method, a second and a third prompt that wait. */
const PROMPTS = [
  "think first I look\nplan [~] look; mend\nread main.ts\nedit main.ts s/old/new/\nsay the file is mended",
  'run echo tested >> runs.txt; cat runs.txt\nask "deploy?" allow|deny\nsay deployed\nunknown-method',
  "usage 10 100\nmode ask\nsay häppy 🦊 end",
];

function prepare(place: TestPlace): void {
  for (const name of ["state", "prompts.log"]) rmSync(join(place.root, name), { recursive: true, force: true });
  rmSync(join(place.cwd, "runs.txt"), { force: true });
  writeFileSync(join(place.cwd, "main.ts"), "old\n");
}

/** What the clients of a server do: they send their requests again to each new one, and answer its question. */
async function steer(server: TestServer): Promise<void> {
  for (const [index, prompt] of PROMPTS.entries()) await server.link.prompt(text(prompt), `p${index}`, "ann");
  const hasAsked = (): boolean => server.items().some(({ kind }) => kind === "permission");
  await server.until(hasAsked, "the question");
  const [question] = server.conversation.questions;
  if (question)
    await server.link.answerPermission({ itemId: question.id, choice: "allow", by: "bob", requestId: "a1" });
}

/** The whole conversation, with the server killed when the journal has `killAt` records; its successor goes on. */
async function converse(
  place: TestPlace,
  killAt?: number,
): Promise<{ items: ReturnType<typeof withoutTimes>; records: TestRecord[] }> {
  prepare(place);
  const keeper = place.keeper();
  let server = place.server(keeper);
  const killed = Promise.withResolvers<void>();
  keeper.onRecord = (count) => {
    if (count !== killAt) return;
    server.kill();
    killed.resolve();
  };
  const isLast = () => server.conversation.turnOf("p2") !== undefined && server.conversation.state === "idle";
  const first = server;
  const work = first.link.start().then(() => steer(first));
  const done = work.then(() => first.until(isLast, "all turns over"));
  done.catch(() => {}); // when it is killed, its successor tells
  await withDeadline(Promise.race([killed.promise, done]), `a kill at ${killAt}`);
  if (first.isDead) {
    server = place.server(keeper);
    await withDeadline(server.link.adopt(), `adopted after a kill at ${killAt}`);
    const steered = server.conversation.turnOf("p2") ? undefined : steer(server);
    await server.until(isLast, `all turns over after a kill at ${killAt}`);
    await steered?.catch(() => {}); // its question may have been answered before
  }
  const { records } = keeper;
  const items = withoutTimes(server.items()); // before the program is ended, which would be told as well
  await keeper.close();
  return { items, records };
}

test("survival: a server killed at every record of the journal changes nothing", async () => {
  await using place = new TestPlace();
  const whole = await converse(place);
  const wanted = whole.items;
  assert.equal(wanted.length > 12, true);
  for (let killAt = 1; killAt < whole.records.length; killAt++) {
    const { items } = await converse(place, killAt);
    assert.deepEqual(items, wanted, `killed at record ${killAt} of ${whole.records.length}`);
    assert.deepEqual(place.prompts(), PROMPTS, `each prompt once, killed at record ${killAt}`);
    assert.equal(
      readFileSync(join(place.cwd, "runs.txt"), "utf8"),
      "tested\n",
      `the command once, killed at ${killAt}`,
    );
    assert.equal(readFileSync(join(place.cwd, "main.ts"), "utf8"), "new\n");
  }
});

test("survival: a server killed after every record, again and again", async () => {
  await using place = new TestPlace();
  prepare(place);
  const keeper = place.keeper();
  let server = place.server(keeper);
  const over = Promise.withResolvers<void>();
  const begin = (): void => {
    const current = server;
    const work = current.link.adopt().then(() => steer(current));
    work.catch(() => {}); // killed
  };
  keeper.onRecord = () => {
    server.kill();
    // The journal's next reader sees this record: it was appended before this is called.
    server = place.server(keeper);
    if (server.conversation.turnOf("p2") && server.conversation.state === "idle") over.resolve();
    setImmediate(begin);
  };
  begin();
  await withDeadline(over.promise, "all turns over");
  assert.deepEqual(place.prompts(), PROMPTS);
  assert.equal(readFileSync(join(place.cwd, "runs.txt"), "utf8"), "tested\n");
  assert.equal(server.items().filter((item) => item.kind === "permission" && item.by === "bob").length, 1);
  keeper.onRecord = () => {};
});

test("fold: a snapshot at every record, restored and gone on with, is the whole", async () => {
  await using place = new TestPlace();
  const { records } = await converse(place);
  const events: ConversationEvent[] = [];
  const whole = new Conversation();
  whole.observe({ event: (event) => events.push(event) });
  for (const record of records) fold(whole, record);
  assert.deepEqual(
    events.map(({ seq }) => seq),
    events.map((_, index) => index + 1),
  );
  for (let cut = 0; cut <= records.length; cut++) {
    const head = new Conversation();
    for (const record of records.slice(0, cut)) fold(head, record);
    const tail = Conversation.restore(JSON.parse(JSON.stringify(head.snapshot())));
    const later: ConversationEvent[] = [];
    tail.observe({ event: (event) => later.push(event) });
    // From a little earlier: bytes that are known already are passed over.
    for (const [index, record] of records.entries()) {
      if (index >= cut || (index >= cut - 2 && record.kind !== "end")) fold(tail, record);
    }
    assert.deepEqual(tail.snapshot(), whole.snapshot(), `cut at ${cut}`);
    assert.deepEqual(later, events.slice(head.seq), `events after ${cut}`);
  }
});

test("fold: however the bytes are cut into records, the conversation is the same", async () => {
  await using place = new TestPlace();
  const { records } = await converse(place);
  const atOnce = (record: TestRecord): TestRecord => ({ ...record, timeMs: 0 });
  const whole = new Conversation();
  for (const record of records) fold(whole, atOnce(record));
  for (const sizeBytes of [1, 7, 100]) {
    const pieces = new Conversation();
    for (const record of records) {
      for (let at = 0; at < record.bytes.length; at += sizeBytes) {
        const bytes = record.bytes.subarray(at, at + sizeBytes);
        fold(pieces, { ...atOnce(record), offset: record.offset + at, bytes });
      }
      if (record.kind === "end") fold(pieces, atOnce(record));
    }
    assert.deepEqual(pieces.snapshot(), whole.snapshot(), `pieces of ${sizeBytes}`);
  }
});
