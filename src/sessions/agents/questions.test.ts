import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isWarrenError } from "../../protocol/errors.ts";
import { TestPlace, type TestServer, text } from "./agent-fixture.ts";

async function asked(place: TestPlace, choices = "allow|always|deny"): Promise<{ server: TestServer; itemId: string }> {
  const { server } = await place.agent();
  await server.link.prompt(text(`ask "deploy?" ${choices}\nsay deployed`), "p1");
  await server.untilAsked();
  const itemId = server.conversation.questions[0]?.id ?? "";
  return { server, itemId };
}

test("question: of several answers at once the first wins, the others learn who was faster", async () => {
  await using place = new TestPlace();
  const { server, itemId } = await asked(place);
  assert.equal(server.conversation.state, "needs_you");
  const people = ["ann", "bob", "cid", "dan"];
  const answers = people.map((by, index) => ({
    itemId,
    choice: index === 0 ? "allow" : "deny",
    by,
    requestId: `r-${by}`,
  }));
  const results = await Promise.allSettled(answers.map((answer) => server.link.answerPermission(answer)));

  assert.equal(results[0]?.status, "fulfilled");
  for (const result of results.slice(1)) {
    const error = result.status === "rejected" ? result.reason : undefined;
    assert.ok(isWarrenError(error, "PERMISSION_RESOLVED"), String(error));
    assert.deepEqual(error.detail, { state: "answered", option_id: "allow", by: "ann" });
  }
  await server.untilTurns(1);
  assert.deepEqual(server.texts("agent_message"), ["deployed"]);
  // The winner's answer again is the same answer; a late one is not.
  await server.link.answerPermission({ itemId, choice: "allow", by: "ann", requestId: "r-ann" });
  await assert.rejects(server.link.answerPermission({ itemId, choice: "deny", by: "eve" }), {
    code: "PERMISSION_RESOLVED",
  });
});

test("question: answers by kind; allow is never always; what it does not offer is refused and changes nothing", async () => {
  await using place = new TestPlace();
  const { server, itemId } = await asked(place, "yes|always|no");
  const answer = (choice: string) => server.link.answerPermission({ itemId, choice, by: "ann" });
  await assert.rejects(answer("perhaps"), { code: "OPTION_UNKNOWN" });
  await assert.rejects(server.link.answerPermission({ itemId: "i99", choice: "allow", by: "ann" }), {
    code: "QUESTION_NOT_FOUND",
  });
  assert.equal(server.conversation.question(itemId)?.state, "pending");
  await answer("deny");
  assert.equal(server.conversation.question(itemId)?.option_id, "no");
  await server.untilTurns(1);
  assert.deepEqual(server.texts("agent_message"), ["Not done: deploy?"]);
});

test("question: only always is offered, allow is refused", async () => {
  await using place = new TestPlace();
  const { server, itemId } = await asked(place, "always|deny");
  await assert.rejects(server.link.answerPermission({ itemId, choice: "allow", by: "ann" }), {
    code: "OPTION_UNKNOWN",
  });
});

test("question: cancel answers it, and ends the turn", async () => {
  await using place = new TestPlace();
  const { server, itemId } = await asked(place);
  await server.link.prompt(text("say never"), "p2");
  assert.deepEqual(await server.link.cancel(), { cancelled: true, dropped: ["p2"] });
  await server.untilTurns(1);
  assert.equal(server.conversation.question(itemId)?.state, "cancelled");
  assert.equal(server.items().find((item) => item.kind === "turn")?.stop_reason, "cancelled");
  await assert.rejects(server.link.answerPermission({ itemId, choice: "allow", by: "ann" }), {
    code: "PERMISSION_RESOLVED",
  });
  assert.equal(place.prompts().length, 1);
});

test("question: a cancelled answer that the keeper does not take is written again", async () => {
  await using place = new TestPlace();
  const { keeper, server } = await place.agent();
  await server.link.prompt(text('ask "deploy?" allow|deny'), "p1");
  await server.untilAsked();
  let refusedCount = 0;
  keeper.refuses = (key) => key.includes("answer:") && refusedCount++ === 0;
  await server.link.cancel().catch(() => {}); // whoever writes it first is told, or nobody
  await server.untilTurns(1);
  assert.equal(refusedCount, 2);
  assert.equal(server.items().find((item) => item.kind === "permission")?.state, "cancelled");
});

test("question: a server that dies between session/cancel and its answer is followed by one that gives it", async () => {
  await using place = new TestPlace();
  const { keeper, server } = await place.agent();
  await server.link.prompt(text('ask "deploy?" allow|deny'), "p1");
  await server.untilAsked();
  keeper.onRecord = () => {
    const last = Buffer.from(keeper.records.at(-1)?.bytes ?? []).toString();
    if (last.includes("session/cancel")) server.kill();
  };
  await assert.rejects(server.link.cancel(), /this server is dead/);
  const next = place.server(keeper);
  await next.link.adopt();
  await next.untilTurns(1);
  assert.equal(next.items().find((item) => item.kind === "permission")?.state, "cancelled");
});

test("question: until the journal has told of the answer, nobody else's is taken", async () => {
  await using place = new TestPlace();
  const { keeper, server } = await place.agent();
  await server.link.prompt(text('ask "deploy?" allow|deny'), "p1");
  await server.untilAsked();
  const itemId = server.conversation.questions[0]?.id ?? "";
  const release = keeper.hold();
  const first = server.link.answerPermission({ itemId, choice: "allow", by: "ann" });
  await nextTurn();
  const second = server.link.answerPermission({ itemId, choice: "deny", by: "bob" });
  second.catch(() => {}); // looked at below
  await nextTurn();
  release();
  await first;
  await assert.rejects(second, { code: "PERMISSION_RESOLVED" });
});
