import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { test } from "node:test";
import type { Client } from "../src/client/client.ts";
import type { IpcMessage } from "../src/mailbox/ipc/replies.ts";
import { startClaudeIpcModel } from "./harness/claude-ipc-model.ts";
import { MailHome } from "./harness/mail.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** claude-ipc's wire at a real leader, with a client in Python that knows nothing of Warren. */
const CLIENT = new URL("python/ipc_client.py", import.meta.url).pathname;
const skip = hasPython() ? false : "python3 is not installed";

interface Outcome {
  reply?: {
    status: string;
    message?: string;
    messages?: IpcMessage[];
    instances?: { id: string }[];
    remaining?: number;
  };
  raw?: string;
  error?: string;
  left?: boolean;
}

/** One Python process, one connection for each thing that it is told. */
class PythonClient implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(port: number, env: Record<string, string> = {}) {
    this.process = spawn("python3", [CLIENT, String(port)], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, IPC_SHARED_SECRET: "", ...env },
    });
    this.#lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
  }

  async tell(command: object): Promise<Outcome> {
    this.process.stdin!.write(`${JSON.stringify(command)}\n`);
    const { value, done } = await this.#lines.next();
    assert.ok(done !== true, "the client ended");
    return JSON.parse(value) as Outcome;
  }

  send(from: string, to: string, content: string): Promise<Outcome> {
    return this.tell({
      as: from,
      request: { action: "send", from_id: from, to_id: to, message: { content, data: {} } },
    });
  }

  check(name: string, more: object = {}): Promise<Outcome> {
    return this.tell({ as: name, request: { action: "check", instance_id: name }, ...more });
  }

  /** Checks until nothing is left. */
  async drain(name: string): Promise<string[]> {
    const all: string[] = [];
    for (;;) {
      const { reply, error } = await this.check(name);
      assert.equal(error, undefined);
      const contents = (reply?.messages ?? []).map(({ message }) => message.content);
      if (contents.length === 0) return all;
      all.push(...contents);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, "exit");
    this.process.stdin!.end();
    await ended;
  }
}

/** A mailbox that somebody has started, and its port. */
async function started(env: Record<string, string> = {}): Promise<{ home: MailHome; port: number; starter: Client }> {
  const home = new MailHome({ env });
  const starter = home.client();
  const { leader } = await home.status(starter);
  assert.ok(leader.port, "the leader has a port");
  return { home, port: leader.port, starter };
}

test("claude-ipc at a leader: a client in Python registers, sends, checks, lists and renames", { skip }, async () => {
  const { home, port } = await started();
  await using _home = home;
  await using python = new PythonClient(port);
  assert.equal((await python.tell({ request: { action: "list" } })).reply?.status, "ok");
  assert.equal((await python.tell({ register: "fox" })).reply?.message, "Registered fox");
  assert.equal((await python.tell({ register: "owl" })).reply?.message, "Registered owl");
  assert.equal((await python.send("fox", "owl", "✓ done")).reply?.message, "Message sent");
  assert.deepEqual(await python.drain("owl"), ["✓ done"]);
  const { reply } = await python.tell({ request: { action: "list" } });
  assert.deepEqual(
    reply?.instances?.map(({ id }) => id),
    ["fox", "owl"],
  );
  const rename = { action: "rename", old_id: "fox", new_id: "wolf" };
  assert.equal((await python.tell({ as: "fox", request: rename })).reply?.message, "Renamed fox to wolf");
  assert.deepEqual(await python.drain("owl"), ["📝 fox renamed to wolf"]);
});

test("claude-ipc at a leader: its clients and ours write to each other", { skip }, async () => {
  const { home, port } = await started();
  await using _home = home;
  await using python = new PythonClient(port);
  await python.tell({ register: "fox" });
  const client = home.client();
  await client.request("mail.register", { name: "heron" });
  const waiting = client.request("mail.fetch", { as: "heron", wait_ms: 20_000 });
  assert.equal((await python.send("fox", "heron", "wake up")).reply?.message, "Message sent");
  const { messages } = await waiting;
  assert.deepEqual(
    messages.map(({ from, body, data }) => [from, body, data]),
    [["fox", "wake up", {}]],
  );
  const { message } = await client.request("mail.send", { as: "heron", to: ["fox"], subject: "re", body: "awake" });
  assert.deepEqual(await python.drain("fox"), ["re\n\nawake"]);
  const waited = await client.request("mail.wait", { as: "heron", id: message.id, for: "handled", timeout_ms: 20_000 });
  assert.equal(waited.result, "met");
  // The name is the Python process's as long as that lives.
  await assert.rejects(client.request("mail.register", { name: "fox" }), { code: "NAME_TAKEN" });
});

