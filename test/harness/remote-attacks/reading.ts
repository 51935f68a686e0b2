import assert from "node:assert/strict";
import { RecordReader } from "../../../src/client/remote/record-reader.ts";
import { MemoryRecords } from "../../../src/client/remote/testing/memory-records.ts";
import type { DeviceKeys, MachineEntry } from "../../../src/client/remote/world.ts";
import { toHex } from "../../../src/sealing/bytes.ts";
import { type Link, NO_LINK } from "../../../src/sealing/chain.ts";
import type { SigningKey } from "../../../src/sealing/crypto.ts";
import { encodeHeads, type StreamHead } from "../../../src/sealing/heads.ts";
import { PERIOD_STREAM, sealPeriod } from "../../../src/sealing/period.ts";
import { decodeRecord, RECORD_KINDS, type RecordHead, recordHash, sealRecord } from "../../../src/sealing/record.ts";
import { newSpace, type Space, type Written, write } from "../../../src/sealing/testing/space.ts";
import { webCrypto } from "../../../src/sealing/webcrypto.ts";

/** A device that reads what one hub gives it, with the real reader; the attacker is the hub. */
export class Reading {
  readonly crypto = webCrypto();
  readonly store = new MemoryRecords();
  readonly refused: string[] = [];
  readonly space: Space;
  readonly keys: DeviceKeys;
  readonly machines: MachineEntry[];
  /** The period that it has. */
  first!: { bytes: Uint8Array; link: Link };
  #reader!: RecordReader;
  #place = 0;

  /** With the period's key taken already. */
  static async open(): Promise<Reading> {
    const crypto = webCrypto();
    const keys = { signing: await crypto.newSigningKey(), exchange: await crypto.newExchangeKey() };
    const reading = new Reading(await newSpace(crypto), keys);
    await reading.reopen();
    reading.first = await reading.period();
    await reading.give(reading.first.bytes);
    return reading;
  }

  private constructor(space: Space, keys: DeviceKeys) {
    this.space = space;
    this.keys = keys;
    const { signing, login } = space.machine;
    const spaces = { [toHex(space.hub)]: login.publicKey };
    const about = { name: "laptop", words: "anna@laptop", scopes: ["view"], addedMs: 0 };
    this.machines = [{ ...about, id: toHex(signing.publicKey), exchangeKey: keys.exchange.publicKey, spaces }];
  }

  /** The device starts anew. */
  async reopen(): Promise<void> {
    this.#reader = await RecordReader.open({
      hub: toHex(this.space.hub),
      loginKey: this.space.device.login.publicKey,
      keys: this.keys,
      store: this.store,
      crypto: this.crypto,
      machines: () => this.machines,
      took() {},
      events: { onRow() {}, onGap() {}, onRefused: (why) => void this.refused.push(why) },
    });
  }

  get reader(): RecordReader {
    return this.#reader;
  }

  /** The hub gives these, at places of its choice that grow. */
  async give(...records: Uint8Array[]): Promise<void> {
    for (const record of records) await this.#reader.read(++this.#place, record);
  }

  /** What the device believes, in its order. */
  get texts(): string[] {
    return this.store.rows.map(({ text }) => new TextDecoder().decode(text));
  }

  get gaps(): string[] {
    return this.store.gaps.map(({ kind }) => kind);
  }

  /** Items of the machine, in a chain. */
  async items(count: number, written: Written = {}): Promise<{ records: Uint8Array[]; last: Link }> {
    const records: Uint8Array[] = [];
    let last = written.after ?? NO_LINK;
    for (let number = 1; number <= count; number++) {
      const { record, link } = await write(this.crypto, this.space, {
        text: `item ${number}`,
        ...written,
        after: last,
      });
      records.push(record.bytes);
      last = link;
    }
    return { records, last };
  }

  /** A `period` record, by default the machine's and for this device. */
  async period({
    after = NO_LINK,
    period = this.space.period,
    key = this.space.periodKey,
    reader = { loginKey: this.space.device.login.publicKey, exchangeKey: this.keys.exchange.publicKey },
    signer = this.space.machine.signing,
    hub = this.space.hub,
  }: {
    after?: Link;
    period?: number;
    key?: Uint8Array;
    reader?: { loginKey: Uint8Array; exchangeKey: Uint8Array };
    signer?: SigningKey;
    hub?: Uint8Array;
  } = {}): Promise<{ bytes: Uint8Array; link: Link }> {
    const space = this.space.machine.login.publicKey;
    const text = await sealPeriod(this.crypto, { context: { hub, space, period }, key, readers: [reader] });
    const head: RecordHead = {
      kind: RECORD_KINDS.period,
      space,
      stream: PERIOD_STREAM,
      sender: space,
      period,
      seq: after.seq + 1,
      prev: after.hash,
      atMs: 1,
    };
    const record = await sealRecord(this.crypto, { head, text, keys: { hub, periodKey: key }, signer });
    return { bytes: record.bytes, link: { seq: head.seq, hash: await recordHash(this.crypto, record) } };
  }

  /** The machine's list of its streams. */
  async heads(heads: readonly StreamHead[]): Promise<Uint8Array> {
    const [text] = await encodeHeads(this.crypto, heads);
    const { hub, period, periodKey, machine } = this.space;
    const space = machine.login.publicKey;
    const head: RecordHead = {
      kind: RECORD_KINDS.head,
      space,
      stream: new Uint8Array(8).fill(9),
      sender: space,
      period,
      seq: 1,
      prev: NO_LINK.hash,
      atMs: 1,
    };
    return (await sealRecord(this.crypto, { head, text: text!, keys: { hub, periodKey }, signer: machine.signing }))
      .bytes;
  }

  streamOf(record: Uint8Array): Uint8Array {
    return decodeRecord(record).stream.slice();
  }

  /** Nothing was believed, and it was refused for this reason; also after a restart. */
  async leftNothing(...why: string[]): Promise<void> {
    assert.deepEqual([this.texts, this.refused], [[], why]);
    await this.reopen();
    const own = await this.items(1);
    await this.give(...own.records);
    assert.deepEqual(this.texts, ["item 1"], "what is true is still taken");
  }
}
