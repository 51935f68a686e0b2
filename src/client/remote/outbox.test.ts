import assert from "node:assert/strict";
import { test } from "node:test";
import { waitUntil } from "../../../test/harness/wait-until.ts";
import type { RemoteClock } from "../../contact/network.ts";
import { toWire, WarrenError } from "../../protocol/errors.ts";
import { toHex } from "../../sealing/bytes.ts";
import { NO_LINK, stepOf } from "../../sealing/chain.ts";
import type { SigningKey } from "../../sealing/crypto.ts";
import { decodeRecord, openRecord, recordHash } from "../../sealing/record.ts";
import { decodeRequest, type RemoteResult, requestHash } from "../../sealing/request.ts";
import { newSpace, type Space } from "../../sealing/testing/space.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import { Outbox, type OutboxWays } from "./outbox.ts";
import { Killed, MemoryOutbox } from "./testing/memory-records.ts";

const sealing = webCrypto();
const MACHINE = "ab".repeat(32);

/** A machine that carries out each id once and in order, live or from the records that a hub keeps for it. */
class Site {
  readonly store = new MemoryOutbox();
  readonly space: Space;
  readonly signer: SigningKey;
  isThere = false;
  /** Its hub has lost a record. */
  isLossy = false;
  isHubThere = true;
  readonly records: Uint8Array[] = [];
  /** In the order in which they were carried out: the payload's number. */
  readonly done: number[] = [];
  readonly #results = new Map<string, unknown>();
  nowMs = 1_000_000;
  /** Of the last that was carried out. */
  #last = 0;
  /** Called at each step; throws to kill. */
  step: () => void = () => {};

  static async make(): Promise<Site> {
    return new Site(await newSpace(sealing), await sealing.newSigningKey());
  }

  private constructor(space: Space, signer: SigningKey) {
    this.space = space;
    this.signer = signer;
  }

  readonly clock: RemoteClock = { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs, timer: () => () => {} };