test(
  "claude-ipc at a leader: 1 MB in pieces, 300 KB of mail by single reads, and readers that leave: nothing is lost",
  { skip },
  async () => {
    const { home, port } = await started();
    await using _home = home;
    await using python = new PythonClient(port);
    await python.tell({ register: "fox" });
    await python.tell({ register: "owl" });
    const message = { content: "x".repeat(1_000_000) };
    const big = await python.tell({
      as: "fox",
      request: { action: "send", from_id: "fox", to_id: "owl", message },
      cut: [1, 5, 4_096, 70_000],
    });
    assert.equal(big.reply?.message, "Message sent");
    assert.match((await python.drain("owl"))[0] ?? "", /Full content saved to/);
    const texts = Array.from({ length: 75 }, (_, at) => `${at} ${"z".repeat(4_000)}`);
    for (const text of texts) await python.send("fox", "owl", text);
    // More than it can read at once, as it asked for: its single read cuts the reply, and the kernel resets the connection.
    const cut = { request: { action: "check", instance_id: "owl", max_bytes: 400_000 } };
    assert.match((await python.tell({ as: "owl", ...cut })).error ?? "", /JSONDecodeError/);
    assert.equal((await python.tell({ as: "owl", ...cut, leave: true })).left, true);
    assert.deepEqual(await python.drain("owl"), texts);
  },
);

test(
  "claude-ipc at a leader: a reader killed in the middle of a read leaves its mail to the next",
  { skip },
  async () => {
    const { home, port } = await started();
    await using _home = home;
    await using python = new PythonClient(port);
    await python.tell({ register: "fox" });
    await python.tell({ register: "owl" });
    await python.send("fox", "owl", "a".repeat(200_000));
    await python.send("fox", "owl", "b");
    const token = await sessionOf(port, "heron");
    await python.send("fox", "heron", "c".repeat(300_000));
    const script = `import socket,sys;s=socket.create_connection(("127.0.0.1",${port}));s.sendall(sys.argv[1].encode());s.recv(10);print("in",flush=True);s.recv(10);import time;time.sleep(60)`;
    const request = { action: "check", instance_id: "heron", session_token: token, max_bytes: 400_000 };
    const reader = spawn("python3", ["-c", script, JSON.stringify(request)], { stdio: ["ignore", "pipe", "inherit"] });
    await once(reader.stdout!, "data");
    const ended = once(reader, "exit");
    reader.kill("SIGKILL");
    await ended;
    const again = await ask(port, request);
    assert.equal((again.messages as IpcMessage[])[0]?.message.content, "c".repeat(300_000));
    assert.equal((await python.drain("owl")).length, 2);
  },
);

test("claude-ipc at a leader: sessions and mail outlive it; a send that was answered is there", { skip }, async () => {
  const { home, port } = await started();
  await using _home = home;
  home.member();
  await using python = new PythonClient(port);
  await python.tell({ register: "fox" });
  await python.tell({ register: "owl" });
  await home.standby();
  const answered: string[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    for (let count = 0; count < 5; count += 1) {
      const text = `${turn}.${count}`;
      if ((await python.send("fox", "owl", text)).reply?.status === "ok") answered.push(text);
    }
    const { pid, epoch } = await home.leader();
    process.kill(pid, "SIGKILL");
    await home.leader({ afterEpoch: epoch });
    await waitUntil(async () => (await python.tell({ request: { action: "list" } })).reply !== undefined, {
      what: "the port answers again",
    });
  }
  assert.ok(answered.length >= 13);
  assert.deepEqual(await python.drain("owl"), answered);
});

