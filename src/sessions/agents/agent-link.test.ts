import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { TestPlace, text } from "./agent-fixture.ts";
import { QUEUE_MAX, type QueuedPrompt } from "./prompt-queue.ts";

/** A queue's store on a disk that is full while `isFull`; `hold` keeps what is saved next from being answered. */
function fullStore() {
  let gate = Promise.resolve();
  const store = {
    isFull: false,
    prompts: [] as readonly QueuedPrompt[],
    hold() {
      const held = Promise.withResolvers<void>();
      gate = held.promise;
      return held;
    },
    async save(prompts: readonly QueuedPrompt[]) {
      await gate;
      if (store.isFull) throw new Error("no space left on device");
      store.prompts = prompts;
    },
  };
  return store;
}

test("prompt: the whole of a turn becomes items in order", async () => {
  await using place = new TestPlace();
  writeFileSync(join(place.cwd, "main.ts"), "const name = 'old';\n");
  const { server, keeper } = await place.agent();
  const script = "think let me see\nplan look; mend\nedit main.ts s/old/new/\nrun echo fine\nsay done";
  assert.equal((await server.link.prompt(text(script), "p1", "ann")).state, "sent");
  await server.untilTurns(1);

  assert.deepEqual(
    server.items().map(({ kind }) => kind),
    ["user_message", "turn", "thought", "plan", "tool_call", "tool_call", "agent_message"],
  );
  const [edit, run] = server.items().filter((item) => item.kind === "tool_call");
  assert.equal(edit?.status, "completed");
  assert.deepEqual(edit?.content, [
    {
      type: "diff",
      path: join(place.cwd, "main.ts"),
      oldText: "const name = 'old';\n",
      newText: "const name = 'new';\n",
    },
  ]);
  assert.deepEqual(run?.raw_output, { exitCode: 0, output: "fine\n" });
  assert.deepEqual(run?.terminal_ids, ["term-0:3"]);
  assert.equal(readFileSync(join(place.cwd, "main.ts"), "utf8"), "const name = 'new';\n");
  assert.deepEqual(server.texts("agent_message"), ["done"]);
  assert.equal(keeper.terminals.started.length, 1);
  const turn = server.items().find((item) => item.kind === "turn");
  assert.equal(turn?.stop_reason, "end_turn");
  assert.equal(server.conversation.state, "idle");
  assert.equal(server.conversation.info.agent_name, "scripted");
});

test("prompt: the same request_id is the same prompt; later ones wait their turn, in order, up to a limit", async () => {
  await using place = new TestPlace();
  const { server } = await place.agent();
  const first = await server.link.prompt(text('ask "go?" allow\nsay 1'), "p1");
  assert.deepEqual(await server.link.prompt(text('ask "go?" allow\nsay 1'), "p1"), first);
  for (let number = 2; number <= QUEUE_MAX + 1; number++) {
    const receipt = await server.link.prompt(text(`say ${number}`), `p${number}`);
    assert.deepEqual(receipt, { state: "queued", position: number - 2 });
  }
  assert.deepEqual(await server.link.prompt(text("say 2"), "p2"), { state: "queued", position: 0 });
  await assert.rejects(server.link.prompt(text("say 99"), "p99"), { code: "AGENT_BUSY" });
  await server.untilAsked();
  const itemId = server.conversation.questions[0]?.id ?? "";
  await server.link.answerPermission({ itemId, choice: "allow", by: "ann" });
  await server.untilTurns(QUEUE_MAX + 1);
  assert.deepEqual(
    server.texts("agent_message"),
    Array.from({ length: QUEUE_MAX + 1 }, (_, index) => String(index + 1)),
  );
});

test("prompt: what waits outlives the server, in the queue's store", async () => {
  await using place = new TestPlace();
  const store = {
    prompts: [] as readonly QueuedPrompt[],
    async save(prompts: readonly QueuedPrompt[]) {
      store.prompts = prompts;
    },
  };
  const keeper = place.keeper();
  const server = place.server(keeper, { queue: store });
  await server.link.prompt(text("say before it is open"), "p0");
  await server.link.start();
  await server.link.prompt(text('ask "go?" allow'), "p1");
  await server.link.prompt(text("say later"), "p2", "ann");
  await server.untilAsked();
  server.kill();

  const next = place.server(keeper, { queue: store });
  await next.link.adopt();
  assert.deepEqual(
    next.link.queued.map(({ requestId }) => requestId),
    ["p2"],
  );
  await next.link.answerPermission({ itemId: next.conversation.questions[0]?.id ?? "", choice: "allow", by: "ann" });
  await next.untilTurns(3);
  assert.deepEqual(next.texts("agent_message"), ["before it is open", "later"]);
  assert.deepEqual(store.prompts, []);
});

