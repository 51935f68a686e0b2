import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { differences, temporaryDesk, transcript } from "./ipc-fixture.ts";
import { JsonEndScanner } from "./json-end.ts";
import type { IpcMessage } from "./replies.ts";

interface Reply {
  status: string;
  message?: string;
  session_token?: string;
  messages?: IpcMessage[];
  remaining?: number;
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("connect", resolve));
  return socket;
}

/** The next whole reply; what came after it is put back. */
async function reply(socket: Socket): Promise<string> {
  const scanner = new JsonEndScanner();
  const parts: Buffer[] = [];
  return await new Promise((resolve, reject) => {
    const end = (): void => reject(new Error(`ended after ${Buffer.concat(parts)}`));
    const take = (part: Buffer): void => {
      const found = scanner.push(part);
      parts.push(found.kind === "complete" ? part.subarray(0, found.end) : part);
      if (found.kind !== "complete") return;
      socket.off("data", take).off("close", end).off("end", end);
      socket.pause();
      if (found.end < part.length) socket.unshift(part.subarray(found.end));
      resolve(Buffer.concat(parts).toString("utf8"));
    };
    socket.on("data", take).on("close", end).on("end", end);
    socket.resume();
  });
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });

/** As their clients: one connection, a reply, away. */
async function ask(port: number, request: object | string): Promise<Reply> {
  return JSON.parse(await askText(port, typeof request === "string" ? request : JSON.stringify(request))) as Reply;
}

async function askText(port: number, text: string): Promise<string> {
  const socket = await dial(port);
  socket.write(text);
  const text_ = await reply(socket);
  socket.destroy();
  return text_;
}

async function register(port: number, name: string): Promise<string> {
  const { session_token, message } = await ask(port, { action: "register", instance_id: name });
  assert.ok(session_token, message ?? "no token");
  return session_token;
}

const send = (port: number, token: string, to: string, content: string): Promise<Reply> =>
  ask(port, { action: "send", from_id: "?", to_id: to, message: { content }, session_token: token });

const check = (token: string, more: object = {}): object => ({
  action: "check",
  instance_id: "?",
  session_token: token,
  ...more,
});

const contents = (given: Reply): string[] => (given.messages ?? []).map(({ message }) => message.content);

/** Checks until nothing is left. */
async function drain(port: number, token: string): Promise<string[]> {
  const all: string[] = [];
  for (;;) {
    const found = await ask(port, check(token));
    if (found.messages?.length === 0) return all;
    all.push(...contents(found));
  }
}

test("ipc socket: the golden transcript over connections that are cut into pieces", async () => {
  await using temporary = await temporaryDesk();
  const { port } = await temporary.serve();
  // What never ends on the wire is answered when the client has ended its side.
  const exchanges = transcript("open").filter(
    ({ request }) => !/^\{"action": "li/.test(request) || request.endsWith("}"),
  );
  const found = await differences(exchanges, async (request) => {
    const socket = await dial(port);
    const bytes = Buffer.from(request);
    for (let at = 0; at < bytes.length; at += 7) socket.write(bytes.subarray(at, at + 7));
    const text = await reply(socket);
    socket.destroy();
    return text;
  });
  assert.deepEqual(found, []);
});

