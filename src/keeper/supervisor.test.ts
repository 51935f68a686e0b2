import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../platform/log.ts";
import { readProcess } from "../platform/process.ts";
import { isWarrenError } from "../protocol/errors.ts";
import type { ListenAddress, ServerSpec } from "../protocol/keeper-calls.ts";
import { until } from "../runs/run-fixture.ts";
import { Supervisor } from "./supervisor.ts";

/** Generations as small shell scripts: fd 4 is the control line, `$2` the generation's number. */
const SERVES = "echo warm >&4; read go <&4; echo ready >&4; read drain <&4; exit 0";
/** Says who is in front on the public socket, until it is told to end. */
const ANSWERS = `
  const net = require("node:net");
  const control = new net.Socket({ fd: 4 });
  const server = net.createServer((socket) => socket.end(String(process.pid)));
  control.on("data", (word) => {
    if (String(word).includes("go")) server.listen({ fd: 3 }, () => control.write("ready\\n"));
    if (String(word).includes("drain")) process.exit(0);
  });
  control.write("warm\\n");`;

class SupervisorFixture implements AsyncDisposable {
  readonly directory: string;
  readonly ended = Promise.withResolvers<void>();
  supervisor!: Supervisor;

  static async make(): Promise<SupervisorFixture> {
    return new SupervisorFixture(await mkdtemp(join(tmpdir(), "warren-supervisor-")));
  }

  private constructor(directory: string) {
    this.directory = directory;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  spec(script: string, hash = "aaa"): ServerSpec {
    return {
      name: "blazing",
      hash,
      command: ["sh", "-c", `cd ${this.directory}; echo "$2 $$" >> ${hash}.starts; ${script}`, "generation"],
      logPath: this.path("server.log"),
    };
  }

  start(spec: ServerSpec, fallback?: ServerSpec, listen?: ListenAddress): Supervisor {
    this.supervisor = new Supervisor({
      spec,
      socketPath: listen ? "" : this.path("blazing.sock"),
      ...(listen ? { listen } : {}),
      ...(fallback ? { fallback } : {}),
      env: { PATH: process.env.PATH },
      log: silentLog,
      onEnd: () => this.ended.resolve(),
    });
    return this.supervisor;
  }

  /** Generations of a build so far: number and pid. */
  async starts(hash = "aaa"): Promise<number[][]> {
    const text = await readFile(this.path(`${hash}.starts`), "utf8").catch(() => "");
    return text
      .trimEnd()
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(" ").map(Number));
  }

