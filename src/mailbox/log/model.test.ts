import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded, TestWriter } from "./log-fixture.ts";
import { LoopGuard } from "./loop-guard.ts";

/**
 * Random operations, against a model that is as simple as can be: a list of deliveries. What is fetched, in which order, what is acknowledged, and
 * every count has to be the same, and a repeat of any earlier request gives its first answer.
 */
interface Copy {
  seq: number;
  id: string;
  from: string;
  to: string;
  state: "queued" | "offered" | "seen" | "handled" | "dead" | "expired";
  offers: number;
  leaseMs: number;
  client: string;
  notBeforeMs: number;
  expiresMs: number;
}

const NAMES = ["ant", "bee", "cat", "dog"];
const LIFE_MS = 7 * 24 * 3_600_000;
const OFFERS_MAX = 10;

class Model {
  copies: Copy[] = [];

  open = (to: string): Copy[] => this.copies.filter((copy) => copy.to === to && /queued|offered/.test(copy.state));

  /** What time has done to a copy. */
  age(copy: Copy, nowMs: number): void {
    if (copy.state === "offered" && copy.leaseMs <= nowMs) this.giveBack(copy, nowMs);
    if (copy.state === "queued" && copy.expiresMs <= nowMs) copy.state = "expired";
  }

  giveBack(copy: Copy, nowMs: number, notBeforeMs = 0): void {
    copy.state = copy.expiresMs <= nowMs ? "expired" : copy.offers >= OFFERS_MAX ? "dead" : "queued";
    copy.notBeforeMs = notBeforeMs;
    copy.leaseMs = 0;
  }

  fetch(to: string, client: string, limit: number, leaseMs: number, nowMs: number): string[] {
    const given: Copy[] = [];
    const waiting = new Set<string>();
    for (const copy of this.open(to)) {
      if (given.length === limit) break; // what is behind is looked at by the next fetch, or by a sweep
      const isHeld = copy.state === "offered" && copy.leaseMs > nowMs;
      if (isHeld && copy.client !== client) waiting.add(copy.from);
      if (isHeld) continue;
      if (copy.expiresMs <= nowMs || (copy.state === "offered" && copy.offers >= OFFERS_MAX)) this.age(copy, nowMs);
      else if (waiting.has(copy.from)) continue;
      else if (copy.notBeforeMs > nowMs) {
        if (copy.offers > 0) waiting.add(copy.from); // given back; one that its sender has put off holds up nothing
      } else given.push(copy);
    }
    for (const copy of given)
      Object.assign(copy, { state: "offered", offers: copy.offers + 1, leaseMs: nowMs + leaseMs, client });
    return given.map(({ id }) => id);
  }
}

/** Never holds anybody: what it does has tests of its own. */
class NoGuard extends LoopGuard {
  override look(): undefined {
    return undefined;
  }
}

const STEPS = process.env.WARREN_PROOF ? 60_000 : 3_000;

