import assert from "node:assert/strict";
import { test } from "node:test";
import { becomeOwner } from "./tab-owner.ts";

interface Request {
  grant(): Promise<unknown>;
  settle: PromiseWithResolvers<unknown>;
}

/** The browser's locks, of one name: granted in order; who steals has it at once, and whoever had it is told. */
class FakeLocks {
  #held: Request | undefined;
  readonly #waiting: Request[] = [];

  request(name: string, { steal = false, signal }: LockOptions, work: (lock: Lock) => Promise<unknown>) {
    const settle = Promise.withResolvers<unknown>();
    const request: Request = { grant: () => work({ name, mode: "exclusive" }), settle };
    signal?.addEventListener("abort", () => {
      const at = this.#waiting.indexOf(request);
      if (at === -1) return;
      this.#waiting.splice(at, 1);
      settle.reject(new DOMException("given up", "AbortError"));
    });
    if (steal) {
      this.#held?.settle.reject(new DOMException("stolen", "AbortError"));
      this.#held = undefined;
      this.#waiting.unshift(request);
    } else this.#waiting.push(request);
    this.#next();
    return settle.promise;
  }

  async query() {
    return { held: this.#held ? [{ name: "warren-device" }] : [] };
  }

  #next(): void {
    if (this.#held) return;
    const request = this.#waiting.shift();
    if (!request) return;
    this.#held = request;
    const over = (): void => {
      request.settle.resolve(undefined);
      if (this.#held === request) this.#held = undefined;
      this.#next();
    };
    queueMicrotask(() => request.grant().then(over, over));
  }
}

const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

/** A tab whose starts the test lets come to their end. */
function tab(locks: FakeLocks) {
  const told: string[] = [];
  const starts: (() => void)[] = [];
  const owner = becomeOwner(
    {
      onOwned: async () => {
        const number = starts.length + 1;
        told.push(`start ${number}`);
        await new Promise<void>((start) => starts.push(start));
        told.push(`owns ${number}`);
        return async () => void told.push(`end ${number}`);
      },
      onLost: () => told.push("lost"),
    },
    locks as unknown as LockManager,
  );
  return { owner, told, starts };
}

/** Another tab takes over, until it is closed. */
function otherTab(locks: FakeLocks): { close(): void } {
  const closing = Promise.withResolvers<void>();
  locks.request("warren-device", { steal: true }, () => closing.promise).catch(() => {});
  return { close: () => closing.resolve() };
}

test("tab: whose lock is stolen while it starts says at its end that another is the one", async () => {
  const locks = new FakeLocks();
  const { told, starts } = tab(locks);
  await settled();
  otherTab(locks);
  await settled();
  starts[0]!();
  await settled();
  assert.deepEqual(told, ["start 1", "lost", "owns 1", "end 1", "lost"]);
});

test("tab: what was started before has ended when it starts again", async () => {
  const locks = new FakeLocks();
  const { told, starts } = tab(locks);
  await settled();
  const other = otherTab(locks);
  await settled();
  other.close();
  await settled();
  assert.deepEqual(told, ["start 1", "lost"]);
  starts[0]!();
  await settled();
  starts[1]!();
  await settled();
  assert.deepEqual(told, ["start 1", "lost", "owns 1", "end 1", "lost", "start 2", "owns 2"]);
});

test("tab: taking over while it takes over, or is the one, starts nothing again", async () => {
  const locks = new FakeLocks();
  const other = otherTab(locks);
  await settled();
  const { owner, told, starts } = tab(locks);
  await settled();
  owner.takeOver();
  owner.takeOver();
  await settled();
  owner.takeOver();
  starts[0]!();
  await settled();
  owner.takeOver();
  await settled();
  assert.deepEqual(told, ["lost", "start 1", "owns 1"]);
  owner.close();
  await settled();
  assert.deepEqual(told.slice(3), ["end 1"]);
  other.close();
});

test("tab: may take over again after another has", async () => {
  const locks = new FakeLocks();
  const { owner, told, starts } = tab(locks);
  await settled();
  starts[0]!();
  await settled();
  const other = otherTab(locks);
  await settled();
  owner.takeOver();
  await settled();
  starts[1]!();
  await settled();
  assert.deepEqual(told, ["start 1", "owns 1", "lost", "end 1", "start 2", "owns 2"]);
  other.close();
});