test("ipc socket: several requests in one segment are answered in their order", async () => {
  await using temporary = await temporaryDesk();
  const { port } = await temporary.serve();
  const socket = await dial(port);
  socket.write(
    '{"action": "register", "instance_id": "a"} {"action": "register", "instance_id": "b"}\n{"action": "list"}',
  );
  assert.match(await reply(socket), /Registered a"/);
  assert.match(await reply(socket), /Registered b"/);
  assert.match(await reply(socket), /"instances": \[\{"id": "a", .*"id": "b"/);
  socket.end();
  await closed(socket);
});

test("ipc socket: a message of 1 MiB is taken, and given as a file with its beginning", async () => {
  await using temporary = await temporaryDesk();
  const { port } = await temporary.serve();
  const [fox, owl] = [await register(port, "fox"), await register(port, "owl")];
  const text = `First line. Second line! Third. ${"ü✓".repeat(200_000)}`;
  assert.equal((await send(port, fox, "owl", text)).message, "Message sent");
  const [message] = (await ask(port, check(owl))).messages ?? [];
  assert.ok(message?.large_file_path);
  assert.equal(message.message.content, `First line. Second line! Full content saved to: ${message.large_file_path}`);
  assert.equal(await readFile(message.large_file_path, "utf8"), text);
  assert.deepEqual(await drain(port, owl), []);
  assert.match((await send(port, fox, "owl", "x".repeat(1024 * 1024 + 1))).message ?? "", /too large/);
  assert.equal((await send(port, fox, "owl", "x".repeat(3_000_000))).message, "Message too large (1 MiB limit)");
});

test("ipc socket: a client that says how much it can read is given it", async () => {
  await using temporary = await temporaryDesk();
  const { port } = await temporary.serve();
  const [fox, owl] = [await register(port, "fox"), await register(port, "owl")];
  await send(port, fox, "owl", "y".repeat(300_000));
  assert.deepEqual(contents(await ask(port, check(owl, { max_bytes: 400_000 }))), ["y".repeat(300_000)]);
});

test("ipc socket: 300 KB of mail comes in replies that one recv holds, in order, and all of it once", async () => {
  await using temporary = await temporaryDesk();
  const { port } = await temporary.serve();
  const [fox, owl] = [await register(port, "fox"), await register(port, "owl")];
  const texts = Array.from({ length: 75 }, (_, at) => `${at} ${"z".repeat(4_000)}`);
  for (const text of texts) await send(port, fox, "owl", text);
  const first = await ask(port, check(owl));
  assert.ok(JSON.stringify(first).length < 50_000);
  assert.equal((first.remaining ?? 0) + (first.messages?.length ?? 0), 75);
  assert.deepEqual([...contents(first), ...(await drain(port, owl))], texts);
});

test("ipc socket: what a reader had not read when it went away is given to the next, in order", async () => {
  await using temporary = await temporaryDesk();
  const { port, open } = await temporary.serve();
  const [fox, owl] = [await register(port, "fox"), await register(port, "owl")];
  const texts = Array.from({ length: 60 }, (_, at) => `${at} ${"z".repeat(4_000)}`);
  for (const text of texts) await send(port, fox, "owl", text);
  for (const leave of [
    /** Reads a part of it. */
    async (socket: Socket) => {
      await new Promise((resolve) => socket.once("data", resolve).resume());
      socket.resetAndDestroy();
    },
    /** Gone before the reply, without a reset. */
    async (socket: Socket) => void socket.destroy(),
    /** Says that it has no more to say, and is killed with the reply unread. */
    async (socket: Socket) => {
      socket.end();
      await new Promise((resolve) => socket.once("finish", resolve));
      socket.destroy();
    },
  ]) {
    const socket = await dial(port);
    socket.pause();
    await new Promise((resolve) => socket.write(JSON.stringify(check(owl, { max_bytes: 300_000 })), resolve));
    await leave(socket);
    await Promise.all([...open].map((served) => served.closed));
  }
  assert.deepEqual(await drain(port, owl), texts);
});

test("ipc socket: a reader that ends its side first, as nc -N does, is given its mail once", async () => {
  await using temporary = await temporaryDesk();
  const { port } = await temporary.serve();
  const [fox, owl] = [await register(port, "fox"), await register(port, "owl")];
  await send(port, fox, "owl", "hello");
  const socket = await dial(port);
  socket.end(JSON.stringify(check(owl)));
  assert.match(await reply(socket), /hello/);
  socket.resume();
  await closed(socket);
  assert.deepEqual(await drain(port, owl), []);
});

test("ipc socket: a reader that never closes has read, and the next request is not kept waiting", async () => {
  await using temporary = await temporaryDesk();
  const { port } = await temporary.serve();
  const [fox, owl] = [await register(port, "fox"), await register(port, "owl")];
  await send(port, fox, "owl", "one");
  const socket = await dial(port);
  socket.write(JSON.stringify(check(owl)));
  assert.match(await reply(socket), /one/);
  await send(port, fox, "owl", "two");
  socket.write(JSON.stringify(check(owl)));
  assert.match(await reply(socket), /"messages": \[\{[^{]*\{"content": "two"\}\}\]/);
  assert.deepEqual(await drain(port, owl), []);
  socket.destroy();
});

test("ipc socket: garbage is answered as Python would, and the connection ended", async () => {
  await using temporary = await temporaryDesk();
  const { port } = await temporary.serve();
  const list = '{"action": "list"}';
  for (const [bytes, wanted] of [
    [
      Buffer.concat([Buffer.from([0, 0, 0, list.length]), Buffer.from(list)]),
      "Expecting value: line 1 column 1 (char 0)",
    ],
    [Buffer.from("[".repeat(100_000)), "Request is nested too deeply (64 levels)"],
    [Buffer.from(`{"a": "${"x".repeat(2.5 * 1024 * 1024)}`), "Message too large (1 MiB limit)"],
    [
      Buffer.from('{"action": "send", "message": {]}'),
      "Expecting property name enclosed in double quotes: line 1 column 32 (char 31)",
    ],
  ] as const) {
    const socket = await dial(port);
    socket.write(bytes);
    assert.equal((JSON.parse(await reply(socket)) as Reply).message, wanted);
    socket.resume();
    await new Promise((resolve) => socket.once("end", resolve));
    socket.destroy();
  }
  const half = await dial(port);
  half.end('{"action": "li');
  assert.match(await reply(half), /Unterminated string starting at: line 1 column 12 \(char 11\)/);
  half.resume();
  await closed(half);
});

test("ipc socket: what an earlier leader has handed out is given again, before what came later", async () => {
  await using temporary = await temporaryDesk();
  const { port } = await temporary.serve();
  const [fox, owl] = [await register(port, "fox"), await register(port, "owl")];
  await send(port, fox, "owl", "one");
  const { offered } = await temporary.desk.answer(check(owl));
  assert.equal(offered?.ids.length, 1);
  await send(port, fox, "owl", "two");
  const next = await temporary.serve(await temporary.successor());
  assert.deepEqual(await drain(next.port, owl), ["one", "two"]);
});

test("ipc socket: a server that ends takes the rest of a request first, and answers it", async () => {
  await using temporary = await temporaryDesk();
  const { port, open } = await temporary.serve();
  const socket = await dial(port);
  socket.write('{"action": "regis');
  while (open.size === 0) await new Promise((resolve) => setImmediate(resolve));
  const ended = Promise.all([...open].map((served) => served.close()));
  socket.write('ter", "instance_id": "fox"}');
  assert.match(await reply(socket), /Registered fox/);
  socket.end();
  await ended;
});
