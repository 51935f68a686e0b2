import assert from "node:assert/strict";
import { test } from "node:test";
import { readProcess } from "../../platform/process.ts";
import { IpcConversation } from "./conversation.ts";
import type { IpcDesk } from "./ipc-desk.ts";
import { differences, temporaryDesk, transcript } from "./ipc-fixture.ts";

/** A connection that reads its reply whole: what it was offered is confirmed. */
async function talk(desk: IpcDesk, request: string): Promise<string> {
  const conversation = new IpcConversation(desk);
  let text = "";
  for await (const replies of [conversation.feed(Buffer.from(request)), conversation.end()])
    for await (const reply of replies) {
      text += reply.text;
      if (reply.offered !== undefined) await desk.offeredMail.confirm(reply.offered);
    }
  return text;
}

test("claude-ipc: every action, reply and error, to the letter", async () => {
  await using temporary = await temporaryDesk();
  const exchanges = transcript("open");
  assert.ok(exchanges.length > 50);
  assert.deepEqual(await differences(exchanges, (request) => talk(temporary.desk, request)), []);
});

test("claude-ipc: with a shared secret, only its proof registers, and list asks for a session", async () => {
  await using temporary = await temporaryDesk({ secret: "hush" });
  assert.deepEqual(await differences(transcript("secret"), (request) => talk(temporary.desk, request)), []);
});

const HOUR_MS = 3_600_000;

async function registered(desk: IpcDesk, name: string): Promise<string> {
  const reply = JSON.parse(await talk(desk, JSON.stringify({ action: "register", instance_id: name })));
  assert.equal(reply.status, "ok", reply.message);
  return reply.session_token;
}

const say = async (desk: IpcDesk, request: object): Promise<string> =>
  JSON.parse(await talk(desk, JSON.stringify(request))).message;

test("claude-ipc: its limits are kept only when they are asked for", async () => {
  for (const isStrict of [true, false]) {
    await using temporary = await temporaryDesk({ isStrict });
    const { desk, clock } = temporary;
    const token = await registered(desk, "fox");
    const send = { action: "send", from_id: "fox", to_id: "owl", message: { content: "x" }, session_token: token };
    const replies: string[] = [];
    for (let count = 0; count < 101; count += 1) replies.push(await say(desk, send));
    const isLimited = replies.at(-1) === "Rate limit exceeded. Please wait before sending more requests.";
    assert.equal(isLimited, isStrict);
    assert.equal(replies.filter((each) => each.startsWith("Message queued for owl")).length, isStrict ? 100 : 101);
    clock.move(61_000);
    const full = "Message queue full for owl (100 message limit)";
    assert.equal((await say(desk, send)) === full, isStrict);
    const rename = (to: string): Promise<string> =>
      say(desk, { action: "rename", old_id: "?", new_id: to, session_token: token });
    assert.equal(await rename("wolf"), "Renamed fox to wolf");
    clock.move(HOUR_MS / 2);
    assert.equal(
      await rename("bear"),
      isStrict ? "Rate limit: can rename again in 30 minutes" : "Renamed wolf to bear",
    );
    clock.move(HOUR_MS / 2);
    assert.equal(await rename("lynx"), isStrict ? "Renamed wolf to lynx" : "Renamed bear to lynx");
  }
});

test("claude-ipc: strict counts registrations by themselves", async () => {
  await using temporary = await temporaryDesk({ isStrict: true });
  const register = (): Promise<string> => say(temporary.desk, { action: "register", instance_id: "fox" });
  for (let count = 0; count < 100; count += 1) assert.equal(await register(), "Registered fox");
  assert.equal(await register(), "Too many registration attempts. Please wait.");
});

test("claude-ipc: a session ends after a day, and outlives its leader until then", async () => {
  await using temporary = await temporaryDesk();
  const token = await registered(temporary.desk, "fox");
  const check = { action: "check", instance_id: "fox", session_token: token };
  temporary.clock.move(23 * HOUR_MS);
  const desk = await temporary.successor();
  assert.equal(await talk(desk, JSON.stringify(check)), '{"status": "ok", "messages": []}');
  temporary.clock.move(HOUR_MS + 1000);
  assert.equal(await say(desk, check), "Invalid or missing session token");
});

test("claude-ipc: a name is its holder's while that lives, and never free when it belongs to a key", async () => {
  await using temporary = await temporaryDesk();
  const { desk, mailLog, clock } = temporary;
  const alive = { pid: process.pid, pidStart: String(readProcess(process.pid)?.startTicks) };
  const as = (holder: { pid: number; pidStart: string } | undefined): Promise<{ reply: object }> =>
    desk.answer({ action: "register", instance_id: "fox" }, { process: async () => holder });
  assert.match(JSON.stringify(await as(alive)), /"Registered fox"/);
  assert.match(JSON.stringify(await as(undefined)), /Instance fox already exists: .* in use by process/);
  assert.match(JSON.stringify(await as(alive)), /"Registered fox"/);
  await mailLog.perform({
    type: "mail.register",
    payload: { name: "owl", key: "mine" },
    by: { client: "c" },
    nowMs: clock.wallMs(),
  });
  assert.match(
    await say(desk, { action: "register", instance_id: "owl" }),
    /^Instance owl already exists: .*belongs to a key/,
  );
});
