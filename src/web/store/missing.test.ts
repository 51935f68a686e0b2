import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineRow } from "../../client/remote/remote-events.ts";
import { RecordShelf } from "./device/record-shelf.ts";
import { MemoryShelf } from "./device/shelf.ts";
import { Missing } from "./missing.ts";

const [LAPTOP, DESK] = [
  { id: "a1", spaces: { attic: new Uint8Array() } },
  { id: "b2", spaces: { cloud: new Uint8Array() } },
];
const rows = [LAPTOP, DESK].map((machine) => ({ machine })) as unknown as MachineRow[];

async function withGaps(): Promise<RecordShelf> {
  const records = new RecordShelf(new MemoryShelf());
  await records.commit("attic", { place: 1, gap: { kind: "behind", machine: "a1", stream: "s1", seq: 4 } });
  await records.commit("cloud", { place: 7, gap: { kind: "floor", place: 9 } });
  return records;
}

test("missing: what a browser has kept of gaps is there again, of a machine or of a whole hub", async () => {
  const missing = new Missing(await withGaps());
  assert.equal(missing.of(LAPTOP!), false);
  await missing.load(["attic", "cloud"]);
  assert.deepEqual([missing.of(LAPTOP!), missing.of(DESK!)], [true, true]);
});

test("missing: over when it has come after all, or when the machine is there itself; and for good", async () => {
  const records = await withGaps();
  const missing = new Missing(records);
  await missing.load(["attic", "cloud"]);
  assert.deepEqual(missing.hear({ kind: "mended", hub: "attic", machine: "a1", stream: "s1" }, rows), ["a1"]);
  assert.deepEqual([missing.of(LAPTOP!), missing.of(DESK!)], [false, true]);
  const fork = { kind: "fork", machine: "a1", stream: "s2", seq: 2 } as const;
  assert.deepEqual(missing.hear({ kind: "gap", hub: "attic", gap: fork }, rows), ["a1"]);
  assert.deepEqual(missing.hear({ kind: "gap", hub: "cloud", gap: { kind: "floor", place: 9 } }, rows), ["b2"]);
  missing.isThere(DESK!);
  assert.deepEqual([missing.of(LAPTOP!), missing.of(DESK!)], [true, false], "the other is not there");
  missing.isThere(LAPTOP!);
  assert.equal(missing.of(LAPTOP!), false);
  await new Promise((wake) => setImmediate(wake));
  const again = new Missing(records);
  await again.load(["attic", "cloud"]);
  assert.deepEqual(
    [again.of(LAPTOP!), again.of(DESK!)],
    [true, false],
    "what was mended is the reader's to write down",
  );
});

test("missing: of two machines at one hub each has its own, also of the stream that all have", async () => {
  const records = new RecordShelf(new MemoryShelf());
  const attic = { attic: new Uint8Array() };
  const [laptop, desk] = [
    { id: "a1", spaces: attic },
    { id: "b2", spaces: attic },
  ];
  for (const [place, { id: machine }] of [laptop, desk].entries())
    await records.commit("attic", { place, gap: { kind: "behind", machine, stream: "00", seq: 4 } });
  const missing = new Missing(records);
  await missing.load(["attic"]);
  missing.hear({ kind: "mended", hub: "attic", machine: "a1", stream: "00" }, rows);
  assert.deepEqual([missing.of(laptop), missing.of(desk)], [false, true]);
  missing.isThere(desk);
  await new Promise((wake) => setImmediate(wake));
  assert.deepEqual(
    (await records.gaps("attic")).map((gap) => "machine" in gap && gap.machine),
    ["a1"],
    "what was mended is the reader's to write down",
  );
});
