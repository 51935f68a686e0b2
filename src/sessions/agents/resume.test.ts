import assert from "node:assert/strict";
import { test } from "node:test";
import { TestPlace, type TestServer, text, withDeadline } from "./agent-fixture.ts";

const said = (server: TestServer): string[] => [...server.texts("user_message"), ...server.texts("agent_message")];

for (const [name, args] of [
  ["session/resume", ["--no-load"]],
  ["session/load", ["--no-resume"]],
  ["the better of both", []],
] as const) {
  test(`resume: by ${name}, each message is there once, and it is the same session`, async () => {
    await using place = new TestPlace();
    const { keeper, server } = await place.agent([...args]);
    await server.link.prompt(text("say hello\nrun true"), "p1");
    await server.untilTurns(1);
    const itemCount = server.items().length;
    const { sessionId } = server.conversation;
    await keeper.close();
    server.kill();

    place.open(keeper, [...args]);
    const next = place.server(keeper);
    await next.link.start();
    assert.equal(next.conversation.sessionId, sessionId);
    assert.equal(next.conversation.state, "idle");
    assert.equal(next.items().filter(({ kind }) => kind !== "error").length, itemCount);
    await next.link.prompt(text("say again"), "p2");
    await next.untilTurns(2);
    assert.deepEqual(said(next), ["say hello\nrun true", "say again", "hello", "again"]);
  });
}

test("resume: a session that is not in our journal is loaded, each message once", async () => {
  await using place = new TestPlace();
  const { keeper, server } = await place.agent();
  await server.link.prompt(text("say hello\nthink well\nrun true"), "p1");
  await server.untilTurns(1);
  await keeper.close();

  const next = place.server(place.keeper(), { resume: server.conversation.sessionId ?? "" });
  await next.link.start();
  assert.deepEqual(said(next), ["say hello\nthink well\nrun true", "hello"]);
  assert.deepEqual(
    next.items().map(({ kind }) => kind),
    ["user_message", "agent_message", "thought", "tool_call"],
  );
  assert.equal(next.conversation.info.title, "say hello");
});

test("resume: a server that dies while the history is told again is followed by one that doubles nothing", async () => {
  await using place = new TestPlace();
  const { keeper, server } = await place.agent(["--no-resume"]);
  await server.link.prompt(text(`say ${"a long story ".repeat(50)}`), "p1");
  await server.untilTurns(1);
  const before = said(server);
  await keeper.close();
  place.open(keeper, ["--no-resume"]);
  const start = keeper.records.length;
  let current = place.server(keeper);
  keeper.onRecord = (count) => {
    if (count - start > 12) return;
    current.kill();
    current = place.server(keeper);
    const { link } = current;
    queueMicrotask(() => void link.adopt().catch(() => {})); // killed at the next record
  };
  current.link.start().catch(() => {});
  const opened = new Promise<void>((resolve) => {
    const previous = keeper.onRecord;
    keeper.onRecord = (count) => {
      previous(count);
      queueMicrotask(() => current.conversation.connection.isOpen && resolve());
    };
  });
  await withDeadline(opened, "an open session");
  assert.deepEqual(said(current), before);
});

test("resume: a session that the agent does not know, or an agent that resumes nothing, is an error, never another session", async () => {
  await using place = new TestPlace();
  const unknown = place.server(place.keeper(), { resume: "scripted-77" });
  await assert.rejects(unknown.link.start(), { code: "AGENT_CANNOT_RESUME", message: /scripted-77/ });
  const unable = place.server(place.keeper(["--no-load", "--no-resume"]), { resume: "scripted-1" });
  await assert.rejects(unable.link.start(), { code: "AGENT_CANNOT_RESUME" });
});
