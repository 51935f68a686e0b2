import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex, utf8 } from "../../sealing/bytes.ts";
import { type Link, NO_LINK, nextIn } from "../../sealing/chain.ts";
import { encodeHeads } from "../../sealing/heads.ts";
import { PERIOD_STREAM, sealPeriod } from "../../sealing/period.ts";
import { RECORD_KINDS, type RecordKindName, recordHash, sealRecord } from "../../sealing/record.ts";
import { newSpace, type Space, write } from "../../sealing/testing/space.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import { RecordReader } from "./record-reader.ts";
import type { RecordRow } from "./record-store.ts";
import { Killed, MemoryRecords } from "./testing/memory-records.ts";
import type { DeviceKeys, MachineEntry } from "./world.ts";

const sealing = webCrypto();

class Site {
  readonly store = new MemoryRecords();
  readonly space: Space;
  readonly keys: DeviceKeys;
  readonly refused: string[] = [];
  readonly took: number[] = [];
  machines: MachineEntry[];

  static async make(): Promise<Site> {
    const keys = { signing: await sealing.newSigningKey(), exchange: await sealing.newExchangeKey() };
    return new Site(await newSpace(sealing), keys);
  }

  private constructor(space: Space, keys: DeviceKeys) {
    this.space = space;
    this.keys = keys;
    const { machine } = space;
    this.machines = [
      {
        id: toHex(machine.signing.publicKey),
        exchangeKey: keys.exchange.publicKey,
        name: "laptop",
        words: "",
        scopes: ["view"],
        spaces: { [this.hub]: machine.login.publicKey },
        addedMs: 0,
      },
    ];
  }

  get hub(): string {
    return toHex(this.space.hub);
  }

  reader(onResult: (row: RecordRow) => Promise<void> = async () => {}): Promise<RecordReader> {
    return RecordReader.open({
      hub: this.hub,
      loginKey: this.space.device.login.publicKey,
      keys: this.keys,
      store: this.store,
      crypto: sealing,
      machines: () => this.machines,
      took: (place) => void this.took.push(place),
      events: { onRow() {}, onResult, onGap() {}, onRefused: (why) => void this.refused.push(why) },
    });
  }

  /** The period's key, for this device. */
  async period(after: Link = NO_LINK): Promise<Uint8Array> {
    const { hub, period, periodKey, machine, device } = this.space;
    const text = await sealPeriod(sealing, {
      context: { hub, space: machine.login.publicKey, period },
      key: periodKey,
      readers: [{ loginKey: device.login.publicKey, exchangeKey: this.keys.exchange.publicKey }],
    });
    const head = {
      kind: RECORD_KINDS.period,
      space: machine.login.publicKey,
      stream: PERIOD_STREAM,
      sender: machine.login.publicKey,
      period,
      seq: after.seq + 1,
      prev: after.hash,
      atMs: 1,
    };
    const keys = { hub, periodKey };
    return (await sealRecord(sealing, { head, text, keys, signer: machine.signing })).bytes;
  }

  /** Items in a chain. */
  async items(count: number, kind: RecordKindName = "item"): Promise<Uint8Array[]> {
    const all: Uint8Array[] = [];
    let after = NO_LINK;
    for (let number = 1; number <= count; number++) {
      const { record, link } = await write(sealing, this.space, { text: `item ${number}`, after, kind });
      all.push(record.bytes);
      after = link;
    }
    return all;
  }

  get texts(): string[] {
    return this.store.rows.map(({ text }) => new TextDecoder().decode(text));
  }
}

test("reader: when it has ended nothing is written any more, whatever it had in hand", async () => {
  const site = await Site.make();
  const opening = await site.reader();
  const read = opening.read(1, await site.period());
  await opening.end();
  await site.store.forget(site.hub);
  await read;
  assert.deepEqual([(await site.store.load(site.hub)).place, site.took], [0, []], "it was being opened");

  const writing = await site.reader();
  const { promise: held, resolve: goOn } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begins } = Promise.withResolvers<void>();
  const commit = site.store.commit.bind(site.store);
  site.store.commit = async (hub, change) => {
    begins();
    await held;
    await commit(hub, change);
  };
  const written = writing.read(1, await site.period());
  await begun;
  const forgotten = writing.end().then(() => site.store.forget(site.hub));
  goOn();
  await Promise.all([written, forgotten]);
  assert.deepEqual([(await site.store.load(site.hub)).place, site.took], [0, []], "it was being written");
});

