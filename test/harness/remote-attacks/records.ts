import assert from "node:assert/strict";
import { concat, toHex } from "../../../src/sealing/bytes.ts";
import { NO_LINK } from "../../../src/sealing/chain.ts";
import { newPeriodKey } from "../../../src/sealing/period.ts";
import { decodeRecord, RECORD_KINDS } from "../../../src/sealing/record.ts";
import { newSpace, write } from "../../../src/sealing/testing/space.ts";
import type { Attack } from "./attack.ts";
import { Reading } from "./reading.ts";

/** What a hub can do to the records that it keeps. */
const byHub = (name: string, how: string, run: (reading: Reading) => Promise<void>): Attack => ({
  name: `hub, records: ${name}`,
  how,
  run: async () => run(await Reading.open()),
});

/** A copy with another byte there. */
function changed(record: Uint8Array, at: number, to?: number): Uint8Array {
  const copy = record.slice();
  copy[at] = to ?? copy[at]! ^ 1;
  return copy;
}

/** Where fields lie: version, kind, space[32], stream[8], sender[32], period u32, seq u64. */
const AT = { version: 0, kind: 1, space: 2, stream: 34, period: 74, seq: 78 };

export const RECORD_ATTACKS: readonly Attack[] = [
  byHub("a record again", "Gives a true record a second time, under a later place.", async (reading) => {
    const { records } = await reading.items(2);
    await reading.give(...records, ...records);
    assert.deepEqual(reading.texts, ["item 1", "item 2"]);
    await reading.reopen();
    await reading.give(records[1]!);
    assert.equal(reading.texts.length, 2, "nor after a restart");
  }),
  byHub("an old state again", "Brings back a state that a newer one has replaced.", async (reading) => {
    const { records } = await reading.items(3, { kind: "state" });
    await reading.give(...records, records[0]!);
    assert.equal(reading.texts.length, 3);
  }),
  byHub("drop one", "Leaves out one record from the middle of a conversation.", async (reading) => {
    const { records } = await reading.items(3);
    await reading.give(records[0]!, records[2]!);
    assert.deepEqual([reading.texts, reading.gaps], [["item 1", "item 3"], ["gap"]], "the hole is known");
  }),
  byHub("swap two", "Gives two records in the other order.", async (reading) => {
    const { records } = await reading.items(3);
    await reading.give(records[0]!, records[2]!, records[1]!);
    assert.deepEqual([reading.texts, reading.gaps], [["item 1", "item 3"], ["gap"]], "never in the wrong order");
  }),
  byHub("keep back the newest", "Never gives the last record of a conversation.", async (reading) => {
    const { records, last } = await reading.items(2);
    await reading.give(records[0]!, await reading.heads([{ stream: reading.streamOf(records[0]!), ...last }]));
    assert.deepEqual([reading.texts, reading.gaps], [["item 1"], ["behind"]]);
  }),
  byHub("keep back a stream", "Never gives anything of one whole stream.", async (reading) => {
    const { records, last } = await reading.items(2);
    await reading.give(await reading.heads([{ stream: reading.streamOf(records[0]!), ...last }]));
    assert.deepEqual([reading.texts, reading.gaps], [[], ["behind"]]);
  }),
  byHub(
    "forge the list of streams",
    "Signs a list of streams itself, to hide that one is missing.",
    async (reading) => {
      const key = reading.space.machine.signing;
      reading.space.machine.signing = await reading.crypto.newSigningKey();
      const forged = await reading.heads([]);
      reading.space.machine.signing = key;
      await reading.give(forged);
      await reading.leftNothing("signature");
    },
  ),
  byHub("change any byte", "Changes one byte of a record, each in turn.", async (reading) => {
    const [record] = (await reading.items(1)).records;
    for (let at = 0; at < record!.length; at++) await reading.give(changed(record!, at));
    assert.deepEqual([reading.texts, reading.gaps, reading.refused.length], [[], [], record!.length]);
    await reading.give(record!);
    assert.deepEqual(reading.texts, ["item 1"]);
  }),
  byHub("another kind", "Passes a line of a conversation off as the state of a unit.", async (reading) => {
    const [record] = (await reading.items(1)).records;
    await reading.give(changed(record!, AT.kind, RECORD_KINDS.state));
    await reading.leftNothing("signature");
  }),
  byHub("another stream", "Moves a record into another conversation.", async (reading) => {
    const [record] = (await reading.items(1)).records;
    const other = (await reading.items(1, { stream: "unit/fox" })).records[0]!;
    const moved = record!.slice();
    moved.set(decodeRecord(other).stream, AT.stream);
    await reading.give(moved);
    await reading.leftNothing("signature");
  }),
  byHub(
    "another number",
    "Counts a record on, so that it fills the hole of one that is kept back.",
    async (reading) => {
      const [record] = (await reading.items(1)).records;
      await reading.give(changed(record!, AT.seq + 7, 2));
      await reading.leftNothing("signature");
    },
  ),
  byHub("another period", "Writes a later period's number on a record.", async (reading) => {
    const [record] = (await reading.items(1)).records;
    await reading.give(changed(record!, AT.period + 3, 5));
    await reading.leftNothing("unknown_period");
  }),
  byHub("another version", "Gives a record of version 0, and one of version 2.", async (reading) => {
    const [record] = (await reading.items(1)).records;
    await reading.give(changed(record!, AT.version, 0), changed(record!, AT.version, 2));
    await reading.leftNothing("other_machine", "other_machine");
  }),
  byHub("cut and lengthened", "Cuts a record at every byte, and adds one behind.", async (reading) => {
    const [record] = (await reading.items(1)).records;
    for (let length = 0; length < record!.length; length++) await reading.give(record!.slice(0, length));
    await reading.give(concat(record!, Uint8Array.of(0)));
    assert.deepEqual([reading.texts, reading.gaps], [[], []]);
    assert.equal(reading.refused.length, record!.length + 1);
  }),
  byHub(
    "sign itself",
    "Writes a record in the machine's name, and signs it with a key of its own.",
    async (reading) => {
      const from = { ...reading.space.machine, signing: await reading.crypto.newSigningKey() };
      await reading.give((await write(reading.crypto, reading.space, { from })).record.bytes);
      await reading.leftNothing("signature");
    },
  ),
  byHub("seal by the wrong key", "Has a true signature, and a text that another key has sealed.", async (reading) => {
    const space = { ...reading.space, periodKey: newPeriodKey(reading.crypto) };
    await reading.give((await write(reading.crypto, space)).record.bytes);
    await reading.leftNothing("seal");
  }),
  byHub("mix spaces", "Gives a machine's record in another machine's space.", async (reading) => {
    const other = await newSpace(reading.crypto);
    const record = (await write(reading.crypto, other)).record.bytes;
    const moved = record.slice();
    moved.set(reading.space.machine.login.publicKey, AT.space);
    await reading.give(record, moved);
    await reading.leftNothing("other_machine", "unknown_sender");
  }),
  byHub("a machine that nobody paired", "Adds a space with a machine of its own.", async (reading) => {
    await reading.give((await write(reading.crypto, await newSpace(reading.crypto))).record.bytes);
    await reading.leftNothing("other_machine");
  }),
  byHub("tell two stories", "Gives another record under a number that was there.", async (reading) => {
    const [first] = (await reading.items(1)).records;
    const [other] = (await reading.items(1, { text: "another story" })).records;
    await reading.give(first!, other!);
    assert.deepEqual([reading.texts, reading.gaps], [["item 1"], ["fork"]]);
  }),
  byHub("go on in another story", "Goes on behind a record that this device has never seen.", async (reading) => {
    const [first] = (await reading.items(1)).records;
    const other = await reading.items(2, { text: "another story" });
    await reading.give(first!, other.records[1]!);
    assert.deepEqual([reading.texts, reading.gaps], [["item 1"], ["fork"]]);
  }),
  byHub("places that go back", "Gives new records under places that were taken already.", async (reading) => {
    const { records } = await reading.items(2);
    await reading.give(records[0]!);
    const { place } = reading.reader;
    await reading.reader.read(1, records[1]!);
    assert.deepEqual([reading.texts, reading.reader.place], [["item 1"], place]);
  }),
  byHub("a false floor", "Claims that it had to forget what it only keeps back.", async (reading) => {
    await reading.reader.missed({ head: 1_000, floor: 900 });
    assert.deepEqual(reading.gaps, ["floor"], "said, and kept");
    assert.equal(reading.reader.place, 1, "what does come is still wanted");
  }),
  byHub("a period of its own", "Makes a period whose key it knows.", async (reading) => {
    const key = newPeriodKey(reading.crypto);
    const { link } = reading.first;
    const signer = await reading.crypto.newSigningKey();
    await reading.give((await reading.period({ period: 5, key, signer, after: link })).bytes);
    const newest = reading.reader.newestPeriod(toHex(reading.space.machine.login.publicKey));
    assert.deepEqual([newest?.period, reading.refused], [4, ["signature"]]);
  }),
  byHub(
    "back to an older period",
    "Gives the former period again, so that a device seals for who was revoked.",
    async (reading) => {
      const { first } = reading;
      const key = newPeriodKey(reading.crypto);
      await reading.give((await reading.period({ period: 5, key, after: first.link })).bytes, first.bytes);
      const newest = reading.reader.newestPeriod(toHex(reading.space.machine.login.publicKey));
      assert.deepEqual([newest?.period, newest?.key], [5, key]);
    },
  ),
  byHub("keep back a period", "Never gives a period, and later what it seals.", async (reading) => {
    const { first } = reading;
    const second = await reading.period({ period: 5, key: newPeriodKey(reading.crypto), after: first.link });
    const third = await reading.period({ period: 6, key: newPeriodKey(reading.crypto), after: second.link });
    await reading.give(third.bytes);
    const newest = reading.reader.newestPeriod(toHex(reading.space.machine.login.publicKey));
    assert.equal(newest?.period, 6, "the newest counts");
    const [hidden] = (await reading.items(1, { head: { period: 5 } })).records;
    await reading.give(hidden!);
    await reading.leftNothing("unknown_period");
  }),
  byHub(
    "somebody else's copy",
    "Writes this device's name on the copy of a key that is sealed to another.",
    async (reading) => {
      const other = await reading.crypto.newExchangeKey();
      const reader = { loginKey: reading.space.device.login.publicKey, exchangeKey: other.publicKey };
      const { link } = reading.first;
      await reading.give((await reading.period({ period: 5, after: link, reader })).bytes);
      const newest = reading.reader.newestPeriod(toHex(reading.space.machine.login.publicKey));
      assert.deepEqual([newest?.period, reading.refused], [4, ["not_for_us"]]);
    },
  ),
  byHub("garbage", "Gives bytes that are no record.", async (reading) => {
    for (let length = 0; length < 400; length += 13) await reading.give(reading.crypto.random(length));
    assert.deepEqual([reading.texts, reading.gaps], [[], []]);
  }),
  {
    name: "hub B, records: those of hub A",
    how: "A second hub gives what it got hold of at the first, where the machine has the same login key by mistake.",
    async run() {
      const reading = await Reading.open();
      const elsewhere = { ...reading.space, hub: reading.crypto.random(16) };
      await reading.give((await write(reading.crypto, elsewhere)).record.bytes);
      await reading.leftNothing("signature");
    },
  },
  {
    name: "hub B, records: a period of hub A",
    how: "A second hub gives the period that the machine has made at the first.",
    async run() {
      const reading = await Reading.open();
      const { link } = reading.first;
      await reading.give((await reading.period({ period: 5, hub: reading.crypto.random(16), after: link })).bytes);
      assert.deepEqual(reading.refused, ["signature"]);
    },
  },
  {
    name: "device, records: speak for the machine",
    how: "A paired device, which has the period's key, writes a state in its own name, and one in the machine's.",
    async run() {
      const reading = await Reading.open();
      const { device, machine } = reading.space;
      const own = await write(reading.crypto, reading.space, { from: device, kind: "state" });
      const from = { ...device, login: machine.login };
      const other = await write(reading.crypto, reading.space, { from, kind: "state" });
      await reading.give(own.record.bytes, other.record.bytes);
      await reading.leftNothing("unknown_sender", "signature");
    },
  },
  {
    name: "device, records: a request as the machine's",
    how: "A paired device gives another one its own request, as if the machine asked it for something.",
    async run() {
      const reading = await Reading.open();
      const from = reading.space.machine;
      await reading.give((await write(reading.crypto, reading.space, { from, kind: "request" })).record.bytes);
      await reading.leftNothing("kind_not_allowed");
    },
  },
  {
    name: "stolen machine, records: another machine's space",
    how: "The keys of one machine are used to write in the space of another machine of the same person.",
    async run() {
      const reading = await Reading.open();
      const thief = { login: await reading.crypto.newSigningKey(), signing: await reading.crypto.newSigningKey() };
      const spaces = { [toHex(reading.space.hub)]: thief.login.publicKey };
      reading.machines.push({ ...reading.machines[0]!, id: toHex(thief.signing.publicKey), name: "stolen", spaces });
      const from = { ...thief, isMachine: true };
      const inOther = await write(reading.crypto, reading.space, { from });
      const asOther = { ...from, login: reading.space.machine.login };
      const named = await write(reading.crypto, reading.space, { from: asOther, after: NO_LINK });
      await reading.give(inOther.record.bytes, named.record.bytes);
      await reading.leftNothing("unknown_sender", "signature");
    },
  },
];
