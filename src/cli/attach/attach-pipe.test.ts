import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { TERMINAL_FRAME } from "../../protocol/terminal-frames.ts";
import { AttachHome } from "./testing/attached-terminal.ts";
import { FakeSessionServer } from "./testing/fake-session-server.ts";

const MAIN = join(import.meta.dirname, "..", "main.ts");

class Piped implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  out = "";
  err = "";
  readonly #closed: Promise<unknown>;

  constructor(home: AttachHome, ...args: string[]) {
    const signal = AbortSignal.timeout(15_000); // one that hangs fails its test
    this.child = spawn(process.execPath, [MAIN, "attach", ...args], { env: home.env, signal });
    this.child.on("error", () => {});
    this.child.stdout.on("data", (chunk) => {
      this.out += chunk;
    });
    this.child.stderr.on("data", (chunk) => {
      this.err += chunk;
    });
    this.#closed = once(this.child, "close");
  }

  async ended(): Promise<number | null> {
    await this.#closed;
    return this.child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.#closed;
  }
}

test("through pipes: what is read is typed, output is printed and nothing else; its end is ours", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  await using piped = new Piped(home, "fox");
  piped.child.stdin.write("make\n");
  await server.untilTyped("make\n");
  server.output("\x1b[1mdone\x1b[0m\n");
  server.end({ kind: "exited", status: 4 });
  assert.equal(await piped.ended(), 4);
  assert.equal(piped.out, "\x1b[1mdone\x1b[0m\n");
  assert.equal(piped.err, "");
});

test("through pipes: left at the end of what is read, when all of it was taken", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  const text = "x".repeat(3 * 1024 * 1024);
  server.cutAfterBytes = () => (server.cutCount < 3 ? 400_000 : Number.POSITIVE_INFINITY);
  await using piped = new Piped(home, "fox");
  piped.child.stdin.end(text);
  assert.equal(await piped.ended(), 0);
  assert.equal(server.typed.toString(), text);
  await using empty = new Piped(home, "fox");
  empty.child.stdin.end();
  assert.equal(await empty.ended(), 0);
});

test("through pipes: the session's own size is taken and followed", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  await using piped = new Piped(home, "fox");
  await server.until(() => server.attachedCount === 1, "attached");
  assert.deepEqual([server.attaches[0]!.cols, server.attaches[0]!.rows], [80, 24]);
  server.control({ cols: 100, rows: 40 });
  await server.until(() => server.sizes.length === 1, "followed");
  assert.deepEqual(server.sizes, [{ cols: 100, rows: 40 }]);
  piped.child.kill("SIGTERM");
  assert.equal(await piped.ended(), 143);
});

test("through pipes: a viewer reads on when there is nothing to read from; output that was left out is said", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  await using piped = new Piped(home, "--view", "fox");
  piped.child.stdin.end("typed");
  await server.until(() => server.attachedCount === 1, "attached");
  server.output("one");
  server.skip(5000);
  server.sendScreen();
  server.output("two");
  server.frame(TERMINAL_FRAME.end, Buffer.from('{"kind":"exited","status":0}'));
  assert.equal(await piped.ended(), 0);
  assert.equal(piped.out, "onetwo");
  assert.equal(piped.err, "5000 bytes were left out: they came faster than they were read.\n");
  assert.equal(server.typed.length, 0);
});

test("through pipes: refused with the error alone", async () => {
  await using server = await FakeSessionServer.start();
  using home = new AttachHome(server);
  server.answers.push("attach", { refuse: "NOT_A_TERMINAL" });
  await using piped = new Piped(home, "fox");
  assert.equal(await piped.ended(), 125);
  assert.match(piped.err, /refused: NOT_A_TERMINAL/);
});
