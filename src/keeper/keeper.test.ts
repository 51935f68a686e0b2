import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { KeeperConnection } from "../local/keeper-client.ts";
import { silentLog } from "../platform/log.ts";
import { readProcess } from "../platform/process.ts";
import { isWarrenError } from "../protocol/errors.ts";
import type { ServerSpec } from "../protocol/keeper-calls.ts";
import { Keeper } from "./keeper.ts";

const SERVES = "echo warm >&4; read go <&4; echo ready >&4; read drain <&4; exit 0";

class KeeperFixture implements AsyncDisposable {
  readonly directory: string;
  readonly empty = Promise.withResolvers<void>();
  readonly #listener: net.Server;
  readonly #connections: KeeperConnection[] = [];

  static async make(): Promise<KeeperFixture> {
    const fixture = new KeeperFixture(await mkdtemp(join(tmpdir(), "warren-keeper-")));
    await new Promise<void>((listening) => fixture.#listener.listen(fixture.socketPath, listening));
    return fixture;
  }

  private constructor(directory: string) {
    this.directory = directory;
    const keeper = new Keeper({
      home: "/home/of/it",
      env: { PATH: process.env.PATH, MARK: "of the keeper" },
      log: silentLog,
      onEmpty: () => this.empty.resolve(),
    });
    this.#listener = net.createServer((socket) => keeper.accept(socket));
  }

  get socketPath(): string {
    return join(this.directory, "keeper.sock");
  }

  async connect(): Promise<KeeperConnection> {
    const connection = await KeeperConnection.connect(this.socketPath);
    assert.ok(connection);
    this.#connections.push(connection);
    return connection;
  }

  start(connection: KeeperConnection, name: string, hash: string, script = SERVES) {
    const spec: ServerSpec = {
      name,
      hash,
      command: ["sh", "-c", `echo "$MARK" >> ${this.directory}/starts; ${script}`, "generation"],
      logPath: join(this.directory, `${name}.log`),
    };
    return connection.call({ call: "server.start", spec, socketPath: join(this.directory, `${name}.sock`) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const connection = await this.connect();
    for (const { name } of (await connection.call({ call: "list" })).servers) {
      await connection.call({ call: "server.stop", name, force: true });
    }
    for (const one of this.#connections) one.close();
    await new Promise((closed) => this.#listener.close(closed));
    await rm(this.directory, { recursive: true });
  }
}

test("keeper: one server for each build, however many ask at once", async () => {
  await using fixture = await KeeperFixture.make();
  const clients = await Promise.all(Array.from({ length: 5 }, () => fixture.connect()));
  const answers = await Promise.all(clients.map((client, at) => fixture.start(client, `server-${at}`, "aaa")));
  assert.equal(new Set(answers.map(({ pid }) => pid)).size, 1);
  assert.equal(await readFile(join(fixture.directory, "starts"), "utf8"), "of the keeper\n");
  const other = await fixture.start(clients[0]!, "frozen", "bbb");
  assert.notEqual(other.pid, answers[0]?.pid);
  const { servers } = await clients[1]!.call({ call: "list" });
  assert.deepEqual(servers.map(({ hash }) => hash).toSorted(), ["aaa", "bbb"]);
});

test("keeper: a name belongs to one server; a server that failed can be asked for again", async () => {
  await using fixture = await KeeperFixture.make();
  const client = await fixture.connect();
  await fixture.start(client, "blazing", "aaa");
  await assert.rejects(fixture.start(client, "blazing", "bbb"), (error) => isWarrenError(error, "NAME_TAKEN"));
  await assert.rejects(
    fixture.start(client, "frozen", "ccc", "exit 1"),
    (error) => isWarrenError(error, "SERVER_START_FAILED") && Array.isArray(error.detail?.lines),
  );
  assert.equal((await fixture.start(client, "frozen", "ccc")).state, "ready");
});

test("keeper: answers each call by its id, slow ones later; unknown ones with an error", async () => {
  await using fixture = await KeeperFixture.make();
  const client = await fixture.connect();
  const slow = fixture.start(client, "blazing", "aaa");
  assert.deepEqual(await client.call({ call: "hello" }), { contract: 1, pid: process.pid, home: "/home/of/it" });
  assert.equal((await slow).state, "ready");
  await assert.rejects(client.call({ call: "dance" } as never), (error) => isWarrenError(error, "UNKNOWN_CALL"));
  await assert.rejects(client.call({ call: "server.stop", name: "nobody" }), (error) =>
    isWarrenError(error, "SERVER_NOT_FOUND"),
  );
});

test("keeper: bytes that are no frames end their connection and no other", async () => {
  await using fixture = await KeeperFixture.make();
  const client = await fixture.connect();
  const stranger = net.connect(fixture.socketPath);
  const closed = new Promise((resolve) => stranger.on("error", () => {}).on("close", resolve));
  stranger.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await closed;
  assert.equal((await client.call({ call: "hello" })).contract, 1);
});

test("keeper: is done when the last server has ended, and not before", async () => {
  await using fixture = await KeeperFixture.make();
  const client = await fixture.connect();
  const { pid } = await fixture.start(client, "blazing", "aaa");
  assert.ok(readProcess(pid));
  await client.call({ call: "server.stop", name: "blazing" });
  assert.deepEqual((await client.call({ call: "list" })).servers, []);
  await fixture.empty.promise;
});

test("connection: calls that are not answered when the keeper goes are told so, as are those that come later", async () => {
  const directory = await mkdtemp(join(tmpdir(), "warren-keeper-"));
  const path = join(directory, "keeper.sock");
  assert.equal(await KeeperConnection.connect(path), undefined);
  const listener = net.createServer((socket) => socket.once("data", () => socket.destroy()));
  await new Promise<void>((listening) => listener.listen(path, listening));
  const connection = await KeeperConnection.connect(path);
  assert.ok(connection);
  for (const call of ["hello", "list"] as const)
    await assert.rejects(connection.call({ call }), (error) => isWarrenError(error, "KEEPER_LOST"));
  connection.close();
  await new Promise((closed) => listener.close(closed));
  await rm(directory, { recursive: true });
});

test("keeper: whoever has started it has five seconds for the first call", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let isEmpty = false;
  const keeper = new Keeper({ home: "/", env: {}, log: silentLog, onEmpty: () => (isEmpty = true) });
  assert.equal(keeper.holdsSomething, false);
  context.mock.timers.tick(4_999);
  assert.equal(isEmpty, false);
  context.mock.timers.tick(1);
  assert.equal(isEmpty, true);
});