test("reader: takes the period's key, then what it seals, and goes on from its cursor", async () => {
  const site = await Site.make();
  const reader = await site.reader();
  const [first, second] = await site.items(2);
  await reader.read(1, await site.period());
  await reader.read(2, first!);
  const again = await site.reader();
  assert.equal(again.place, 2);
  assert.deepEqual(again.newestPeriod(toHex(site.space.machine.login.publicKey))?.key, site.space.periodKey);
  await again.read(2, first!);
  await again.read(3, second!);
  assert.deepEqual(
    [site.texts, site.took],
    [
      ["item 1", "item 2"],
      [1, 2, 2, 3], // what the hub repeats it has not heard of
    ],
  );
});

test("reader: a gap and a fork are kept and shown, and nothing behind them is taken", async () => {
  const site = await Site.make();
  const reader = await site.reader();
  const all = await site.items(3, "result");
  await reader.read(1, await site.period());
  await reader.read(2, all[0]!);
  await reader.read(3, all[2]!);
  const { record: other } = await write(sealing, site.space, { text: "another story", kind: "result" });
  await reader.read(4, other.bytes);
  assert.deepEqual(site.texts, ["item 1"]);
  assert.deepEqual(
    site.store.gaps.map((gap) => gap.kind),
    ["gap", "fork"],
  );
  await reader.missed({ head: 9, floor: 7 });
  assert.deepEqual(site.store.gaps.at(-1), { kind: "floor", place: 7 });
});

test("reader: an item behind a gap is taken, and the gap is shown; what belongs into it comes too late, and another story is not taken", async () => {
  const site = await Site.make();
  const reader = await site.reader();
  const all = await site.items(4);
  await reader.read(1, await site.period());
  for (const [index, number] of [0, 2, 1, 3].entries()) await reader.read(2 + index, all[number]!);
  const { record: other } = await write(sealing, site.space, { text: "another story", head: { seq: 4 } });
  await reader.read(6, other.bytes);
  assert.deepEqual(site.texts, ["item 1", "item 3", "item 4"]);
  assert.deepEqual(
    site.store.gaps.map((gap) => gap.kind),
    ["gap", "fork"],
  );
});

/** The machine's lists, one behind the other, of streams by one byte and number. */
async function lists(site: Site, ...all: readonly (readonly [byte: number, seq: number])[][]): Promise<Uint8Array[]> {
  const { machine, hub, period, periodKey } = site.space;
  const { publicKey } = machine.login;
  const records: Uint8Array[] = [];
  let after = NO_LINK;
  for (const one of all) {
    const heads = one.map(([byte, seq]) => ({ stream: new Uint8Array(8).fill(byte), seq, hash: new Uint8Array(32) }));
    const [text] = await encodeHeads(sealing, heads);
    const head = { space: publicKey, sender: publicKey, stream: utf8("headhead"), period, atMs: 1, ...nextIn(after) };
    const record = await sealRecord(sealing, {
      head: { ...head, kind: RECORD_KINDS.head },
      text: text!,
      keys: { hub, periodKey },
      signer: machine.signing,
    });
    after = { seq: head.seq, hash: await recordHash(sealing, record) };
    records.push(record.bytes);
  }
  return records;
}

/** A state of the stream of that byte, whatever stood before it. */
async function state(site: Site, byte: number, seq: number): Promise<Uint8Array> {
  const head = { stream: new Uint8Array(8).fill(byte), seq };
  return (await write(sealing, site.space, { text: `state ${byte}`, kind: "state", head })).record.bytes;
}

test("reader: of a stream that a hub keeps back the machine's list tells, once, and no more when it has come", async () => {
  const site = await Site.make();
  const reader = await site.reader();
  const [first, second] = await lists(site, [[3, 4]], [[3, 5]]);
  await reader.read(1, await site.period());
  await reader.read(2, first!);
  const behind = { kind: "behind", machine: site.machines[0]!.id, stream: "03".repeat(8), seq: 4 };
  assert.deepEqual(site.store.gaps, [behind]);
  await reader.read(3, second!);
  assert.deepEqual(site.store.gaps, [behind]);
  await reader.read(4, await state(site, 3, 5));
  assert.deepEqual(site.store.gaps, []);
});

