import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { startClaudeIpcModel } from "../../../test/harness/claude-ipc-model.ts";
import { waitUntil } from "../../../test/harness/wait-until.ts";
import { readProcess } from "../../platform/process.ts";
import { IpcBridge } from "./bridge.ts";
import { askBroker, portOwner } from "./foreign-broker.ts";
import { type TemporaryDesk, temporaryDesk } from "./ipc-fixture.ts";
import { largeMessageFiles } from "./large-message.ts";

const self = { pid: process.pid, pidStart: String(readProcess(process.pid)?.startTicks) };

const bridge = (temporary: TemporaryDesk, port: number): IpcBridge =>
  new IpcBridge({
    broker: { port },
    mail: temporary.mailLog,
    storeLarge: largeMessageFiles(join(temporary.directory, "large-messages")),
    self,
    clock: temporary.clock,
    roundMs: 5,
  });

const ofOurs = async (temporary: TemporaryDesk, name: string): Promise<string> => {
  const { reply } = await temporary.desk.answer({ action: "register", instance_id: name });
  return "session_token" in reply ? String(reply.session_token) : assert.fail(JSON.stringify(reply));
};

const ofTheirs = async (port: number, name: string): Promise<string> =>
  String((await askBroker({ port }, { action: "register", instance_id: name })).session_token);

const send = (temporary: TemporaryDesk, [from, token]: [string, string], to: string, content: string) =>
  temporary.desk.answer({ action: "send", from_id: from, to_id: to, message: { content }, session_token: token });

const checkOurs = async (temporary: TemporaryDesk, token: string): Promise<{ from: string; message: object }[]> => {
  const { reply, offered } = await temporary.desk.answer({ action: "check", instance_id: "?", session_token: token });
  if (offered !== undefined) await temporary.desk.offeredMail.confirm(offered);
  return "messages" in reply ? (reply.messages ?? []) : [];
};

/** What comes until there are `count`. */
async function arrived(
  temporary: TemporaryDesk,
  token: string,
  count: number,
): Promise<{ from: string; message: object }[]> {
  const got: { from: string; message: object }[] = [];
  const look = async (): Promise<boolean> => {
    got.push(...(await checkOurs(temporary, token)));
    return got.length >= count;
  };
  await waitUntil(look, { what: `${count} messages` });
  return got;
}

test("foreign broker: told apart from ours, from nobody and from a stranger", async () => {
  await using broker = await startClaudeIpcModel();
  await using secretive = await startClaudeIpcModel({ secret: "hush" });
  assert.equal(await portOwner({ port: broker.port }), "claude_ipc");
  assert.equal(await portOwner({ port: secretive.port }), "claude_ipc");
  const { port } = broker;
  await broker[Symbol.asyncDispose]();
  assert.equal(await portOwner({ port }), "none");
});

test("bridge: mail passes both ways while the broker lives, and its names are free when it is gone", async () => {
  await using temporary = await temporaryDesk();
  await using broker = await startClaudeIpcModel();
  const { port } = broker;
  const [fox, bob] = [await ofOurs(temporary, "fox"), await ofTheirs(port, "bob")];
  const bridging = bridge(temporary, port);

  const participants = () => temporary.mailLog.read({ type: "mail.list", payload: {}, by: { client: "t" }, nowMs: 0 });
  await waitUntil(async () => (await participants()).participants.some(({ name }) => name === "bob"), {
    what: "bob is known here",
  });
  const long = "l".repeat(10_000);
  for (const content of ["one", long, "three"]) {
    const { reply } = await temporary.desk.answer({
      action: "send",
      from_id: "fox",
      to_id: "bob",
      message: { content, data: {} },
      session_token: fox,
    });
    assert.deepEqual(reply, { status: "ok", message: "Message sent" });
  }
  await waitUntil(() => broker.queueOf("bob").length === 3, { what: "bob has fox's mail there" });
  const taken = (await askBroker({ port }, { action: "check", instance_id: "bob", session_token: bob })).messages as {
    from: string;
    message: { content: string };
  }[];
  assert.deepEqual(
    taken.map(({ from }) => from),
    ["fox", "fox", "fox"],
  );
  assert.equal(taken[0]?.message.content, "one");
  assert.match(taken[1]?.message.content ?? "", /Full content saved to: .*large-messages/);
  assert.equal(taken[2]?.message.content, "three");

  for (const content of ["hello fox", "again"])
    await askBroker(
      { port },
      { action: "send", from_id: "bob", to_id: "fox", message: { content }, session_token: bob },
    );
  const got = await arrived(temporary, fox, 2);
  assert.deepEqual(
    got.map(({ from, message }) => [from, message]),
    [
      ["bob", { content: "hello fox" }],
      ["bob", { content: "again" }],
    ],
  );

  await broker[Symbol.asyncDispose]();
  assert.equal(await bridging.closed, "gone");
  // Whatever was not passed on waits here for bob, who can be anybody now.
  await temporary.desk.answer({
    action: "send",
    from_id: "fox",
    to_id: "bob",
    message: { content: "later" },
    session_token: fox,
  });
  assert.deepEqual(
    (await checkOurs(temporary, await ofOurs(temporary, "bob"))).map(({ message }) => message),
    [{ content: "later" }],
  );
});

