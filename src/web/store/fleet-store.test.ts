import assert from "node:assert/strict";
import { test } from "node:test";
import { AwayMachine } from "../link/away-machine.ts";
import { EMPTY_HOME } from "../model/home.ts";
import { FleetStore } from "./fleet-store.ts";
import type { KnownHome } from "./remembered.ts";

const KNOWN: KnownHome = { ...EMPTY_HOME, confirmedMs: 5 };

test("fleet: it is all there when every machine was added and each home was read, and not before", async (t) => {
  const reads = new Map(["a", "b"].map((id) => [id, Promise.withResolvers<KnownHome | undefined>()]));
  const memoryOf = (id: string) => ({
    read: () => reads.get(id)!.promise,
    write: async () => {},
    forget: async () => {},
    watch: () => () => {},
  });
  const fleet = new FleetStore({ version: "1", memoryOf });
  t.after(() => {
    for (const id of reads.keys()) fleet.end(id);
  });
  const facts = { ownName: "m", words: undefined, scopes: undefined, hubs: {}, liveHub: undefined };
  const confirmed = (): (number | undefined)[] =>
    [...fleet.get().machines.values()].map(({ home }) => home.confirmedMs);
  const whole = Promise.withResolvers<(number | undefined)[]>();
  fleet.subscribe(() => fleet.get().isRemembered && whole.resolve(confirmed()));
  for (const id of reads.keys()) fleet.add(new AwayMachine({ id, name: id, why: "It is away." }), { id, ...facts });
  reads.get("a")!.resolve(KNOWN);
  await new Promise(setImmediate);
  fleet.added();
  assert.equal(fleet.get().isRemembered, false, "one is still being read");
  reads.get("b")!.resolve(KNOWN);
  assert.deepEqual(await whole.promise, [5, 5], "with all that is remembered of each");
});

test("fleet: a machine that was ended and is added again keeps its rows while its home is read anew", async (t) => {
  const reads: PromiseWithResolvers<KnownHome | undefined>[] = [];
  const read = (): Promise<KnownHome | undefined> => {
    reads.push(Promise.withResolvers());
    return reads.at(-1)!.promise;
  };
  const memoryOf = () => ({ read, write: async () => {}, forget: async () => {}, watch: () => () => {} });
  const fleet = new FleetStore({ version: "1", memoryOf });
  t.after(() => fleet.end("a"));
  const facts = { id: "a", ownName: "m", words: undefined, scopes: undefined, hubs: {}, liveHub: undefined };
  const add = () => fleet.add(new AwayMachine({ id: "a", name: "m", why: "It is away." }), facts);
  add();
  reads[0]!.resolve(KNOWN);
  await new Promise(setImmediate);
  fleet.end("a");
  add().home.dispatch({ type: "way", way: { kind: "connecting" }, nowMs: 9 });
  await new Promise(setImmediate);
  assert.equal(fleet.get().machines.get("a")!.home.confirmedMs, 5);
  reads[1]!.resolve(undefined);
});