  /** Connects as a client does, and reads what the generation says. */
  ask(): Promise<string> {
    return new Promise((resolve, reject) => {
      let text = "";
      const { address, socketPath } = this.supervisor.describe();
      const socket = address ? net.connect(address) : net.connect(socketPath);
      socket
        .on("data", (chunk) => (text += chunk))
        .on("end", () => resolve(text))
        .on("error", reject);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.supervisor.stop(true);
    await rm(this.directory, { recursive: true });
  }
}

test("supervisor: ready when its generation says so, which inherits the bound socket", async () => {
  await using fixture = await SupervisorFixture.make();
  const server = await fixture.start(fixture.spec(SERVES)).whenReady();
  assert.deepEqual([server.state, server.generation, server.hash], ["ready", 1, "aaa"]);
  assert.deepEqual(await fixture.starts(), [[1, server.pid]]);
  assert.ok(existsSync(server.socketPath));
});

test("supervisor: a generation that is killed before it serves, again and again, is started later and later", async () => {
  await using fixture = await SupervisorFixture.make();
  const startedMs = performance.now();
  const ready = fixture.start(fixture.spec("kill -9 $$")).whenReady();
  ready.catch(() => {});
  for (let count = 0; count < 7; ) count = await fixture.starts().then(({ length }) => length);
  // 20, 40, 80, … ms, each up to a quarter shorter.
  const waitedMs = performance.now() - startedMs;
  assert.ok(waitedMs > 0.75 * 1_260, `${waitedMs} ms`);
});

test("supervisor: exit 0 ends the server and takes its socket away", async () => {
  await using fixture = await SupervisorFixture.make();
  const server = await fixture.start(fixture.spec("echo warm >&4; read go <&4; echo ready >&4; exit 0")).whenReady();
  await fixture.ended.promise;
  assert.equal(existsSync(server.socketPath), false);
  assert.equal((await fixture.starts()).length, 1);
  await assert.rejects(fixture.supervisor.whenReady(), (error) => isWarrenError(error, "SERVER_ENDING"));
  await assert.rejects(fixture.supervisor.replace(fixture.spec(SERVES)), (error) =>
    isWarrenError(error, "SERVER_ENDING"),
  );
});

test("supervisor: SIGKILL, however often, is followed by the next generation; clients wait in the socket's queue", async () => {
  await using fixture = await SupervisorFixture.make();
  const spec = { ...fixture.spec(""), command: [process.execPath, "-e", ANSWERS, "--"] };
  const first = await fixture.start(spec).whenReady();
  assert.equal(await fixture.ask(), String(first.pid));
  let pid = first.pid;
  for (let kill = 1; kill <= 4; kill++) {
    process.kill(pid, "SIGKILL");
    await until(() => readProcess(pid) === undefined, "the end of the generation");
    const next = Number(await fixture.ask());
    assert.notEqual(next, pid);
    pid = next;
  }
  const now = await fixture.supervisor.whenReady();
  assert.deepEqual([now.state, now.generation, now.pid], ["ready", 5, pid]);
});

test("supervisor: three failed starts of a build, and the last good one takes over", async () => {
  await using fixture = await SupervisorFixture.make();
  const bad = fixture.spec("echo 'no such module' >&2; exit 1", "bad");
  const server = await fixture.start(bad, fixture.spec(SERVES, "good")).whenReady();
  assert.equal(server.hash, "good");
  assert.match(server.fellBack ?? "", /\(bad\) failed to start three times/);
  assert.deepEqual([(await fixture.starts("bad")).length, (await fixture.starts("good")).length], [3, 1]);
});

test("supervisor: without a fallback it says why and is over, so that no client waits in a queue that nobody reads", async () => {
  await using fixture = await SupervisorFixture.make();
  const bad = fixture.spec("echo 'no such module' >&2; exit 1");
  const supervisor = fixture.start(bad, bad);
  const saysWhy = (error: unknown): boolean =>
    isWarrenError(error, "SERVER_START_FAILED") &&
    (error.detail?.lines as string[]).at(-1) === "no such module" &&
    error.fix === `tail ${fixture.path("server.log")}`;
  await Promise.all([1, 2].map(() => assert.rejects(supervisor.whenReady(), saysWhy)));
  await fixture.ended.promise;
  assert.equal((await fixture.starts()).length, 3, "a fallback that is the same build is none");
  assert.equal(existsSync(supervisor.describe().socketPath), false);
  await assert.rejects(supervisor.replace(fixture.spec(SERVES)), saysWhy);
});

test("supervisor: a build that gets warm and dies before it serves has failed as well", async () => {
  await using fixture = await SupervisorFixture.make();
  const bad = fixture.spec("echo warm >&4; read go <&4; exit 70", "bad");
  assert.equal((await fixture.start(bad, fixture.spec(SERVES, "good")).whenReady()).hash, "good");
});

test("replace: the old generation hears drain when the new one is warm, and go comes when it has ended", async () => {
  await using fixture = await SupervisorFixture.make();
  const script = (name: string) =>
    `echo warm >&4; read w <&4; echo "${name} $w" >> words; echo ready >&4; read w <&4; echo "${name} $w" >> words; exit 0`;
  const first = await fixture.start(fixture.spec(script("old"), "aaa")).whenReady();
  const second = await fixture.supervisor.replace(fixture.spec(script("new"), "bbb"));
  assert.deepEqual([second.hash, second.generation, second.state], ["bbb", 2, "ready"]);
  assert.equal(readProcess(first.pid), undefined);
  assert.equal(await readFile(fixture.path("words"), "utf8"), "old go\nold drain\nnew go\n");
  assert.equal((await fixture.supervisor.replace(fixture.spec(script("new"), "bbb"))).generation, 3);
});

test("replace: go comes as soon as the old generation has said that what it held is free; said unasked, it means nothing", async () => {
  await using fixture = await SupervisorFixture.make();
  const script = (name: string) =>
    `echo warm >&4; read w <&4; echo "${name} $w" >> words; echo ready >&4; echo free >&4; read w <&4; echo free >&4;` +
    `while ! test -e ${name}.may-end; do sleep 0.01; done; echo "${name} ends" >> words; exit 0`;
  const first = await fixture.start(fixture.spec(script("old"), "aaa")).whenReady();
  const replaced = fixture.supervisor.replace(fixture.spec(script("new"), "bbb"));
  await until(() => readFileSync(fixture.path("words"), "utf8").includes("new go"), "the successor's go");
  assert.ok(readProcess(first.pid), "the old one is there still");
  await writeFile(fixture.path("old.may-end"), "");
  const second = await replaced;
  assert.deepEqual([second.generation, second.state], [2, "ready"]);
  assert.equal(await readFile(fixture.path("words"), "utf8"), "old go\nnew go\nold ends\n");
  await writeFile(fixture.path("new.may-end"), "");
});

test("replace: by a build that does not get warm changes nothing", async () => {
  await using fixture = await SupervisorFixture.make();
  const first = await fixture.start(fixture.spec(SERVES)).whenReady();
  for (const bad of [
    fixture.spec("echo broken >&2; exit 1", "bad"),
    { ...fixture.spec("", "bad"), command: ["/no/such/program"] },
  ]) {
    await assert.rejects(fixture.supervisor.replace(bad), (error) => isWarrenError(error, "SERVER_START_FAILED"));
    const { pid, state, hash } = fixture.supervisor.describe();
    assert.deepEqual([pid, state, hash], [first.pid, "ready", "aaa"]);
  }
  assert.ok(readProcess(first.pid));
});

test("replace: by a build that dies once it serves falls back to the one before", async () => {
  await using fixture = await SupervisorFixture.make();
  await fixture.start(fixture.spec(SERVES)).whenReady();
  const bad = fixture.spec("echo warm >&4; read go <&4; exit 70", "bad");
  const server = await fixture.supervisor.replace(bad);
  assert.deepEqual([server.hash, server.state], ["aaa", "ready"]);
  assert.ok(server.fellBack);
});

/** Says its pid to whoever comes, and holds the line of who has come until he goes. */
const HOLDS = `
  const net = require("node:net");
  const control = new net.Socket({ fd: 4 });
  const server = net.createServer((socket) => socket.on("error", () => {}).write(String(process.pid)));
  control.on("data", (word) => {
    if (String(word).includes("go")) server.listen({ fd: 3 }, () => control.write("ready\\n"));
    if (String(word).includes("drain")) server.close(() => process.exit(0));
  });
  control.write("warm\\n");`;

test("replace: with an overlap both have the TCP listener; the old one ends with its last connection", async () => {
  await using fixture = await SupervisorFixture.make();
  const spec = { ...fixture.spec(""), command: [process.execPath, "-e", HOLDS, "--"], overlapMs: 30_000 };
  const first = await fixture.start(spec, undefined, { host: "127.0.0.1", port: 0 }).whenReady();
  assert.equal(first.address?.host, "127.0.0.1");
  using held = await connected(first.address!);
  assert.equal(await held.said, String(first.pid));
  const second = await fixture.supervisor.replace({ ...spec, hash: "bbb" });
  assert.deepEqual([second.state, second.generation, second.address], ["ready", 2, first.address]);
  assert.ok(readProcess(first.pid), "it has a connection still");
  using _later = await takenBy(second.pid, first.address!);
  assert.ok(readProcess(first.pid), "its one connection is still there");
  held[Symbol.dispose]();
  await until(() => readProcess(first.pid) === undefined, "the end of the old generation");
  const third = await fixture.supervisor.replace(spec);
  assert.ok(readProcess(second.pid));
  assert.equal(third.generation, 3);
  await fixture.supervisor.stop(false);
  await until(() => readProcess(second.pid) === undefined, "the end of what still had a connection");
});

test("replace: an old generation that overlaps for too long is killed", async () => {
  await using fixture = await SupervisorFixture.make();
  const spec = { ...fixture.spec(""), command: [process.execPath, "-e", HOLDS, "--"], overlapMs: 50 };
  const first = await fixture.start(spec, undefined, { host: "127.0.0.1", port: 0 }).whenReady();
  using held = await connected(first.address!);
  await held.said;
  await fixture.supervisor.replace(spec);
  await until(() => readProcess(first.pid) === undefined, "the end of the old generation");
});

test("start: a port that is taken is refused", async () => {
  await using fixture = await SupervisorFixture.make();
  const other = net.createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const listen = { host: "127.0.0.1", port };
  const taken = { spec: fixture.spec(SERVES), socketPath: "", listen, env: {}, log: silentLog, onEnd: () => {} };
  assert.throws(() => new Supervisor(taken), /EADDRINUSE/);
  fixture.start(fixture.spec(SERVES));
  other.close();
});

/** Until the old generation has heard that it is to end, it takes connections as well. */
async function takenBy(pid: number, to: ListenAddress): Promise<Disposable> {
  for (;;) {
    const connection = await connected(to);
    if ((await connection.said) === String(pid)) return connection;
    connection[Symbol.dispose]();
  }
}

async function connected(to: ListenAddress): Promise<Disposable & { said: Promise<string> }> {
  const socket = net.connect(to).on("error", () => {});
  await once(socket, "connect");
  return { said: once(socket, "data").then(String), [Symbol.dispose]: () => void socket.destroy() };
}

test("replace: two at once take turns", async () => {
  await using fixture = await SupervisorFixture.make();
  await fixture.start(fixture.spec(SERVES)).whenReady();
  const answers = await Promise.all(
    ["bbb", "ccc"].map((hash) => fixture.supervisor.replace(fixture.spec(SERVES, hash))),
  );
  assert.deepEqual(
    answers.map(({ hash, generation }) => [hash, generation]),
    [
      ["bbb", 2],
      ["ccc", 3],
    ],
  );
});

test("stop: while a generation is planned, while one loads, and while one is replaced, ends the server for good", async () => {
  for (const when of ["planned", "loading", "replacing"] as const) {
    const fixture = await SupervisorFixture.make();
    const slow = fixture.spec(
      "mkfifo warm-now; read x < warm-now; echo warm >&4; read go <&4; echo ready >&4; sleep 100",
      "bbb",
    );
    const supervisor = fixture.start(
      when === "planned" ? fixture.spec("exit 1") : when === "loading" ? slow : fixture.spec(SERVES),
    );
    let replaced: Promise<unknown> = Promise.resolve();
    if (when === "planned") await until(() => supervisor.describe().generation === 2, "the second start");
    if (when === "loading") await until(() => existsSync(fixture.path("warm-now")), "the load");
    if (when === "replacing") {
      await supervisor.whenReady();
      replaced = assert.rejects(supervisor.replace(slow), (error) => isWarrenError(error, "SERVER_ENDING"));
      await until(() => existsSync(fixture.path("warm-now")), "the load");
    }
    await supervisor.stop(when === "loading");
    if (when === "replacing") await writeFile(fixture.path("warm-now"), "x\n");
    await replaced;
    await fixture.ended.promise;
    assert.equal(existsSync(supervisor.describe().socketPath), false, when);
    const pids = [...(await fixture.starts()), ...(await fixture.starts("bbb"))].map(([, pid]) => pid ?? 0);
    await until(() => pids.every((pid) => readProcess(pid) === undefined), `the end of all generations when ${when}`);
    await rm(fixture.directory, { recursive: true });
  }
});

test("supervisor: serves also when its log cannot be opened", async () => {
  await using fixture = await SupervisorFixture.make();
  mkdirSync(fixture.path("server.log"));
  assert.equal((await fixture.start(fixture.spec(SERVES)).whenReady()).state, "ready");
});