test("claude-ipc at a leader: with a shared secret", { skip }, async () => {
  const { home, port } = await started({ IPC_SHARED_SECRET: "hush" });
  await using _home = home;
  await using stranger = new PythonClient(port);
  await using friend = new PythonClient(port, { IPC_SHARED_SECRET: "hush" });
  assert.match((await stranger.tell({ register: "fox" })).reply?.message ?? "", /auth token/);
  assert.match((await stranger.tell({ request: { action: "list" } })).reply?.message ?? "", /session token/);
  assert.equal((await friend.tell({ register: "fox" })).reply?.message, "Registered fox");
});

test("claude-ipc at a leader: health scripts say UP, then DOWN; a thousand silent connections change nothing", async () => {
  const { home, port, starter } = await started();
  await using _home = home;
  const silent = await Promise.all(Array.from({ length: 1_000 }, () => dial(port)));
  // As the health script does: no token, one read of a part.
  const [first] = (await once((await dial(port)).end('{"action": "list"}'), "data")) as [Buffer];
  assert.match(first.toString(), /^\{"status": "ok", "instances": /);
  (await dial(port)).destroy(); // nc -z
  for (const garbage of [
    Buffer.from([0, 0, 0, 18, ...Buffer.from('{"action": "list"}')]),
    Buffer.from('{"action": {"action": [[[{'),
    Buffer.from("[".repeat(100)),
    Buffer.from([0xff, 0xfe, 0x80]),
  ]) {
    const socket = await dial(port);
    socket.end(garbage);
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.equal((JSON.parse(answer.toString()) as { status: string }).status, "error");
    socket.destroy();
  }
  assert.equal((await ask(port, { action: "list" })).status, "ok");
  for (const socket of silent) socket.destroy();
  starter.close(); // it would start another leader
  const isDown = async (): Promise<boolean> => {
    for (const { pid } of home.processes()) kill(pid); // a standby may just have been started
    return await dial(port).then(
      (socket) => {
        socket.destroy();
        return false;
      },
      (error: NodeJS.ErrnoException) => error.code === "ECONNREFUSED",
    );
  };
  await waitUntil(isDown, { what: "DOWN" });
});

test("claude-ipc's own broker has the port: mail passes both ways, and the port is ours when it leaves", async () => {
  await using broker = await startClaudeIpcModel();
  const { port } = broker;
  const { session_token: bob } = await ask(port, { action: "register", instance_id: "bob" });
  await using home = new MailHome({ env: { WARREN_MAIL_PORT: String(port) } });
  const client = home.client();
  home.member();
  await client.request("mail.register", { name: "fox" });
  const { leader, port_problem } = await home.status(client);
  assert.equal(leader.port, undefined);
  assert.ok(port_problem);
  await client.request("mail.send", { as: "fox", to: ["bob"], body: "from here" });
  await waitUntil(() => broker.queueOf("bob").length === 1, { what: "bob's queue there" });
  const waiting = client.request("mail.fetch", { as: "fox", wait_ms: 20_000 });
  await ask(port, {
    action: "send",
    from_id: "bob",
    to_id: "fox",
    message: { content: "from there" },
    session_token: bob,
  });
  const { messages } = await waiting;
  assert.deepEqual(
    messages.map(({ from, body }) => [from, body]),
    [["bob", "from there"]],
  );
  await broker[Symbol.asyncDispose]();
  await waitUntil(async () => (await home.status(client)).leader.port === port, { what: "the port is ours" });
  assert.equal((await ask(port, { action: "list" })).status, "ok");
});

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  socket.on("error", () => undefined);
  return socket;
}

/** By a connection that reads until the reply is whole. */
async function ask(port: number, request: object): Promise<Record<string, unknown>> {
  const socket = await dial(port);
  socket.write(JSON.stringify(request));
  let text = "";
  for await (const part of socket) {
    text += part;
    try {
      return JSON.parse(text) as Record<string, unknown>;
    } catch {
      // not whole yet
    }
  }
  throw new Error(`ended after ${text}`);
}

const sessionOf = async (port: number, name: string): Promise<string> =>
  String((await ask(port, { action: "register", instance_id: name })).session_token);

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it ended by itself
  }
}

function hasPython(): boolean {
  try {
    execFileSync("python3", ["-c", "import socket"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
