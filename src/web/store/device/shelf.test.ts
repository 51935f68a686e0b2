import assert from "node:assert/strict";
import { test } from "node:test";
import { outboxStoreConforms, recordStoreConforms } from "../../../client/remote/testing/stores-conform.ts";
import type { HubEntry, MachineEntry } from "../../../client/remote/world.ts";
import { WarrenError } from "../../../protocol/errors.ts";
import { RECORD_KINDS } from "../../../sealing/record.ts";
import { webCrypto } from "../../../sealing/webcrypto.ts";
import { DeviceShelf } from "./device-shelf.ts";
import { OutboxShelf } from "./outbox-shelf.ts";
import { RecordShelf } from "./record-shelf.ts";
import { type Change, MemoryShelf, TABLES } from "./shelf.ts";
import { newSecret, shelfConforms } from "./testing/shelf-conformance.ts";
import { WatchedShelf } from "./watched-shelf.ts";

const crypto = webCrypto();
const bytes = (fill: number, length = 32): Uint8Array => new Uint8Array(length).fill(fill);

const countOf = async (shelf: MemoryShelf): Promise<number> =>
  (await Promise.all(TABLES.map((table) => shelf.all(table)))).flat().length;

async function entries(store: DeviceShelf, fingerprint: string, spaces: MachineEntry["spaces"]) {
  const hub: HubEntry = {
    fingerprint,
    key: bytes(1),
    addresses: ["https://a.example"],
    label: fingerprint,
    login: await store.newLoginKey(fingerprint),
    addedMs: 1,
  };
  const machine: MachineEntry = {
    id: "m1",
    exchangeKey: bytes(2),
    name: "laptop",
    words: "anna@laptop",
    scopes: ["view"],
    spaces,
    addedMs: 1,
  };
  return { hub, machine };
}

test("shelf: memory does what a browser's store does", async () => {
  assert.equal((await shelfConforms(new MemoryShelf(), newSecret)).length, 8);
});

test("device shelf: keys that were made are the same for as long as the page is open, and kept by a pairing alone", async () => {
  const shelf = new MemoryShelf();
  const store = new DeviceShelf(shelf, crypto);
  const keys = await store.newKeys();
  assert.equal(await store.newKeys(), keys);
  const login = await store.newLoginKey("one");
  assert.equal(await store.newLoginKey("one"), login, "two pairings at once with one hub have one key");
  assert.notEqual(await store.newLoginKey("two"), login);
  await store.removeHub("one");
  assert.notEqual(await store.newLoginKey("one"), login, "it is nobody whom the hub knows");
  assert.equal(await countOf(shelf), 0, "no trace");
  await store.join({ keys, ...(await entries(store, "one", { one: bytes(3) })) });
  const again = new DeviceShelf(shelf, crypto);
  const known = await again.keys();
  assert.deepEqual(known?.signing.publicKey, keys.signing.publicKey);
  const signature = await crypto.sign(known!.signing, bytes(5));
  assert.equal(await crypto.verify(keys.signing.publicKey, bytes(5), signature), true, "the handle works");
});

test("device shelf: a hub that goes takes along the machines that are met nowhere else", async () => {
  const shelf = new MemoryShelf();
  const store = new DeviceShelf(shelf, crypto);
  const keys = await store.newKeys();
  await store.join({ keys, ...(await entries(store, "one", { one: bytes(3) })) });
  await store.join({ keys, ...(await entries(store, "two", { one: bytes(3), two: bytes(4) })) });
  await store.removeHub("one");
  assert.deepEqual(
    (await store.machines()).map(({ spaces }) => Object.keys(spaces)),
    [["two"]],
  );
  await store.removeHub("two");
  assert.deepEqual([await store.hubs(), await store.machines()], [[], []]);
});

test("record shelf: it keeps what every store of records keeps, and when it was received", async () => {
  const shelf = new MemoryShelf();
  await recordStoreConforms(() => {
    const store = new RecordShelf(shelf);
    return Object.assign(store, { shownRows: () => store.rows(), shownGaps: (hub: string) => store.gaps(hub) });
  });
  const records = new RecordShelf(shelf, () => 77);
  const row = { hub: "h1", machine: "m1", kind: RECORD_KINDS.state, stream: "u1", seq: 1, atMs: 5, text: bytes(1) };
  await records.commit("h1", { place: 1, row });
  assert.equal((await records.rows())[0]?.receivedMs, 77);
});

test("outbox shelf: it keeps what every store of requests keeps", async () => {
  const shelf = new MemoryShelf();
  await outboxStoreConforms(() => new OutboxShelf(shelf));
});

test("watched shelf: a full disk is said once, and that there is room again", async () => {
  const said: string[] = [];
  const memory = new MemoryShelf();
  let isFull = true;
  const write = (changes: readonly Change[]): Promise<void> =>
    isFull ? Promise.reject(new WarrenError("STORAGE_FULL", "No room.")) : memory.write(changes);
  const shelf = new WatchedShelf(
    { get: (...given) => memory.get(...given), all: (...given) => memory.all(...given), write },
    { onJoined: () => said.push("joined"), onFull: (text) => said.push(text), onRoom: () => said.push("room") },
  );
  await assert.rejects(shelf.write([{ table: "rows", key: "a", value: 1 }]), { code: "STORAGE_FULL" });
  isFull = false;
  await shelf.write([{ table: "rows", key: "a", value: 1 }]);
  await shelf.write([{ table: "device", key: "keys", value: 1 }]);
  assert.deepEqual(said, ["No room.", "room", "joined"]);
});
