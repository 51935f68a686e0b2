import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type * as z from "zod";
import { TestPlace, type TestRecord, text } from "./agent-fixture.ts";
import { idKey, type RpcMessage, readMessage } from "./json-rpc.ts";

/** The protocol's own schemas, as its library has them. */
const schemas = (await import(
  new URL("../schema/zod.gen.js", import.meta.resolve("@agentclientprotocol/sdk")).href
)) as Record<string, z.ZodType>;

/** By method, the name of its shapes there. */
const SHAPES: Record<string, string> = {
  initialize: "Initialize",
  authenticate: "Authenticate",
  "session/new": "NewSession",
  "session/load": "LoadSession",
  "session/resume": "ResumeSession",
  "session/close": "CloseSession",
  "session/set_mode": "SetSessionMode",
  "session/prompt": "Prompt",
  "session/cancel": "Cancel",
  "session/update": "Session",
  "session/request_permission": "RequestPermission",
  "fs/read_text_file": "ReadTextFile",
  "fs/write_text_file": "WriteTextFile",
  "terminal/create": "CreateTerminal",
  "terminal/output": "TerminalOutput",
  "terminal/wait_for_exit": "WaitForTerminalExit",
  "terminal/release": "ReleaseTerminal",
  "terminal/kill": "KillTerminal",
};

/** Every message in the journal has the shape that the protocol gives it; the methods and updates that were there. */
function checkShapes(records: readonly TestRecord[]): Set<string> {
  const methods = new Set<string>();
  for (const [from, to] of [
    ["output", "input"],
    ["input", "output"],
  ] as const) {
    const answers = new Map(
      messagesOf(records, to).flatMap((message) => (message.kind === "response" ? [[idKey(message.id), message]] : [])),
    );
    for (const message of messagesOf(records, from)) {
      if (message.kind === "response" || message.method.startsWith("_")) continue;
      methods.add(message.method);
      const shape = SHAPES[message.method] ?? "?";
      check(`z${shape}${message.kind === "request" ? "Request" : "Notification"}`, message.params);
      if (message.kind !== "request") continue;
      const answer = answers.get(idKey(message.id));
      assert.ok(answer, `${message.method} was answered`);
      check(answer.error ? "zError" : `z${shape}Response`, answer.error ?? answer.result);
    }
  }
  return methods;
}

function messagesOf(records: readonly TestRecord[], kind: TestRecord["kind"]): RpcMessage[] {
  const bytes = Buffer.concat(records.flatMap((record) => (record.kind === kind ? [record.bytes] : [])));
  const lines = bytes.toString().split("\n").filter(Boolean);
  return lines.map((line) => {
    const value = JSON.parse(line) as { jsonrpc?: string };
    assert.equal(value.jsonrpc, "2.0");
    const message = readMessage(value);
    assert.ok(message, line);
    return message;
  });
}

function check(name: string, value: unknown): void {
  const schema = schemas[name];
  assert.ok(schema, `the schema ${name}`);
  const result = schema.safeParse(value);
  assert.ok(result.success, `${name}: ${JSON.stringify(value).slice(0, 300)} ${result.error?.message}`);
}

test("interop: every message of ours and of the scripted agent has the protocol's shape", async () => {
  await using place = new TestPlace();
  writeFileSync(join(place.cwd, "main.ts"), "old\n");
  const { keeper, server } = await place.agent();
  const script =
    'think a\nplan [x] b; c\nread main.ts\nedit main.ts s/old/new/\nwrite new.txt hi\nread none\nrun true\ntitle t\nusage 1 2\nmode ask\nask "d" allow|deny|always|never\nunknown-method';
  await server.link.prompt(text(script), "p1", "ann");
  await server.untilAsked();
  await server.link.answerPermission({
    itemId: server.conversation.questions[0]?.id ?? "",
    choice: "allow",
    by: "ann",
  });
  await server.untilTurns(1);
  await server.link.setMode("code");
  await server.link.prompt(text('ask "d"'), "p2");
  await server.untilAsked();
  await server.link.cancel();
  await server.untilTurns(2);
  await server.link.close();
  const records = [...keeper.records];
  await keeper.close();
  for (const args of [["--no-resume"], ["--no-load"], ["--fault", "login"]]) {
    const again = place.keeper(args);
    const resumed = place.server(again, { resume: "scripted-1" });
    await resumed.link.start().catch(() => resumed.link.login("magic-word"));
    records.push(...again.records.map((record) => ({ ...record })));
    checkShapes(again.records);
  }
  const methods = checkShapes(records.filter((record) => keeper.records.includes(record)));
  for (const method of [
    "initialize",
    "session/new",
    "session/prompt",
    "session/cancel",
    "terminal/create",
    "fs/read_text_file",
  ]) {
    assert.ok(methods.has(method), method);
  }
});

test("interop: an agent made with the protocol's library is served all that it asks for", async () => {
  await using place = new TestPlace();
  const keeper = place.keeper([], [process.execPath, join(import.meta.dirname, "sdk-agent-fixture.ts")]);
  const server = place.server(keeper);
  await server.link.start();
  await server.link.setMode("b");
  await server.link.prompt(text(join(place.cwd, "made/by-agent.txt")), "p1", "ann");
  await server.untilAsked();
  await server.link.answerPermission({
    itemId: server.conversation.questions[0]?.id ?? "",
    choice: "allow",
    by: "ann",
  });
  await server.untilTurns(1);
  const told = { read: "two\n", exit: 0, output: "3", asked: { outcome: "selected", optionId: "y" } };
  assert.deepEqual(
    server.texts("agent_message").map((said) => JSON.parse(said)),
    [told, told],
  );
  assert.equal(server.conversation.info.mode, "b");
  await server.link.close();
  checkShapes(keeper.records);
});