test("reader: an old list that names a state which was replaced since says nothing; what is missing behind all that waited does", async () => {
  const site = await Site.make();
  const reader = await site.reader();
  const [first, second] = await lists(
    site,
    [[3, 4]],
    [
      [3, 4],
      [5, 1],
    ],
  );
  await reader.missed({ head: 5, floor: 0 });
  await reader.read(1, await site.period());
  await reader.read(2, first!);
  await reader.read(3, second!);
  await reader.read(4, await state(site, 3, 9));
  const missing = () => site.store.gaps.map((gap) => "stream" in gap && gap.stream);
  assert.deepEqual(missing(), []);
  await reader.read(5, await state(site, 4, 1));
  assert.deepEqual(missing(), ["05".repeat(8)]);
});

test("reader: units of streams that the newest list does not name are gone", async () => {
  const site = await Site.make();
  const reader = await site.reader();
  const [first] = await lists(site, [[5, 1]]);
  await reader.read(1, await site.period());
  await reader.read(2, await state(site, 4, 1));
  await reader.read(3, await state(site, 5, 1));
  assert.deepEqual(site.texts, ["state 4", "state 5"]);
  await reader.read(4, first!);
  assert.deepEqual(site.texts, ["state 5"]);
});

test("reader: what is not the machine's own, or of a machine that has not joined, is as if it had not come", async () => {
  const site = await Site.make();
  const reader = await site.reader();
  await reader.read(1, await site.period());
  const [item] = await site.items(1);
  const changed = item!.slice();
  changed[changed.length - 1]! ^= 1;
  const stranger = await write(sealing, await newSpace(sealing));
  const asDevice = await write(sealing, site.space, { from: site.space.device, kind: "state" });
  await reader.read(2, changed);
  await reader.read(3, stranger.record.bytes);
  await reader.read(4, asDevice.record.bytes);
  await reader.read(5, Uint8Array.of(1, 2, 3));
  await reader.read(6, item!);
  assert.deepEqual(site.refused, ["signature", "other_machine", "unknown_sender", "other_machine"]);
  assert.deepEqual([site.texts, reader.place], [["item 1"], 6]);
});

test("reader: a record of another hub gives no place away: what comes behind the real ones is read", async () => {
  const site = await Site.make();
  const elsewhere = await newSpace(sealing);
  const [machine] = site.machines;
  site.machines = [
    { ...machine!, spaces: { ...machine!.spaces, [toHex(elsewhere.hub)]: elsewhere.machine.login.publicKey } },
  ];
  const reader = await site.reader();
  await reader.read(1, await site.period());
  await reader.read(9, (await write(sealing, elsewhere)).record.bytes);
  assert.deepEqual([site.refused, site.took, reader.place], [["other_hub"], [1], 1]);
  const [item] = await site.items(1);
  await reader.read(2, item!);
  assert.deepEqual([site.texts, reader.place], [["item 1"], 2]);
});

test("reader: a hub that knows of no such place gives its own from the first on, and what is here already is passed over", async () => {
  const site = await Site.make();
  const reader = await site.reader();
  const [first, second] = await site.items(2);
  await reader.read(1_000, await site.period());
  await reader.read(2_000, first!);
  await reader.missed({ head: 40, floor: 2_001 });
  assert.deepEqual([reader.place, site.store.gaps], [0, [{ kind: "floor", place: 2_001 }]]);
  assert.equal((await site.reader()).place, 0, "as one that is started now");
  await reader.read(11, first!);
  await reader.read(12, second!);
  assert.deepEqual([site.texts, reader.place, reader.hasRead], [["item 1", "item 2"], 12, false]);
});

test("reader: of a period whose key a hub keeps back what it seals tells, once, and no more when it has come", async () => {
  const site = await Site.make();
  const reader = await site.reader();
  const [first] = await site.items(1);
  await reader.read(2, await site.period());
  await reader.read(3, first!);
  const { space } = site;
  const next = { ...space, period: space.period + 1, periodKey: sealing.random(32) };
  const sealed = async (number: number): Promise<Uint8Array> =>
    (await write(sealing, next, { text: `tomorrow ${number}` })).record.bytes;
  const forged = await sealed(0);
  forged[forged.length - 1]! ^= 1;
  await reader.read(4, forged);
  assert.deepEqual(site.store.gaps, [], "a hub's own word is none");
  await reader.read(5, await sealed(1));
  await reader.read(6, await sealed(2));
  const machine = site.machines[0]!.id;
  assert.deepEqual(site.store.gaps, [{ kind: "behind", machine, stream: toHex(PERIOD_STREAM), seq: next.period }]);
  assert.deepEqual(site.texts, ["item 1"]);
  Object.assign(site.space, next);
  await reader.read(7, await site.period({ seq: next.period - 1, hash: new Uint8Array(32) }));
  assert.deepEqual(site.store.gaps, []);
});

