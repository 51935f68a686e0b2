import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, BoundSocket, createServer } from "node:net";
import { test } from "node:test";
import { PortPool, type PortPoolOptions } from "./port-pool.ts";

/** A range of three of which nobody has any now: never a fixed port. */
function freeRange(count = 3): { from: number; to: number } {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const sockets: BoundSocket[] = [];
    try {
      const first = new BoundSocket({ host: "127.0.0.1", port: 0 });
      sockets.push(first);
      const from = (first.address() as AddressInfo).port;
      const to = from + count - 1;
      for (let port = from + 1; port <= to; port += 1) sockets.push(new BoundSocket({ host: "127.0.0.1", port }));
      if (from <= 9876 && to >= 9876) continue;
      return { from, to };
    } catch {
      // taken, or past the end: from elsewhere
    } finally {
      for (const socket of sockets) socket.close();
    }
  }
  throw new Error("no free range");
}

async function listening(port: number) {
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(server, { [Symbol.dispose]: () => void server.close() });
}

test("ports: the lowest free first; a released one is given out again", () => {
  const { from, to } = freeRange();
  const pool = new PortPool({ from, to });
  const [a, b] = [pool.take("a"), pool.take("b")];
  assert.deepEqual([a.port, b.port], [from, from + 1]);
  assert.ok(a.fd > 2 && a.fd !== b.fd);
  a.close();
  a.close();
  assert.deepEqual(pool.used, [
    { port: from, instance: "a" },
    { port: from + 1, instance: "b" },
  ]);
  pool.release(from);
  const c = pool.take("c");
  assert.equal(c.port, from);
  b.close();
  c.close();
});

test("ports: one on which another program listens is passed over", async () => {
  const { from, to } = freeRange();
  using _other = await listening(from);
  const pool = new PortPool({ from, to });
  const taken = pool.take("a");
  assert.equal(taken.port, from + 1);
  taken.close();
});

test("ports: 9876 and what others hold are never bound", () => {
  const bound: number[] = [];
  const bind: PortPoolOptions["bind"] = (port) => {
    bound.push(port);
    return new BoundSocket({ host: "127.0.0.1", port: 0 });
  };
  const pool = new PortPool({ from: 9874, to: 9878, isHeld: (port) => port === 9875, bind });
  for (const name of ["a", "b", "c"]) pool.take(name).close();
  assert.deepEqual(bound, [9874, 9877, 9878]);
});

test("ports: an exhausted range is a clear error, and costs nothing later", () => {
  const { from, to } = freeRange();
  const pool = new PortPool({ from, to });
  for (const name of ["a", "b", "c"]) pool.take(name).close();
  assert.throws(() => pool.take("d"), { code: "PORTS_EXHAUSTED", message: new RegExp(`3 ports ${from}–${to}`) });
  pool.release(from + 2);
  const taken = pool.take("d");
  assert.equal(taken.port, from + 2);
  taken.close();
});

test("ports: an adopted one is taken, also outside of the range", () => {
  const { from, to } = freeRange();
  const pool = new PortPool({ from, to });
  pool.adopt(from, "old");
  pool.adopt(4000, "older");
  const taken = pool.take("a");
  taken.close();
  assert.equal(taken.port, from + 1);
  assert.deepEqual(
    pool.used.map(({ instance }) => instance),
    ["older", "old", "a"],
  );
});

test("ports: a refused one is tried again after a minute", () => {
  const { from, to } = freeRange();
  let nowMs = 0;
  const pool = new PortPool({ from, to, nowMs: () => nowMs });
  const takeOne = () => {
    const { port, close } = pool.take("a");
    close();
    return port;
  };
  assert.equal(takeOne(), from);
  pool.refuse(from);
  assert.equal(takeOne(), from + 1);
  pool.release(from + 1);
  nowMs = 60_000;
  assert.equal(takeOne(), from);
});

test("ports: too many open files is that error, not an exhausted range", () => {
  const bind: PortPoolOptions["bind"] = () => {
    throw Object.assign(new Error("EMFILE"), { code: "EMFILE" });
  };
  assert.throws(() => new PortPool({ bind }).take("a"), { code: "EMFILE" });
});