  open(): Promise<Outbox> {
    const { store, signer, clock } = this;
    return Outbox.open({ store, signer, crypto: sealing, clock, ways: this.#ways() });
  }

  carryOut(id: string, payload: Record<string, unknown>): unknown {
    if (!this.#results.has(id)) {
      this.done.push(payload.number as number);
      this.#results.set(id, { number: payload.number });
    }
    return this.#results.get(id);
  }

  async answer(text: Uint8Array): Promise<RemoteResult> {
    const { id, payload, target, number, after } = decodeRequest(text);
    assert.equal(target.machine, MACHINE);
    const request = await requestHash(sealing, text);
    try {
      const isKnown = this.#results.has(id);
      if (!isKnown && after > this.#last) throw new WarrenError("REQUEST_BEFORE_MISSING", "not yet");
      if (!isKnown && number <= this.#last) throw new WarrenError("REQUEST_OVERTAKEN", "too late");
      this.#last = Math.max(this.#last, number);
      return { request, id, result: this.carryOut(id, payload) };
    } catch (error) {
      if (!(error instanceof WarrenError)) throw error;
      return { request, id, error: { ...toWire(error, error.code) } };
    }
  }

  /** The machine comes and takes what the hub has, each record checked in its chain. */
  async fetch(outbox: Outbox): Promise<void> {
    let link = NO_LINK;
    for (const bytes of this.records) {
      const record = decodeRecord(bytes);
      const hash = await recordHash(sealing, record);
      if (!this.isLossy) assert.equal(stepOf(link, record, hash).kind, "next", `${record.seq}`);
      link = { seq: record.seq, hash };
      const keys = { hub: this.space.hub, periodKey: this.space.periodKey };
      const text = await openRecord(sealing, { record, keys, signerKey: this.signer.publicKey });
      await outbox.onResult(MACHINE, await this.answer(text));
    }
  }

  #ways(): OutboxWays {
    const { hub, machine, device, period, periodKey } = this.space;
    const place = {
      hub: toHex(hub),
      space: machine.login.publicKey,
      loginKey: device.login.publicKey,
      period,
      periodKey,
    };
    return {
      isThere: () => this.isThere,
      ask: async (_machine, text) => {
        this.step();
        if (!this.isThere) throw new WarrenError("CONNECTION_LOST", "gone");
        const result = await this.answer(text);
        this.step();
        return result;
      },
      places: () => (this.isHubThere ? [place] : []),
      putAt: () =>
        this.isHubThere
          ? async (record) => {
              this.step();
              if (!this.records.some((known) => toHex(known) === toHex(record))) this.records.push(record);
              this.step();
            }
          : undefined,
    };
  }
}

const ask = (number: number) => ({ machine: MACHINE, type: "session.prompt", payload: { number } });
const statesOf = (outbox: Outbox): string[] => outbox.items().map(({ state }) => state.kind);

/** Kills the device at the step of that number; then nothing it does has an effect. Answers whether it came to that. */
function killAt(site: Site, number: number): () => boolean {
  let count = 0;
  let isDead = false;
  site.step = () => {
    if (isDead || ++count === number) {
      isDead = true;
      throw new Killed();
    }
  };
  site.store.beforeWrite = site.step;
  site.store.afterWrite = site.step;
  return () => isDead;
}

function revive(site: Site): void {
  site.step = () => {};
  site.store.beforeWrite = site.step;
  site.store.afterWrite = site.step;
}

test("outbox: queued without any way, left at a hub in order, done when the machine has taken it", async () => {
  const site = await Site.make();
  site.isHubThere = false;
  const outbox = await site.open();
  for (const number of [1, 2, 3]) await outbox.add(ask(number));
  await outbox.flush(MACHINE);
  assert.deepEqual(statesOf(outbox), ["queued", "queued", "queued"]);
  const [first] = outbox.items();
  await outbox.edit(first!.id, { number: 10 });
  site.isHubThere = true;
  await outbox.flush(MACHINE);
  assert.deepEqual(statesOf(outbox), ["delivered", "delivered", "delivered"]);
  await assert.rejects(outbox.edit(first!.id, { number: 11 }), { code: "ITEM_SENT" });
  await assert.rejects(outbox.remove(first!.id), { code: "ITEM_SENT" });
  await site.fetch(outbox);
  assert.deepEqual(
    [statesOf(outbox), site.done],
    [
      ["done", "done", "done"],
      [10, 2, 3],
    ],
  );
  await outbox.remove(first!.id);
  assert.equal((await site.store.items()).length, 2);
});

test("outbox: goes live where the machine is there; what waited at a hub is done once, before what was added later", async () => {
  const site = await Site.make();
  const outbox = await site.open();
  await outbox.add(ask(1));
  await outbox.flush(MACHINE);
  site.isThere = true;
  await outbox.add(ask(2));
  await outbox.flush(MACHINE);
  await site.fetch(outbox);
  assert.deepEqual(
    [statesOf(outbox), site.done],
    [
      ["done", "done"],
      [1, 2],
    ],
  );
});

test("outbox: what a hub has lost goes again with all that is behind it, in order, and nothing overtakes it", async () => {
  const site = await Site.make();
  const outbox = await site.open();
  for (const number of [1, 2, 3, 4]) await outbox.add(ask(number));
  await outbox.flush(MACHINE);
  site.records.splice(0, 2);
  site.isLossy = true;
  await site.fetch(outbox);
  assert.deepEqual([site.done, statesOf(outbox)], [[], ["sent", "sent", "sent", "sent"]]);
  await assert.rejects(outbox.edit(outbox.items()[1]!.id, {}), { code: "ITEM_SENT" });
  await outbox.flush(MACHINE);
  assert.deepEqual(statesOf(outbox), ["delivered", "delivered", "delivered", "delivered"]);
  site.isThere = true;
  await outbox.flush(MACHINE);
  assert.deepEqual(
    [site.done, statesOf(outbox)],
    [
      [1, 2, 3, 4],
      ["done", "done", "done", "done"],
    ],
  );
});

test("outbox: what a record has answered, while the way was lost, lets those behind it go", async () => {
  const site = await Site.make();
  const outbox = await site.open();
  await outbox.add(ask(1));
  await outbox.flush(MACHINE);
  site.isThere = true;
  site.step = () => {
    throw new WarrenError("CONNECTION_LOST", "gone");
  };
  await outbox.add(ask(2));
  await outbox.flush(MACHINE);
  site.step = () => {};
  await site.fetch(outbox);
  await waitUntil(() => site.done.length === 2, { what: "the second is asked live, by itself" });
  assert.deepEqual(site.done, [1, 2]);
});

test("outbox: asked live with a word of what is over by now, it is made anew, and done", async () => {
  const site = await Site.make();
  const outbox = await site.open();
  await outbox.add({ ...ask(1), lifeMs: 1_000 });
  await outbox.add(ask(2));
  await outbox.flush(MACHINE);
  site.records.length = 0;
  site.nowMs += 2_000; // the first is too late, and never came
  site.isThere = true;
  await outbox.flush(MACHINE);
  assert.deepEqual(statesOf(outbox), ["expired", "sent"]);
  await outbox.flush(MACHINE);
  assert.deepEqual([site.done, statesOf(outbox)], [[2], ["expired", "done"]]);
});

test("outbox: past its deadline it is expired and never sent; the machine's no is kept as such", async () => {
  const site = await Site.make();
  site.isHubThere = false;
  const outbox = await site.open();
  await outbox.add({ ...ask(1), lifeMs: 1_000 });
  await outbox.add(ask(2));
  site.nowMs += 1_001;
  site.isThere = true;
  site.carryOut = () => {
    throw new WarrenError("SESSION_NOT_FOUND", "session not found: fox");
  };
  await outbox.flush(MACHINE);
  assert.deepEqual(statesOf(outbox), ["expired", "failed"]);
});

test("outbox: whose time went by before its answer was read, it was done all the same, and that is what is shown", async () => {
  const site = await Site.make();
  const outbox = await site.open();
  await outbox.add({ machine: MACHINE, type: "ping", payload: { number: 1 }, lifeMs: 1_000 });
  await outbox.flush(MACHINE);
  site.nowMs += 1_001;
  await outbox.flush(MACHINE);
  assert.deepEqual(statesOf(outbox), ["expired"]);
  await site.fetch(outbox);
  assert.deepEqual([site.done, statesOf(outbox)], [[1], ["done"]]);
});

test("outbox: a result of another machine, or of another request, changes nothing", async () => {
  const site = await Site.make();
  const outbox = await site.open();
  const { id } = await outbox.add(ask(1));
  await outbox.flush(MACHINE);
  await outbox.onResult("cd".repeat(32), { request: outbox.items()[0]!.sealed!.hash, id });
  await outbox.onResult(MACHINE, { request: "0".repeat(64), id });
  assert.deepEqual(statesOf(outbox), ["delivered"]);
});

for (const isThere of [true, false])
  test(`outbox: killed at each step, ${isThere ? "live" : "by a hub"}: nothing lost, doubled or out of order`, async () => {
    let killCount = 0;
    for (let number = 1; ; number++) {
      const site = await Site.make();
      site.isThere = isThere;
      const wasKilled = killAt(site, number);
      const first = await site.open();
      for (const wanted of [1, 2, 3]) await first.add(ask(wanted)).catch(() => {});
      await first.flush(MACHINE).catch(() => {});
      if (!wasKilled()) break;
      killCount += 1;
      revive(site);
      const second = await site.open();
      await second.flush(MACHINE);
      await site.fetch(second);
      assert.deepEqual(
        new Set(statesOf(second)).size <= 1 && (statesOf(second)[0] ?? "done"),
        "done",
        `killed at ${number}`,
      );
      const kept = second.items().map(({ payload }) => payload.number);
      assert.deepEqual(site.done, kept, `killed at ${number}`);
    }
    assert.ok(killCount >= 12, `${killCount} steps`);
  });

test("outbox: an edit that meets the sending is either sent or refused", async () => {
  for (let turn = 0; turn < 30; turn++) {
    const site = await Site.make();
    const outbox = await site.open();
    site.isThere = true;
    const { id } = await outbox.add(ask(1));
    for (let count = 0; count < turn; count++) await Promise.resolve();
    const isEdited = await outbox.edit(id, { number: 2 }).then(
      () => true,
      () => false,
    );
    await outbox.flush(MACHINE);
    while (outbox.items().some(({ state }) => state.kind !== "done")) await new Promise((wake) => setImmediate(wake));
    assert.deepEqual(site.done, [isEdited ? 2 : 1]);
  }
});
