import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type PairingEffect, type PairingEvent, type PairingState, pairingStep } from "./pairing-steps.ts";

/** What a pairing has done so far, by its effects alone. */
class Told {
  state: PairingState = { kind: "offered" };
  readonly effects: PairingEffect[] = [];
  readonly log: string[] = [];

  happens(event: PairingEvent): readonly PairingEffect[] {
    const [state, effects] = pairingStep(this.state, event);
    this.log.push(`${this.state.kind} + ${event.kind} → ${state.kind}: ${effects.map(({ kind }) => kind)}`);
    this.state = state;
    this.effects.push(...effects);
    return effects;
  }

  count(kind: PairingEffect["kind"]): number {
    return this.effects.filter((effect) => effect.kind === kind).length;
  }
}

const played = (...events: PairingEvent[]): Told => {
  const told = new Told();
  for (const event of events) told.happens(event);
  return told;
};

const MEETS = { kind: "meets", guest: 1 } as const;
const SHOWN: PairingEvent[] = [MEETS, { kind: "completes", guest: 1 }, { kind: "proves", guest: 1 }];
const kinds = (told: Told): string[] => told.effects.map(({ kind }) => kind);

test("pairing: met, shown, confirmed, admitted: joined", () => {
  const told = played(...SHOWN, { kind: "confirm" }, { kind: "admitted" });
  assert.equal(told.state.kind, "joined");
  assert.deepEqual(kinds(told), ["greet", "take_back", "show", "admit", "join"]);
});

test("pairing: a guest who fails the handshake, or leaves in it, leaves the code as it was", () => {
  const failed = played(MEETS, { kind: "fails", guest: 1 });
  assert.deepEqual(kinds(failed), ["greet", "let_go", "put_up"]);
  const left = played(MEETS, { kind: "leaves", guest: 1 });
  assert.deepEqual(kinds(left), ["greet", "put_up"]);
  for (const told of [failed, left]) {
    assert.equal(told.state.kind, "offered");
    told.happens({ kind: "meets", guest: 2 });
    assert.equal(told.state.kind, "met");
  }
});

test("pairing: who completes the handshake has used the code, also without a proof", () => {
  const told = played(MEETS, { kind: "completes", guest: 1 }, { kind: "fails", guest: 1 });
  assert.deepEqual(told.state, { kind: "ended", how: "failed" });
  assert.deepEqual(told.happens({ kind: "meets", guest: 2 }), [{ kind: "turn_away", guest: 2 }]);
});

test("pairing: cancelled, or left by the device, while the hub admits it: expelled there again", () => {
  for (const [event, how] of [
    [{ kind: "cancel" }, "cancelled"],
    [{ kind: "leaves", guest: 1 }, "left"],
  ] as const) {
    const told = played(...SHOWN, { kind: "confirm" }, event);
    assert.equal(told.state.kind, "admitting");
    assert.deepEqual(
      told.happens({ kind: "admitted" }).map(({ kind }) => kind),
      ["expel", "let_go", "end"],
    );
    assert.deepEqual(told.state, { kind: "ended", how });
  }
});

test("pairing: time that is over ends a code and a question, and no admission that is under way", () => {
  assert.deepEqual(played({ kind: "expire" }).state, { kind: "ended", how: "expired" });
  assert.deepEqual(kinds(played({ kind: "expire" })), ["take_back", "end"]);
  assert.deepEqual(played(...SHOWN, { kind: "expire" }).state, { kind: "ended", how: "expired" });
  assert.equal(played(...SHOWN, { kind: "confirm" }, { kind: "expire" }).state.kind, "admitting");
});

const guest = fc.integer({ min: 1, max: 3 });
const event: fc.Arbitrary<PairingEvent> = fc.oneof(
  fc.record({ kind: fc.constantFrom("meets", "completes", "proves", "fails", "leaves"), guest }),
  fc.record({ kind: fc.constantFrom("confirm", "refuse", "cancel", "expire", "admitted", "not_admitted") }),
) as fc.Arbitrary<PairingEvent>;

test("pairing: whatever happens in whatever order, its promises hold", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const told = new Told();
      const shown = new Set<number>();
      for (const one of events) {
        const before = told.state;
        const effects = told.happens(one);
        if (effects.some(({ kind }) => kind === "show") && "guest" in told.state) shown.add(told.state.guest);
        for (const effect of effects) check(before, effect, told, shown);
        if (before.kind === "joined" || before.kind === "ended") assert.equal(told.state, before, "5");
      }
      assert.ok(told.count("admit") <= 1 && told.count("join") <= 1 && told.count("end") <= 1, "3, 5");
      assert.equal(told.count("join") + told.count("end") <= 1, true, "one end");
      assert.equal(told.count("join") === 1, told.state.kind === "joined");
      assert.equal(told.count("end") === 1, told.state.kind === "ended");
    }),
    { numRuns: 20_000 },
  );
});

function check(before: PairingState, effect: PairingEffect, told: Told, shown: ReadonlySet<number>): void {
  const { log } = told;
  if (effect.kind === "greet") assert.equal(before.kind, "offered", `1: ${log.at(-1)}`);
  if (effect.kind === "put_up") assert.equal(told.count("show") + told.count("admit"), 0, `2: ${log.at(-1)}`);
  if (effect.kind === "admit") {
    assert.equal(before.kind, "shown", `3: ${log.at(-1)}`);
    assert.ok("guest" in told.state && shown.has(told.state.guest), `3: ${log.at(-1)}`);
  }
  if (effect.kind === "join" || effect.kind === "expel") assert.equal(before.kind, "admitting", `4: ${log.at(-1)}`);
}

test("pairing: every state that can be reached ends by itself, or can be cancelled", () => {
  const seen = new Map<string, PairingState>([["offered", { kind: "offered" }]]);
  const todo: PairingState[] = [...seen.values()];
  const events: PairingEvent[] = [
    ...(["meets", "completes", "proves", "fails", "leaves"] as const).flatMap((kind) => [
      { kind, guest: 1 },
      { kind, guest: 2 },
    ]),
    ...(["confirm", "refuse", "cancel", "expire", "admitted", "not_admitted"] as const).map((kind) => ({ kind })),
  ];
  for (let state = todo.pop(); state; state = todo.pop())
    for (const one of events) {
      const [next] = pairingStep(state, one);
      const key = JSON.stringify(next);
      if (seen.has(key)) continue;
      seen.set(key, next);
      todo.push(next);
    }
  assert.ok(seen.size > 15, `${seen.size} states`);
  for (const state of seen.values()) {
    const [cancelled] = pairingStep(state, { kind: "cancel" });
    const [after] = cancelled.kind === "admitting" ? pairingStep(cancelled, { kind: "not_admitted" }) : [cancelled];
    assert.ok(after.kind === "ended" || after.kind === "joined", JSON.stringify(state));
  }
});
