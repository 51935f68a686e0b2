import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SessionPorts, type SessionPortsOptions } from "./session-ports.ts";

class Home implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "warren-session-ports-"));
  nowMs = Date.now();

  /** One of several servers. */
  server(options: Partial<SessionPortsOptions> = {}): SessionPorts {
    return new SessionPorts({
      dir: join(this.path, "ports"),
      lockPath: join(this.path, "lock"),
      from: 20,
      to: 22,
      isFree: () => true,
      nowMs: () => this.nowMs,
      ...options,
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

const nobody = async (): Promise<string[]> => [];

test("session ports: the lowest that no session of any server has", async () => {
  using home = new Home();
  const [one, other] = [home.server(), home.server()];
  assert.equal(await one.take("a", nobody), 20);
  assert.equal(await other.take("b", nobody), 21);
  one.release(20, "b");
  assert.equal(await other.take("c", nobody), 22, "only its own session gives a port back");
  one.release(20, "a");
  assert.equal(await other.take("d", nobody), 20);
  assert.equal(await other.take("e", nobody), undefined);
});

test("session ports: what somebody listens on is nobody's", async () => {
  using home = new Home();
  await using listener = net.createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const ports = new SessionPorts({ dir: home.path, lockPath: join(home.path, "lock"), from: port, to: port });
  assert.equal(await ports.take("a", nobody), undefined);
  assert.equal(ports.claim(port, "a"), true, "unless a person says so");
  assert.equal(ports.retake(port, "a"), false);
});

test("session ports: one that is wanted is had, once", () => {
  using home = new Home();
  const ports = home.server();
  assert.deepEqual([ports.claim(80, "a"), ports.claim(80, "a"), ports.claim(80, "b")], [true, true, false]);
  assert.deepEqual([ports.retake(80, "a"), ports.retake(80, "b"), ports.retake(81, "a")], [true, false, false]);
});

test("session ports: when all are taken, those that ended longest ago give theirs; never one that runs or has just come", async () => {
  using home = new Home();
  const ports = home.server();
  for (const id of ["a", "b", "c"]) await ports.take(id, nobody);
  const asked: string[][] = [];
  const ended = async (ids: readonly string[]): Promise<string[]> => {
    asked.push([...ids]);
    return ids.includes("b") ? ["b"] : [];
  };
  assert.equal(await ports.take("d", ended), undefined, "they are young");
  home.nowMs += 3_600_000;
  assert.equal(await ports.take("d", ended), 21);
  assert.deepEqual(asked, [[], ["a", "b", "c"]]);
  assert.equal(ports.retake(21, "b"), false, "it gets another when it is resumed");
});