test("reader: who has just joined reads first of what is not for it; a key that has not come behind that is kept back", async () => {
  const site = await Site.make();
  const reader = await site.reader();
  const [before, , live] = await site.items(3);
  await reader.missed({ head: 2, floor: 0 });
  await reader.read(1, before!);
  assert.deepEqual(site.store.gaps, [], "more waits");
  await reader.read(2, await state({ ...site, space: await newSpace(sealing) } as Site, 3, 1));
  const behind = { machine: site.machines[0]!.id, stream: toHex(PERIOD_STREAM), seq: site.space.period };
  assert.deepEqual(site.store.gaps, [{ kind: "behind", ...behind }]);
  await reader.read(3, live!);
  assert.equal(site.store.gaps.length, 1, "once");
  await reader.read(4, await site.period({ seq: site.space.period - 1, hash: new Uint8Array(32) }));
  assert.deepEqual([site.store.gaps, reader.place], [[], 4]);
});

test("reader: what was missing when the device was started anew is missing no more when it comes", async () => {
  const site = await Site.make();
  const reader = await site.reader();
  const [list] = await lists(site, [[3, 4]]);
  await reader.read(1, await site.period());
  await reader.read(2, list!);
  assert.equal(site.store.gaps.length, 1);
  const again = await site.reader();
  await again.read(3, await state(site, 3, 4));
  assert.deepEqual(site.store.gaps, []);
});

test("reader: killed at each write it takes each record once", async () => {
  const site = await Site.make();
  const all = [await site.period(), ...(await site.items(3))];
  for (const when of ["beforeWrite", "afterWrite"] as const)
    for (let number = 1; number <= all.length; number++) {
      const own = await Site.make();
      const killed = new MemoryRecords();
      Object.assign(own, { space: site.space, keys: site.keys, store: killed, machines: site.machines });
      let count = 0;
      killed[when] = () => {
        if (++count === number) throw new Killed();
      };
      const reader = await own.reader();
      await (async () => {
        for (const [index, bytes] of all.entries()) await reader.read(index + 1, bytes);
      })().catch(() => {});
      killed[when] = () => {};
      const again = await own.reader();
      for (const [index, bytes] of all.entries()) await again.read(index + 1, bytes);
      assert.deepEqual(own.texts, ["item 1", "item 2", "item 3"], `${when} ${number}`);
    }
});

test("reader: a result is read when whoever waits for it has it on disk, and comes again otherwise", async () => {
  const site = await Site.make();
  const { record } = await write(sealing, site.space, { kind: "result", text: "done" });
  const heard: number[] = [];
  const told = async ({ seq }: RecordRow): Promise<void> => void heard.push(seq);
  site.store.beforeWrite = () => {
    if (heard.length > 0) throw new Killed();
  };
  const killed = await site.reader(told);
  await killed.read(1, await site.period());
  await assert.rejects(killed.read(2, record.bytes), Killed);
  site.store.beforeWrite = () => {};
  const full = await site.reader(() => Promise.reject(new Error("no room")));
  await assert.rejects(full.read(2, record.bytes), /no room/);
  assert.deepEqual([full.place, site.took], [1, [1]], "the hub keeps it");
  const again = await site.reader(told);
  await again.read(2, record.bytes);
  assert.deepEqual([heard, again.place], [[1, 1], 2], "twice is once: it was heard before it counted as read");
});

test("reader: a newer key is told, and that all has been read which waited", async () => {
  const site = await Site.make();
  const told: string[] = [];
  const reader = await RecordReader.open({
    hub: site.hub,
    loginKey: site.space.device.login.publicKey,
    keys: site.keys,
    store: site.store,
    crypto: sealing,
    machines: () => site.machines,
    took: () => {},
    events: { onRow() {}, onGap() {}, onRefused() {}, onPeriod: (machine) => void told.push(machine) },
  });
  assert.equal(reader.hasRead, true);
  await reader.missed({ head: 7, floor: 0 });
  assert.equal(reader.hasRead, false);
  await reader.read(7, await site.period());
  assert.deepEqual([reader.hasRead, told], [true, [site.machines[0]!.id]]);
});