test(
  "prompt: one that is being saved when the agent goes elsewhere is said again there",
  { timeout: 10_000 },
  async () => {
    await using place = new TestPlace();
    const gate = Promise.withResolvers<void>();
    const store = { prompts: [], save: () => gate.promise };
    const keeper = place.keeper();
    const server = place.server(keeper, { queue: store });
    await server.link.start();
    const prompted = server.link.prompt(text("say once"), "p1");
    server.kill();
    gate.resolve();
    await assert.rejects(prompted, { code: "AGENT_DETACHED" });
    await server.link.settled();

    const next = place.server(keeper);
    await next.link.adopt();
    await next.link.prompt(text("say once"), "p1");
    await next.untilTurns(1);
    assert.deepEqual(place.prompts(), ["say once"]);
  },
);

test("prompt: one that cannot be saved is not said, but by who says it again; one that is sent is", async () => {
  await using place = new TestPlace();
  const store = fullStore();
  const server = place.server(place.keeper(), { queue: store });
  await server.link.start();
  store.isFull = true;
  await assert.rejects(server.link.prompt(text("say lost"), "p1"), /no space left/);
  const gate = store.hold();
  const sent = server.link.prompt(text("say sent"), "p2");
  await server.link.setMode("ask"); // makes it look at what waits
  gate.resolve();
  assert.equal((await sent).state, "sent");
  store.isFull = false;
  await server.link.prompt(text("say again"), "p3");
  await server.untilTurns(2);
  assert.deepEqual(place.prompts(), ["say sent", "say again"]);
  await server.link.settled();
  assert.deepEqual(store.prompts, []);
});

test("prompt: what the agent could not take is refused before it is sent", async () => {
  await using place = new TestPlace();
  const { server, keeper } = await place.agent();
  const recordCount = keeper.records.length;
  await assert.rejects(server.link.prompt(text("  \n"), "p1"), { code: "PROMPT_EMPTY" });
  await assert.rejects(server.link.prompt([], "p2"), { code: "PROMPT_EMPTY" });
  const image = { type: "image", data: "AA==", mimeType: "image/png" };
  await assert.rejects(server.link.prompt([image], "p3"), { code: "PROMPT_UNSUPPORTED" });
  await assert.rejects(server.link.prompt(text("x".repeat(4_000_000)), "p4"), { code: "PROMPT_TOO_LONG" });
  assert.equal(keeper.records.length, recordCount);
});

test("cancel: ends the turn; without one it does nothing", async () => {
  await using place = new TestPlace();
  const { server, keeper } = await place.agent();
  const recordCount = keeper.records.length;
  assert.deepEqual(await server.link.cancel(), { cancelled: false, dropped: [] });
  assert.equal(keeper.records.length, recordCount);
  await server.link.prompt(text("wait 60s"), "p1");
  await Promise.all([server.link.cancel(), server.link.cancel()]);
  await server.untilTurns(1);
  assert.equal(server.items().find((item) => item.kind === "turn")?.stop_reason, "cancelled");
});

test("cancel: a prompt that is being written is a turn to cancel; one that waits is taken back", async () => {
  await using place = new TestPlace();
  const { server, keeper } = await place.agent();
  const gate = Promise.withResolvers<void>();
  keeper.gate = gate.promise;
  const sent = server.link.prompt(text("wait 60s"), "p1");
  await server.link.prompt(text("say never"), "p2");
  const waiting = server.link.prompt(text("say never either"), "p3");
  const cancelled = server.link.cancel();
  gate.resolve();
  assert.deepEqual(await cancelled, { cancelled: true, dropped: ["p2", "p3"] });
  assert.equal((await sent).state, "sent");
  assert.equal((await waiting).state, "queued");
  await server.untilTurns(1);
  assert.deepEqual(place.prompts(), ["wait 60s"]);
  const taken = server.link.prompt(text("say what"), "p4");
  await server.link.cancel();
  await assert.rejects(taken, { code: "PROMPT_CANCELLED" });
});

test("cancel: the agent is told although what waits cannot be saved", async () => {
  await using place = new TestPlace();
  const store = fullStore();
  const server = place.server(place.keeper(), { queue: store });
  await server.link.start();
  await server.link.prompt(text("wait 60s"), "p1");
  await server.link.prompt(text("say never"), "p2");
  store.isFull = true;
  await assert.rejects(server.link.cancel(), /no space left/);
  await server.untilTurns(1);
  assert.deepEqual(server.link.queued, []);
  assert.deepEqual(place.prompts(), ["wait 60s"]);
});

