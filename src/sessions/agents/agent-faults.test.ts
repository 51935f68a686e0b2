import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { TestPlace, text } from "./agent-fixture.ts";
import { TEXT_CHARS_MAX } from "./clip.ts";
import { Conversation } from "./conversation.ts";

test("fault: an agent that does not answer initialize", async () => {
  await using place = new TestPlace();
  const clock = new HandClock();
  const server = place.server(place.keeper(["--fault", "hang"]), { clock, initializeMs: 1000 });
  const started = server.link.start();
  clock.leap(1000);
  await assert.rejects(started, { code: "AGENT_NOT_ANSWERING" });
});

test("fault: a program that speaks something else", async () => {
  await using place = new TestPlace();
  const clock = new HandClock();
  const server = place.server(place.keeper(["--fault", "garbage"]), { clock });
  const started = server.link.start();
  await server.until(() => server.items().length > 0, "garbage");
  clock.leap(30_000);
  await assert.rejects(started, { code: "AGENT_SPEAKS_GARBAGE", message: /Welcome to something else!/ });
  assert.equal(server.items()[0]?.kind, "garbage");
});

test("fault: a program that is no agent and ends", async () => {
  await using place = new TestPlace();
  const server = place.server(place.keeper(["hello"], ["echo"]));
  await assert.rejects(server.link.start(), { code: "AGENT_SPEAKS_GARBAGE", message: /hello/ });
  const silent = place.server(place.keeper([], ["true"]));
  await assert.rejects(silent.link.start(), (error: { code: string }) => /AGENT_ENDED|CHANNEL_ENDED/.test(error.code));
});

test("fault: what a program wrote before it was asked anything is told when it ends", async () => {
  const conversation = new Conversation();
  const initialize = '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":1}}\n';
  conversation.onAgentBytes(0, Buffer.from("Welcome\n"), 1);
  conversation.onClientBytes(0, Buffer.from(initialize), 2);
  conversation.onEnd(3, { code: 0, signal: null });
  assert.equal(conversation.garbageText, "Welcome");
  const restored = Conversation.restore(conversation.snapshot());
  assert.equal(restored.garbageText, "Welcome");
  restored.onClientBytes(initialize.length, Buffer.from(initialize), 4);
  assert.equal(restored.garbageText, undefined, "that was another process");
});

test("fault: another version of the protocol, and no session", async () => {
  await using place = new TestPlace();
  await assert.rejects(place.agent(["--fault", "version"]), { code: "AGENT_PROTOCOL" });
  const keeper = place.keeper(["--fault", "no-session"]);
  await assert.rejects(place.server(keeper).link.start(), { code: "AGENT_REFUSED", message: /no session today/ });
  const recordCount = keeper.records.length;
  await assert.rejects(place.server(keeper).link.adopt(), { code: "AGENT_REFUSED" });
  assert.equal(keeper.records.length, recordCount, "it is not asked again");
});

test("fault: garbage in the middle is one item, and the turn goes on", async () => {
  await using place = new TestPlace();
  const { server } = await place.agent();
  await server.link.prompt(text("say one\ngarbage oops\ngarbage {broken\nsay two"), "p1");
  await server.untilTurns(1);
  const garbage = server.items().filter((item) => item.kind === "garbage");
  assert.equal(garbage.length, 1);
  assert.equal(garbage[0]?.line_count, 2);
  assert.equal(garbage[0]?.text, "oops");
  assert.deepEqual(server.texts("agent_message").join("|"), "onetwo");
});

test("fault: a line of 10 MB and a flood of 10 MB are clipped and counted", async () => {
  await using place = new TestPlace();
  const { server } = await place.agent();
  const megabytes10 = 10 * 1024 * 1024;
  await server.link.prompt(text("line 10MB"), "p1");
  await server.untilTurns(1);
  await server.link.prompt(text("flood 10MB\nsay !"), "p2");
  await server.untilTurns(2);
  const messages = server.items().filter((item) => item.kind === "agent_message");
  const blocks = messages.flatMap(({ content }) => content);
  assert.deepEqual(
    blocks.map(({ length, clipped }) => [length, clipped]),
    [
      [megabytes10, true],
      [megabytes10 + 1, true],
    ],
  );
  for (const { text: kept = "" } of blocks)
    assert.ok(kept.length > TEXT_CHARS_MAX * 0.99 && kept.length <= TEXT_CHARS_MAX);
});

test("fault: a line of 17 MB is garbage, and what follows is understood", async () => {
  await using place = new TestPlace();
  const { server } = await place.agent();
  await server.link.prompt(text("line 17MB\nsay still here"), "p1");
  await server.untilTurns(1);
  assert.equal(server.items().filter((item) => item.kind === "garbage").length, 1);
  assert.deepEqual(server.texts("agent_message"), ["still here"]);
});

test("fault: methods and updates that nobody knows", async () => {
  await using place = new TestPlace();
  const { server } = await place.agent();
  await server.link.prompt(text("unknown-update\nunknown-method"), "p1");
  await server.untilTurns(1);
  assert.deepEqual(server.texts("agent_message"), ["unknown method: -32601"]);
});

test("fault: an agent that dies mid-turn ends the turn, its question and what waits", async () => {
  await using place = new TestPlace();
  const { server } = await place.agent();
  await server.link.prompt(text("say going\nexit 3"), "p1");
  await server.untilTurns(1);
  await server.until(({ state }) => state === "ended", "the end");
  const turn = server.items().find((item) => item.kind === "turn");
  assert.equal(turn?.state, "ended");
  assert.equal(turn?.stop_reason, "agent_ended");
  assert.deepEqual(
    server.items().flatMap((item) => (item.kind === "error" ? [item.message] : [])),
    ["The agent's program ended with status 3."],
  );
  await assert.rejects(server.link.prompt(text("say more"), "p2"), { code: "AGENT_ENDED" });
});

test("fault: an agent that hangs is not stopped by cancel, and says so by its state", async () => {
  await using place = new TestPlace();
  const { server } = await place.agent();
  await server.link.prompt(text("hang"), "p1");
  assert.deepEqual(await server.link.cancel(), { cancelled: true, dropped: [] });
  assert.equal(server.conversation.turn?.cancelling, true);
  assert.equal(server.conversation.state, "working");
});

test("fault: a prompt that fails and one that is refused end their turns", async () => {
  await using place = new TestPlace();
  const { server } = await place.agent();
  await server.link.prompt(text("fail no tokens left"), "p1");
  await server.link.prompt(text("refuse"), "p2");
  await server.untilTurns(2);
  const reasons = server.items().flatMap((item) => (item.kind === "turn" ? [item.stop_reason] : []));
  assert.deepEqual(reasons, ["error", "refusal"]);
  assert.ok(server.items().some((item) => item.kind === "error" && item.message === "no tokens left"));
});

test("fault: files that cannot be read or written are the agent's errors, not ours", async () => {
  await using place = new TestPlace();
  writeFileSync(join(place.cwd, "large.txt"), "x".repeat(5 * 1024 * 1024));
  const { server } = await place.agent();
  await server.link.prompt(text("read none.txt\nread /dev/zero\nread large.txt\nwrite large.txt/x y\nread ."), "p1");
  await server.untilTurns(1);
  const tools = server.items().filter((item) => item.kind === "tool_call");
  assert.deepEqual(
    tools.map(({ status }) => status),
    Array(5).fill("failed"),
  );
});