for (const seed of [1, 2, 3]) {
  test(`log: ${STEPS} random operations do what a simple model does (seed ${seed})`, () => {
    using log = new TestWriter({ guard: new NoGuard() });
    const random = seeded(seed);
    const pick = <T>(from: readonly T[]): T => from[random(from.length)]!;
    const model = new Model();
    const past: { name: string; client: string; type: string; payload: object; requestId: string; answer: unknown }[] =
      [];
    let sentCount = 0;

    const ask = (name: string, client: string, type: string, payload: object): Record<string, unknown> => {
      const requestId = `r${past.length}`;
      const { answer } = log.perform({ name, client }, type as "mail.fetch", payload as never, requestId);
      past.push({ name, client, type, payload, requestId, answer });
      return answer as unknown as Record<string, unknown>;
    };

    const actions: (() => void)[] = [
      function send() {
        const from = pick(NAMES);
        const to = [...new Set([pick(NAMES), ...(random(4) === 0 ? [pick(NAMES)] : [])])];
        const id = `m${sentCount++}`;
        const delayMs = random(6) === 0 ? random(200_000) + 1 : 0;
        const ttlMs = random(8) === 0 ? delayMs + 1 + random(60_000) : undefined;
        const answer = ask(from, `${from}-1`, "mail.send", {
          to,
          body: `body of ${id}`,
          message_id: id,
          ...(delayMs ? { delay_ms: delayMs } : {}),
          ...(ttlMs ? { ttl_ms: ttlMs } : {}),
        });
        const { seq } = answer.message as { seq: number };
        for (const name of to)
          model.copies.push({
            seq,
            id,
            from,
            to: name,
            state: "queued",
            offers: 0,
            leaseMs: 0,
            client: "",
            notBeforeMs: delayMs ? log.nowMs + delayMs : 0,
            expiresMs: log.nowMs + (ttlMs ?? LIFE_MS),
          });
      },
      function fetch() {
        const name = pick(NAMES);
        const client = `${name}-${random(3)}`;
        const [limit, leaseMs] = [1 + random(6), 1 + random(40_000)];
        const answer = ask(name, client, "mail.fetch", { limit, lease_ms: leaseMs });
        const expected = model.fetch(name, client, limit, leaseMs, log.nowMs);
        const messages = answer.messages as { id: string }[];
        assert.deepEqual(
          messages.map(({ id }) => id),
          expected,
          `fetch of ${name} after ${past.length} requests`,
        );
        assert.equal(answer.unread, model.open(name).length - expected.length);
      },
      function acknowledge() {
        const name = pick(NAMES);
        const own = model.copies.filter((copy) => copy.to === name);
        if (own.length === 0) return;
        const picked = [...new Set([pick(own), pick(own), pick(own.slice(-20))])];
        const state = random(3) === 0 ? "seen" : "handled";
        const answer = ask(name, `${name}-${random(3)}`, "mail.ack", { ids: picked.map(({ id }) => id), state });
        const done = picked.filter((copy) => copy.offers > 0 && !/dead|expired/.test(copy.state));
        assert.deepEqual(
          answer.acknowledged,
          done.map(({ id }) => id),
        );
        for (const copy of done) if (copy.state !== "handled") copy.state = state;
        assert.equal(answer.unread, model.open(name).length);
      },
      function nak() {
        const name = pick(NAMES);
        const own = model.copies.filter((copy) => copy.to === name && copy.state !== "handled").slice(-30);
        if (own.length === 0) return;
        const copy = pick(own);
        const delayMs = random(2) * random(20_000);
        const answer = ask(name, `${name}-0`, "mail.nak", { ids: [copy.id], delay_ms: delayMs });
        const isHeld = copy.state === "offered" || copy.state === "seen";
        assert.deepEqual(answer.returned, isHeld ? [copy.id] : []);
        if (isHeld) model.giveBack(copy, log.nowMs, delayMs ? log.nowMs + delayMs : 0);
      },
      function extend() {
        const held = model.copies.filter((copy) => copy.state === "offered");
        if (held.length === 0) return;
        const copy = pick(held);
        ask(copy.to, copy.client, "mail.extend", { ids: [copy.id], lease_ms: 50_000 });
        copy.leaseMs = log.nowMs + 50_000;
      },
      function repeat() {
        if (past.length === 0) return;
        const { name, client, type, payload, requestId, answer } = past.at(-1 - random(Math.min(past.length, 200)))!;
        // Nothing was fetched: that is no effect, and is not kept.
        if (type === "mail.fetch" && (answer as { messages: unknown[] }).messages.length === 0) return;
        const again = log.perform({ name, client }, type as "mail.fetch", payload as never, requestId);
        assert.deepEqual(again, { answer, effects: [] });
      },
      function sweep() {
        log.sweep();
        for (const copy of model.copies) model.age(copy, log.nowMs);
      },
      function time() {
        log.nowMs += random(15_000);
      },
    ];

    for (let step = 0; step < STEPS; step++) {
      pick(actions)();
      if (step % 500 === 499) compare(log, model);
    }
    compare(log, model);
    assert.ok(
      model.copies.some(({ state }) => state === "dead" || state === "expired"),
      "some came to nothing",
    );
  });
}

/** Every state and every count, after a sweep. */
function compare(log: TestWriter, model: Model): void {
  log.sweep();
  for (const copy of model.copies) model.age(copy, log.nowMs);
  const rows = log.writer.log.all(
    "select d.seq, d.recipient, d.state, d.offers from deliveries d order by d.seq, d.recipient",
  );
  const expected = model.copies
    .map(({ seq, to, state, offers }) => ({ seq, recipient: to, state, offers }))
    .sort((a, b) => a.seq - b.seq || (a.recipient < b.recipient ? -1 : 1));
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    expected,
  );
  for (const name of NAMES)
    assert.equal(
      log.writer.log.get("select unread from participants where name = ?", name)?.unread ?? 0,
      model.open(name).length,
    );
  const count = (pattern: RegExp): number => model.copies.filter(({ state }) => pattern.test(state)).length;
  assert.deepEqual(
    { ...log.writer.log.get("select unread, dead from totals") },
    {
      unread: count(/queued|offered/),
      dead: count(/dead|expired/),
    },
  );
}