test("bridge: who has our name there does not speak for it here", async () => {
  await using temporary = await temporaryDesk();
  await using broker = await startClaudeIpcModel();
  const { port } = broker;
  const [, owl] = [await ofOurs(temporary, "fox"), await ofOurs(temporary, "owl")];
  const impostor = await ofTheirs(port, "fox");
  const bridging = bridge(temporary, port);
  const asFox = { from_id: "fox", session_token: impostor };
  await askBroker({ port }, { action: "send", ...asFox, to_id: "owl", message: { content: "I am fox" } });
  const got = await arrived(temporary, owl, 1);
  assert.deepEqual(
    got.map(({ from, message }) => [from, message]),
    [["warren-bridge", { content: "from fox, by claude-ipc\n\nI am fox" }]],
  );
  await bridging.close();
});

test("bridge: mail from another machine comes from the bridge there, and names its sender", async () => {
  await using temporary = await temporaryDesk();
  await using broker = await startClaudeIpcModel();
  await ofTheirs(broker.port, "bob");
  const nowMs = temporary.clock.wallMs();
  const copy = {
    n: 1,
    prev: 0,
    from: "fox",
    to: "bob",
    id: "a",
    seq: 1,
    kind: "message" as const,
    sent_at_ms: nowMs,
    body: "hi",
    thread: "a",
    hops: 0,
    expires_at_ms: nowMs + 60_000,
  };
  const by = { client: "t" };
  const machine = { machine: "laptop", log_id: "x" };
  const second = { ...copy, n: 2, prev: 1, id: "b", subject: "again" };
  for (const each of [copy, second])
    await temporary.mailLog.perform({ type: "log.arrive", payload: { ...machine, copy: each }, by, nowMs });
  const bridging = bridge(temporary, broker.port);
  await waitUntil(() => broker.queueOf("bob").length === 2, { what: "bob has fox's mail there" });
  assert.deepEqual(
    broker.queueOf("bob").map(({ from, message }) => [from, message]),
    [
      ["warren-bridge", { content: "from fox@laptop\n\nhi" }],
      ["warren-bridge", { content: "from fox@laptop: again\n\nhi" }],
    ],
  );
  await bridging.close();
});

test("bridge: what the broker does not take of one sender holds up nobody else, in neither direction", async () => {
  await using temporary = await temporaryDesk();
  await using broker = await startClaudeIpcModel({ refused: ["owl"] });
  const { port } = broker;
  const [fox, owl, bob] = [await ofOurs(temporary, "fox"), await ofOurs(temporary, "owl"), await ofTheirs(port, "bob")];
  await send(temporary, ["owl", owl], "bob", "one");
  await send(temporary, ["fox", fox], "bob", "two");
  await askBroker(
    { port },
    { action: "send", from_id: "bob", to_id: "fox", message: { content: "hello" }, session_token: bob },
  );
  const bridging = bridge(temporary, port);
  await waitUntil(() => broker.queueOf("bob").length === 1, { what: "bob has fox's mail there" });
  assert.deepEqual(
    (await arrived(temporary, fox, 1)).map(({ message }) => message),
    [{ content: "hello" }],
  );
  await bridging.close();
});

test("bridge: a full queue there is waited for, however often it is tried", async () => {
  await using temporary = await temporaryDesk();
  await using broker = await startClaudeIpcModel();
  const { port } = broker;
  const [fox, bob] = [await ofOurs(temporary, "fox"), await ofTheirs(port, "bob")];
  const asBob = { instance_id: "bob", session_token: bob };
  for (let count = 0; count < 100; count++)
    await askBroker({ port }, { action: "send", from_id: "bob", to_id: "bob", message: { content: "x" }, ...asBob });
  const bridging = bridge(temporary, port);
  await send(temporary, ["fox", fox], "bob", "patience");
  const tried = (): number =>
    broker.requests.filter(({ action, from_id }) => action === "send" && from_id === "fox").length;
  /** The next attempt may be planned only after the last one was seen here. */
  const inTime = (found: () => boolean, what: string): Promise<boolean> =>
    waitUntil(
      () => {
        temporary.clock.move(60_000);
        return found();
      },
      { what },
    );
  for (let count = 1; count <= 12; count++) await inTime(() => tried() >= count, `attempt ${count}`);
  await askBroker({ port }, { action: "check", ...asBob });
  await inTime(() => broker.queueOf("bob").length === 1, "bob has fox's mail there");
  await bridging.close();
});
