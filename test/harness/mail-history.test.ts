import assert from "node:assert/strict";
import { test } from "node:test";
import { type FindingKind, type HistoryLine, judge } from "./mail-history.ts";
import { correctHistory, PLANTS } from "./mail-history-model.ts";
import { randomOf, withSeed } from "./random.ts";

const HISTORIES = process.env.WARREN_PROOF === "1" ? 2_000 : 100;

test(`mail-history: in ${HISTORIES} histories without a fault none is found`, () =>
  withSeed(async (random) => {
    let handled = 0;
    let unknown = 0;
    for (let at = 0; at < HISTORIES; at++) {
      const { findings, counts } = judge(correctHistory(randomOf(random.between(0, 2 ** 31))));
      assert.deepEqual(findings, []);
      handled += counts.handled;
      unknown += counts.unknown;
    }
    assert.ok(handled > HISTORIES * 10 && unknown > HISTORIES, `${handled} handled, ${unknown} unknown`);
  }));

for (const [kind, plant] of Object.entries(PLANTS)) {
  test(`mail-history: exactly one planted fault is found as that: ${kind}`, () =>
    withSeed(async (random) => {
      let plantedCount = 0;
      for (let at = 0; at < HISTORIES; at++) {
        const lines = correctHistory(randomOf(random.between(0, 2 ** 31)));
        const planted = plant(lines, random);
        if (!planted) continue;
        plantedCount += 1;
        const found = judge(planted.lines).findings.map((one) => `${one.kind}: ${one.what}`);
        assert.deepEqual(found, [`${planted.kind}: ${planted.what}`]);
      }
      assert.ok(plantedCount > HISTORIES / 2, `only ${plantedCount} of ${HISTORIES} histories had a place for it`);
    }));
}

test("mail-history: what may have been is no fault", () => {
  const send = (op: string, atMs: number, id: string, counter: number): HistoryLine => ({
    kind: "send",
    by: "ash",
    op,
    atMs,
    id,
    to: ["elm"],
    counter,
  });
  const fetched = (op: string, beganMs: number, endedMs: number, ...ids: string[]): HistoryLine[] => [
    { kind: "fetch", by: "elm", op, atMs: beganMs },
    {
      kind: "fetched",
      by: "elm",
      op,
      atMs: endedMs,
      messages: ids.map((id) => ({ from: "ash", id, seq: Number(id) })),
    },
  ];
  const unanswered = [send("a", 1, "1", 1)];
  assert.deepEqual(kindsOf([...unanswered, ...fetched("f", 2, 3, "1")]), [], "an unanswered send may have arrived");
  assert.deepEqual(kindsOf(unanswered), [], "or not");
  const sent: HistoryLine[] = [
    send("a", 1, "1", 1),
    { kind: "sent", by: "ash", op: "a", atMs: 2, seq: 1, to: ["elm"] },
    send("b", 3, "2", 2),
    { kind: "sent", by: "ash", op: "b", atMs: 4, seq: 2, to: ["elm"] },
    {
      kind: "ack",
      by: "elm",
      op: "k",
      atMs: 20,
      messages: [
        { from: "ash", id: "1" },
        { from: "ash", id: "2" },
      ],
    },
  ];
  const overlapping = [...fetched("f", 5, 9, "2"), ...fetched("g", 6, 8, "1")];
  assert.deepEqual(kindsOf([...sent, ...overlapping]), [], "two fetches at once: nobody knows which was first");
  const apart = [...fetched("f", 5, 6, "2"), ...fetched("g", 7, 8, "1")];
  assert.deepEqual(kindsOf([...sent, ...apart]), ["reordered"]);
  const late = fetched("h", 19, 22, "1", "2");
  const confirmed: HistoryLine = {
    kind: "acked",
    by: "elm",
    op: "k",
    atMs: 21,
    messages: [
      { from: "ash", id: "1" },
      { from: "ash", id: "2" },
    ],
  };
  assert.deepEqual(kindsOf([...sent, confirmed, ...late]), [], "asked for before the acknowledgement was confirmed");
  assert.deepEqual(kindsOf([...sent, confirmed, ...fetched("h", 22, 23, "1")]), ["handed out again"]);
});

const kindsOf = (lines: HistoryLine[]): FindingKind[] => judge(lines).findings.map(({ kind }) => kind);