test("mode: set, and refused when the agent has none such; its options are known", async () => {
  await using place = new TestPlace();
  const { server } = await place.agent();
  await server.link.setMode("ask");
  assert.equal(server.conversation.info.mode, "ask");
  await assert.rejects(server.link.setMode("cod"), { code: "MODE_UNKNOWN", message: /Did you mean code/ });
  assert.equal((server.conversation.info.config_options?.[0] as { currentValue?: string }).currentValue, "calm");
});

test("login: is asked for, remembered by the next server, and opens the session", async () => {
  await using place = new TestPlace();
  const keeper = place.keeper(["--fault", "login"]);
  const server = place.server(keeper);
  await assert.rejects(server.link.start(), {
    code: "AGENT_NEEDS_LOGIN",
    detail: { methods: [{ id: "magic-word", name: "Magic word" }] },
  });
  assert.equal(server.conversation.state, "needs_you");
  server.kill();
  const recordCount = keeper.records.length;
  const next = place.server(keeper);
  await assert.rejects(next.link.adopt(), { code: "AGENT_NEEDS_LOGIN" });
  assert.equal(keeper.records.length, recordCount, "it is not asked again");
  await next.link.login("magic-word");
  assert.equal(next.conversation.state, "idle");
});

test("login: twice at once opens one session, and both are told", { timeout: 20_000 }, async () => {
  await using place = new TestPlace();
  const keeper = place.keeper(["--fault", "login"]);
  const server = place.server(keeper);
  await assert.rejects(server.link.start(), { code: "AGENT_NEEDS_LOGIN" });
  const recordCount = keeper.records.length;
  await Promise.all([server.link.login("magic-word"), server.link.login("magic-word")]);
  assert.equal(server.conversation.state, "idle");
  const opened = keeper.records
    .slice(recordCount)
    .filter(({ kind, bytes }) => kind === "input" && Buffer.from(bytes).includes('"session/new"'));
  assert.equal(opened.length, 1);
});

test("close: the agent closes its session", async () => {
  await using place = new TestPlace();
  const { server } = await place.agent();
  await server.link.close();
  assert.equal(server.conversation.connection.isOpen, false);
});

test("lease: a server that lost it writes nothing, and whoever asks it is told", async () => {
  await using place = new TestPlace();
  const { server, keeper } = await place.agent();
  const next = place.server(keeper);
  await next.link.adopt();
  await assert.rejects(server.link.prompt(text("say late"), "p1"), { code: "STALE_EPOCH" });
  await next.link.prompt(text("say now"), "p2");
  await next.untilTurns(1);
  assert.deepEqual(place.prompts(), ["say now"]);
});

test("refused: a line that the keeper does not take is written again, and served no second time", async () => {
  await using place = new TestPlace();
  const keeper = place.keeper();
  const asked: string[] = [];
  const files = {
    async read({ path }: { path: string }) {
      asked.push(path);
      return "content";
    },
    async write() {},
  };
  const server = place.server(keeper, { files });
  await server.link.start();
  const refused: string[] = [];
  keeper.refuses = (key) => {
    const isFirst = /answer:|prompt:p2/.test(key) && !refused.includes(key);
    if (isFirst) refused.push(key);
    return isFirst;
  };
  await server.link.prompt(text("read a.txt\nsay done"), "p1");
  assert.equal((await server.link.prompt(text("say more"), "p2")).state, "queued");
  await server.untilTurns(2);
  assert.equal(refused.length, 2);
  assert.equal(asked.length, 1);
  assert.deepEqual(server.texts("agent_message"), ["done", "more"]);
});

test("files: a request is served once while it takes its time, and again by the next server", async () => {
  await using place = new TestPlace();
  const keeper = place.keeper();
  const asked: string[] = [];
  const gate = Promise.withResolvers<string>();
  const files = {
    async read({ path }: { path: string }) {
      asked.push(path);
      return gate.promise;
    },
    async write() {},
  };
  const server = place.server(keeper, { files });
  await server.link.start();
  await server.link.prompt(text("read a.txt\nsay done"), "p1");
  await server.until(({ agentRequests }) => agentRequests.length > 0, "a request");
  await server.link.prompt(text("say more"), "p2"); // makes it look at what is open again
  await server.link.setMode("ask");
  assert.equal(asked.length, 1);
  server.kill();
  const next = place.server(keeper, { files });
  await next.link.adopt();
  assert.equal(asked.length, 2);
  gate.resolve("content");
  await next.untilTurns(1);
  assert.deepEqual(next.texts("agent_message"), ["done"]);
});
