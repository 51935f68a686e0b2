import assert from "node:assert/strict";
import { test } from "node:test";
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
    login: await store.newLoginKey(),
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
  await store.newLoginKey();
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

test("record shelf: the cursor, the chain and the row are one write; a later state takes the place of the one before", async () => {
  const shelf = new MemoryShelf();
  const records = new RecordShelf(shelf, () => 77);
  const row = (seq: number, text: string) => ({
    hub: "h1",
    machine: "m1",
    kind: RECORD_KINDS.state,
    stream: "s1",
    seq,
    atMs: seq,
    text: new TextEncoder().encode(text),
  });
  const link = (seq: number) => ({ seq, hash: bytes(seq) });
  await records.commit("h1", { place: 5, chain: { id: "a/b/c", link: link(1) }, row: row(1, "first") });
  await records.commit("h1", { place: 6, chain: { id: "a/b/c", link: link(2) }, row: row(2, "second") });
  await records.commit("h1", { place: 7, period: { space: "sp", period: 9, key: bytes(9) } });
  await records.commit("h1", { place: 8, row: { ...row(1, "no state"), kind: RECORD_KINDS.result, stream: "r" } });
  await records.commit("h2", { place: 1, gap: { kind: "floor", place: 1 } });
  const { place, chains, periods } = await new RecordShelf(shelf).load("h1");
  assert.deepEqual([place, [...chains], [...periods]], [8, [["a/b/c", link(2)]], [["sp/9", bytes(9)]]]);
  assert.deepEqual(
    (await records.rows()).map(({ text, receivedMs }) => [new TextDecoder().decode(text), receivedMs]),
    [["second", 77]],
  );
  await records.forget("h1");
  assert.equal((await records.load("h1")).place, 0);
  assert.equal((await records.load("h2")).place, 1, "another hub's is another's");
});

test("outbox shelf: items come back in the order in which they were added, whatever became of them", async () => {
  const shelf = new MemoryShelf();
  const item = (id: string, state: "queued" | "sent" = "queued") => ({
    id,
    machine: "m1",
    type: "ping",
    payload: {},
    createdMs: 1,
    deadlineMs: 2,
    state: { kind: state } as const,
  });
  const outbox = new OutboxShelf(shelf);
  for (const id of ["zz", "aa", "mm"]) await outbox.put(item(id));
  await outbox.put(item("zz", "sent"), { id: "chain", link: { seq: 3, hash: bytes(3) } });
  const again = new OutboxShelf(shelf);
  await again.put(item("bb")); // before anybody has read what is there
  await again.remove("aa");
  assert.deepEqual(
    (await new OutboxShelf(shelf).items()).map(({ id, state }) => [id, state.kind]),
    [
      ["zz", "sent"],
      ["mm", "queued"],
      ["bb", "queued"],
    ],
  );
  assert.equal((await again.link("chain"))?.seq, 3);
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
