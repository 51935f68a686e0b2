import assert from "node:assert/strict";
import { test } from "node:test";
import { ConversationEvent, type ConversationItem, ConversationSnapshot } from "../../protocol/conversation.ts";
import { TEXT_CHARS_MAX } from "./clip.ts";
import { Conversation } from "./conversation.ts";
import { encodeMessage, type Fields } from "./json-rpc.ts";

/** A conversation by hand. */
class Played {
  conversation: Conversation;
  readonly events: ConversationEvent[] = [];
  #agentBytes = 0;
  #clientBytes = 0;

  constructor(itemsMax?: number) {
    this.conversation = new Conversation(itemsMax === undefined ? {} : { itemsMax });
    this.conversation.observe({ event: (event) => this.events.push(event) });
  }

  restore(): void {
    this.conversation = Conversation.restore(JSON.parse(JSON.stringify(this.conversation.snapshot())));
  }

  agent(message: Fields | string): void {
    const bytes = typeof message === "string" ? Buffer.from(message) : encodeMessage(message);
    this.conversation.onAgentBytes(this.#agentBytes, bytes, 1000);
    this.#agentBytes += bytes.length;
  }

  client(message: Fields): void {
    const bytes = encodeMessage(message);
    this.conversation.onClientBytes(this.#clientBytes, bytes, 1000);
    this.#clientBytes += bytes.length;
  }

  update(update: Fields): void {
    this.agent({ method: "session/update", params: { sessionId: "s", update } });
  }

  chunk(kind: string, said: string, messageId?: string): void {
    this.update({
      sessionUpdate: `${kind}_chunk`,
      content: { type: "text", text: said },
      ...(messageId ? { messageId } : {}),
    });
  }

  prompt(id: number, said: string): void {
    this.client({ id, method: "session/prompt", params: { sessionId: "s", prompt: [{ type: "text", text: said }] } });
  }

  get items(): ConversationItem[] {
    return this.conversation.view().items;
  }

  get said(): string[] {
    return this.items.flatMap((item) =>
      item.kind === "user_message" || item.kind === "agent_message" || item.kind === "thought"
        ? [`${item.kind}: ${item.content.map(({ text }) => text).join("")}`]
        : [],
    );
  }
}

test("messages: chunks go to the message of their kind that nothing has followed, or to the one with their id", () => {
  const played = new Played();
  played.chunk("agent_message", "a");
  played.chunk("agent_message", "b");
  played.chunk("agent_thought", "t");
  played.chunk("agent_message", "c");
  played.chunk("agent_message", "x", "m1");
  played.chunk("agent_message", "y", "m2");
  played.chunk("agent_message", "x", "m1");
  assert.deepEqual(played.said, [
    "agent_message: ab",
    "thought: t",
    "agent_message: c",
    "agent_message: xx",
    "agent_message: y",
  ]);
  const [, second] = played.events;
  assert.deepEqual(second, {
    type: "text_delta",
    item_id: "i1",
    block: 0,
    delta: "b",
    length: 2,
    seq: 2,
    at: second?.at,
  });
});

test("messages: a prompt that the agent repeats is one message, another one is its own", () => {
  const played = new Played();
  played.prompt(0, "do it now");
  played.chunk("user_message", "do it ");
  played.chunk("user_message", "now");
  played.chunk("user_message", "from elsewhere");
  assert.deepEqual(played.said, ["user_message: do it now", "user_message: from elsewhere"]);
});

test("messages: a snapshot in the middle of a repeated prompt, and of a pair of surrogates at the clip", () => {
  const played = new Played();
  played.prompt(0, "do it now");
  played.chunk("user_message", "do it ");
  played.chunk("agent_message", "x");
  played.chunk("agent_message", "x".repeat(TEXT_CHARS_MAX - 2));
  played.chunk("agent_message", "🦊");
  played.restore();
  played.chunk("agent_message", "y");
  played.chunk("user_message", "now");
  const [, , message] = played.items;
  assert.equal(played.items.length, 3);
  const [block] = message?.kind === "agent_message" ? message.content : [];
  assert.equal(block?.text?.length, TEXT_CHARS_MAX - 1);
  assert.ok(block?.text?.endsWith("x"));
  assert.equal(block?.length, TEXT_CHARS_MAX + 2);
});

test("tools: upserts by their id; what an update leaves out stays; one that nobody announced begins", () => {
  const played = new Played();
  played.update({ sessionUpdate: "tool_call", toolCallId: "a", title: "A", kind: "edit", status: "pending" });
  played.update({ sessionUpdate: "tool_call_update", toolCallId: "b", status: "completed", title: null });
  played.update({
    sessionUpdate: "tool_call_update",
    toolCallId: "a",
    status: "completed",
    rawOutput: "z".repeat(1_000_000),
  });
  const tools = played.items.filter((item) => item.kind === "tool_call");
  assert.deepEqual(
    tools.map(({ title, tool_kind, status }) => [title, tool_kind, status]),
    [
      ["A", "edit", "completed"],
      ["b", "other", "completed"],
    ],
  );
  assert.ok(String(tools[0]?.raw_output).length < 300_000);
});

test("plan: one a turn, replaced as a whole", () => {
  const played = new Played();
  const entries = (status: string) => [{ content: "look", priority: "high", status }];
  played.prompt(0, "one");
  played.update({ sessionUpdate: "plan", entries: entries("pending") });
  played.update({ sessionUpdate: "plan", entries: entries("completed") });
  played.agent({ id: 0, result: { stopReason: "end_turn" } });
  played.prompt(1, "two");
  played.update({ sessionUpdate: "plan", entries: entries("pending") });
  const plans = played.items.filter((item) => item.kind === "plan");
  assert.deepEqual(
    plans.map((plan) => plan.entries[0]?.status),
    ["completed", "pending"],
  );
});

test("memory: the oldest items are dropped and counted, but not a question that waits", () => {
  const played = new Played(300);
  played.agent({
    id: 7,
    method: "session/request_permission",
    params: { sessionId: "s", toolCall: { toolCallId: "q" }, options: [] },
  });
  for (let number = 0; number < 1000; number++) played.chunk("agent_message", `${number}`, `m${number}`);
  const { items, dropped_count } = played.conversation.view();
  assert.ok(items.length <= 300, `${items.length} items`);
  assert.equal(items.length + dropped_count, 1002);
  assert.equal(items[0]?.kind, "permission");
  assert.deepEqual(played.said.at(-1), "agent_message: 999");
  // A client that was there from the beginning has what a snapshot has.
  const gone = new Set(played.events.flatMap((event) => (event.type === "dropped" ? event.item_ids : [])));
  const kept = played.events.flatMap((event) =>
    event.type === "item" && !gone.has(event.item.id) ? [event.item.id] : [],
  );
  assert.deepEqual(new Set(kept), new Set(items.map(({ id }) => id)));
});

test("fold: whatever comes from outside, nothing throws, and everything has its schema", () => {
  const played = new Played();
  const hostile: unknown[] = [
    null,
    [],
    {},
    { method: 7 },
    { id: {}, method: "x" },
    { id: 1 },
    { id: 99, result: {} },
    { id: null, error: "no" },
    { method: "session/update" },
    { method: "session/update", params: { update: [] } },
    ...[
      "tool_call",
      "tool_call_update",
      "plan",
      "agent_message_chunk",
      "user_message_chunk",
      "current_mode_update",
      "config_option_update",
      "available_commands_update",
      "session_info_update",
      "usage_update",
      "notice",
      "constructor",
      "__proto__",
    ].flatMap((sessionUpdate) =>
      [{ type: "text", text: "a", length: "x" }, null, 3, "x", [null, 1, {}], { a: 1 }].map((value) => ({
        method: "session/update",
        params: {
          sessionId: "s",
          update: {
            sessionUpdate,
            content: value,
            entries: value,
            title: value,
            toolCallId: "t",
            locations: value,
            status: value,
            currentModeId: value,
            configOptions: value,
            availableCommands: value,
            severity: value,
            description: value,
            rawInput: value,
            messageId: value,
          },
        },
      })),
    ),
    { id: 1, method: "session/request_permission", params: { options: [null, {}, { optionId: 4 }], toolCall: 3 } },
    { id: 1, method: "session/request_permission", params: {} },
    { id: 2, method: "constructor", params: { a: 1 } },
    { method: "$/cancel_request", params: { requestId: { a: 1 } } },
  ];
  for (const message of hostile) played.agent(`${JSON.stringify(message)}\n`);
  played.agent(`{"id":3,"method":"x","params":${"[".repeat(100_000)}${"]".repeat(100_000)}}\n`);
  played.agent(
    `{"method":"session/update","params":{"update":{"sessionUpdate":"tool_call","toolCallId":"deep","rawInput":${"[".repeat(100_000)}${"]".repeat(100_000)}}}}\n`,
  );
  played.agent(Buffer.from([0xff, 0xfe, 0x0a]).toString("latin1"));
  JSON.stringify(played.conversation.snapshot());
  ConversationSnapshot.parse(JSON.parse(JSON.stringify(played.conversation.view())));
  for (const event of played.events) ConversationEvent.parse(JSON.parse(JSON.stringify(event)));
  assert.deepEqual(
    played.events.map(({ seq }) => seq),
    played.events.map((_, index) => index + 1),
  );
});
