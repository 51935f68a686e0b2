import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { WarrenError } from "../../protocol/errors.ts";
import type { Offer } from "../../sealing/pairing.ts";
import { type PairEvent, type PairingCard, type PairState, pairStep } from "./pair.ts";

const bytes = new Uint8Array(32);
const code = {
  hub: bytes,
  pairingKey: bytes,
  secret: bytes,
  expires: 1,
  scopes: ["view", "type"] as const,
  address: "https://a.example",
};
const card: PairingCard = { code, hub: "00", knownAs: undefined };
const offer: Offer = {
  signingKey: bytes,
  exchangeKey: bytes,
  space: bytes,
  name: "laptop",
  words: "anna@laptop",
  scopes: ["view"],
};
const all: PairEvent[] = [
  { kind: "connect" },
  { kind: "cancel" },
  { kind: "expire" },
  { kind: "found", isTheHub: true },
  { kind: "found", isTheHub: false },
  { kind: "met" },
  { kind: "shaken", check: "402 118" },
  { kind: "offered", offer },
  { kind: "offered", offer: { ...offer, scopes: ["view", "admin"] } },
  { kind: "offered", offer: undefined },
  { kind: "verdict", isJoined: true },
  { kind: "verdict", isJoined: false },
  { kind: "kept" },
  { kind: "left" },
  { kind: "lost", error: new WarrenError("X", "x") },
  { kind: "broke", error: new WarrenError("X", "x") },
];
const good: PairEvent[] = [0, 3, 5, 6, 7, 10, 12].map((index) => all[index]!);

function play(events: readonly PairEvent[]): { state: PairState; effects: string[] } {
  let state: PairState = { kind: "read", card };
  const effects: string[] = [];
  for (const event of events) {
    const [next, done] = pairStep(state, event);
    effects.push(...done.map(({ kind }) => kind));
    state = next;
  }
  return { state, effects };
}

test("pair: the way from the code to joined", () => {
  const { state, effects } = play(good);
  assert.equal(state.kind, "joined");
  assert.deepEqual(effects, ["find", "meet", "shake", "keep", "hang_up"]);
});

test("pair: nothing is done before connect; kept at most once, and only after the offer was shown and the machine said yes", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...all), { maxLength: 30 }), (events) => {
      const { state, effects } = play(events);
      const connectAt = events.findIndex(({ kind }) => kind === "connect");
      const before = play(events.slice(0, connectAt === -1 ? events.length : connectAt));
      assert.deepEqual(
        before.effects.filter((kind) => kind !== "hang_up"),
        [],
      );
      assert.ok(effects.filter((kind) => kind === "keep").length <= 1);
      assert.ok(effects.filter((kind) => kind === "hang_up").length <= 1, "it ends once");
      if (!effects.includes("keep")) return;
      const yes = events.findIndex((event) => event.kind === "verdict" && event.isJoined);
      const shown = events.findIndex((event) => event.kind === "offered" && event.offer === offer);
      assert.ok(shown !== -1 && shown < yes);
      assert.ok(
        state.kind === "joined" || state.kind === "keeping" || (state.kind === "ended" && state.how === "failed"),
      );
    }),
    { numRuns: 2_000 },
  );
});

test("pair: whatever comes where it has no place ends it or changes nothing, and nothing is kept", () => {
  for (let count = 0; count < good.length; count++)
    for (const event of all) {
      if (event === good[count]) continue;
      const { effects, state } = play([...good.slice(0, count), event]);
      const kept = effects.includes("keep");
      assert.equal(
        kept,
        good.slice(0, count).some(({ kind }) => kind === "verdict"),
        `${count} ${event.kind}`,
      );
      if (event.kind === "cancel" && !kept) assert.equal(state.kind, "ended");
      const again = play([...good.slice(0, count), event, ...good]);
      if (state.kind === "ended") assert.equal(again.state, again.state.kind === "ended" ? again.state : undefined);
    }
});

test("pair: what is being kept stays so, whatever is lost, said, given up or too late meanwhile: the store alone decides", () => {
  for (const event of all) {
    const { state, effects } = play([...good.slice(0, -1), event]);
    const decides = event.kind === "kept" ? "joined" : event.kind === "broke" ? "ended" : undefined;
    assert.equal(state.kind, decides ?? "keeping", event.kind);
    assert.equal(effects.includes("hang_up"), decides !== undefined, event.kind);
  }
});

test("pair: before that a connection that is lost ends it", () => {
  for (let count = 0; count < good.length - 1; count++) {
    const { state } = play([...good.slice(0, count), { kind: "lost", error: new WarrenError("X", "x") }]);
    assert.ok(state.kind === "ended" && state.how === "failed" && state.error.code === "X", String(count));
  }
});
