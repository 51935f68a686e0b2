import assert from "node:assert/strict";
import { RECORD_KINDS } from "../../../sealing/record.ts";
import type { OutboxItem, OutboxStore } from "../outbox-item.ts";
import type { Behind, RecordGap, RecordRow, RecordStore } from "../record-store.ts";

/** What every device's store of requests and of records does, be it a browser's, a home's, or memory. `again`: as it is after the device was ended. */
const bytes = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const link = (seq: number) => ({ seq, hash: bytes(seq) });

const item = (id: string, more: Partial<OutboxItem> = {}): OutboxItem => ({
  id,
  machine: "m1",
  type: "ping",
  payload: { deep: ["ä", null, 1.5] },
  createdMs: 1,
  deadlineMs: 2,
  state: { kind: "queued" },
  ...more,
});

export async function outboxStoreConforms(again: () => OutboxStore | Promise<OutboxStore>): Promise<void> {
  const first = await again();
  for (const id of ["zz", "aa", "mm"]) await first.put(item(id));
  const sealed = { hub: "h1", bytes: bytes(7), seq: 3, hash: "ff", isPut: false };
  const sent = item("zz", { state: { kind: "sent" }, asked: { number: 3, text: "t" }, sealed });
  await first.put(sent, { id: "numbers/m1", link: link(3) });
  sealed.bytes.fill(0);
  assert.equal((await first.link("numbers/m1"))?.seq, 3);
  assert.equal(await first.link("numbers/m2"), undefined);
  const second = await again();
  await second.put(item("bb")); // before anybody has read what is there
  await second.remove("aa");
  const found = await (await again()).items();
  assert.deepEqual(
    found.map(({ id, state }) => [id, state.kind]),
    [
      ["zz", "sent"],
      ["mm", "queued"],
      ["bb", "queued"],
    ],
    "in the order in which they were added, whatever became of them",
  );
  assert.deepEqual(found[1], item("mm"), "as it was given");
  assert.deepEqual([...found[0]!.sealed!.bytes], [...bytes(7)], "a copy");
  const { seq, hash } = (await (await again()).link("numbers/m1"))!;
  assert.deepEqual([seq, ...hash], [3, ...bytes(3)]);
  await second.put({ ...sent, sealed: { ...sealed, bytes: bytes(8) } });
  const { sealed: _, ...done } = sent;
  await second.put({ ...done, state: { kind: "done", result: { ok: true } } });
  const [over] = await (await again()).items();
  assert.deepEqual([over!.state, over!.sealed], [{ kind: "done", result: { ok: true } }, undefined]);
  for (const { id } of found) await second.remove(id);
  assert.deepEqual(await (await again()).items(), []);
}

/** With what the store shows of itself. */
export interface ShownRecords extends RecordStore {
  shownRows(): RecordRow[] | Promise<RecordRow[]>;
  shownGaps(hub: string): RecordGap[] | Promise<RecordGap[]>;
}

export async function recordStoreConforms(again: () => ShownRecords | Promise<ShownRecords>): Promise<void> {
  const store = await again();
  const row = (stream: string, seq: number, text: string, more: Partial<RecordRow> = {}): RecordRow => ({
    hub: "h1",
    machine: "m1",
    kind: RECORD_KINDS.state,
    stream,
    seq,
    atMs: seq,
    text: new TextEncoder().encode(text),
    ...more,
  });
  const texts = async (): Promise<string[]> =>
    (await (await again()).shownRows()).map((one) => `${one.stream}=${new TextDecoder().decode(one.text)}`).sort();
  const gaps = async (): Promise<string[]> =>
    (await (await again()).shownGaps("h1")).map((gap) => `${gap.kind} ${"stream" in gap ? gap.stream : ""}`).sort();

  await store.commit("h1", { place: 5, chain: { id: "a/b/c", link: link(1) }, row: row("u1", 1, "first") });
  await store.commit("h1", { place: 6, chain: { id: "a/b/c", link: link(2) }, row: row("u1", 2, "second") });
  await store.commit("h1", { place: 7, period: { space: "sp", period: 9, key: bytes(9) } });
  await store.commit("h1", { place: 8, row: row("r", 1, "no state", { kind: RECORD_KINDS.result }) });
  await store.commit("h2", { place: 1, gap: { kind: "floor", place: 1 } });
  const { place, chains, periods } = await (await again()).load("h1");
  assert.equal(place, 8);
  assert.deepEqual(
    [...chains].map(([id, { seq, hash }]) => [id, seq, ...hash]),
    [["a/b/c", 2, ...bytes(2)]],
    "the last link of the chain, with the cursor",
  );
  assert.deepEqual(
    [...periods].map(([id, key]) => [id, ...key]),
    [["sp/9", ...bytes(9)]],
  );
  assert.deepEqual(
    await texts(),
    ["u1=second"],
    "a later state takes the place of the one before; results are the outbox's",
  );

  await store.commit("h1", { place: 9, row: row("u2", 1, "goes") });
  await store.commit("h1", { place: 10, row: row("u2", 1, "another machine's", { machine: "m2" }) });
  await store.commit("h2", { place: 11, row: row("u2", 1, "by another hub", { hub: "h2" }) });
  await store.commit("h1", { place: 12, listed: { machine: "m1", streams: new Set(["u1", "more"]) } });
  assert.deepEqual(
    await texts(),
    ["u1=second", "u2=another machine's", "u2=by another hub"],
    "what the machine does not list is gone, of that machine and hub alone",
  );
  await store.commit("h2", { place: 13, listed: { machine: "m1", streams: new Set() } });
  assert.deepEqual(await texts(), ["u1=second", "u2=another machine's"], "of an empty list too");

  const behind = (stream: string): Behind => ({ kind: "behind", machine: "m1", stream, seq: 4 });
  await store.commit("h1", { place: 14, gap: behind("u1") });
  await store.commit("h1", { place: 15, gap: behind("u3") });
  await store.commit("h1", { place: 16, gap: { kind: "fork", machine: "m1", stream: "u4", seq: 2 } });
  assert.deepEqual(await gaps(), ["behind u1", "behind u3", "fork u4"]);
  await store.commit("h1", { place: 17, mended: { machine: "m1", stream: "u1" } });
  await store.commit("h1", { place: 18, mended: { machine: "m1", stream: "u4" } });
  assert.deepEqual(await gaps(), ["behind u3", "fork u4"], "what was behind counts no more; two stories stay two");
  await store.commit("h1", { place: 19, mended: { machine: "m1", stream: "u3" }, gap: behind("u5") });
  assert.deepEqual(await gaps(), ["behind u5", "fork u4"], "in one change");
  await store.commit("h1", { place: 20, gap: { ...behind("u5"), machine: "m2" } });
  await store.commit("h2", { place: 13, gap: behind("u5") });
  await store.commit("h1", { place: 21, mended: { machine: "m1", stream: "u5" } });
  assert.deepEqual(
    (await (await again()).load("h1")).behind,
    [{ ...behind("u5"), machine: "m2" }],
    "each machine's own",
  );
  assert.deepEqual((await (await again()).load("h2")).behind, [behind("u5")], "and each hub's");

  await store.forget("h1");
  assert.equal((await (await again()).load("h1")).place, 0);
  assert.equal((await (await again()).load("h2")).place, 13, "another hub's is another's");
  assert.deepEqual([await texts(), await gaps()], [[], []]);
}
