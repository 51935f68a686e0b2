import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { EMPTY_HOME } from "../model/home.ts";
import { LOCAL, type Row, rowOfJob } from "../model/rows.ts";
import { FirstScreenMemory, type Noted } from "./first-screen-memory.ts";

class Kept {
  readonly texts = new Map<string, string>();
  isFull = false;
  getItem = (key: string): string | null => this.texts.get(key) ?? null;
  removeItem = (key: string): void => void this.texts.delete(key);
  setItem = (key: string, text: string): void => {
    if (this.isFull) throw new DOMException("no room", "QuotaExceededError");
    this.texts.set(key, text);
  };
}

const rowOf = (id: string): Row =>
  rowOfJob({
    id,
    name: id,
    kind: "job",
    state: "running",
    outcome: null,
    command: ["x"],
    workdir: "/w",
    created_at: "2026-01-01T00:00:00.000Z",
  } as never);
const listOf = (...ids: string[]): Noted => {
  const local = {
    id: LOCAL,
    name: "home",
    ownName: "home",
    words: undefined,
    scopes: undefined,
    hubs: {},
    liveHub: undefined,
  };
  return { rows: ids.map(rowOf), machines: new Map([[LOCAL, { ...local, home: EMPTY_HOME }]]), order: "project" };
};
const namesIn = (kept: Kept) => new FirstScreenMemory(() => kept).kept?.rows.map(({ name }) => name);

test("first screen: the list is kept once it has been so for a while, and when the page goes", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const kept = new Kept();
  const memory = new FirstScreenMemory(() => kept);
  assert.equal(memory.kept, undefined);
  memory.note(listOf("a"));
  memory.note(listOf("a", "b"));
  assert.equal(namesIn(kept), undefined, "not with every event");
  mock.timers.tick(5_000);
  assert.deepEqual(namesIn(kept), ["a", "b"]);
  memory.note(listOf("a", "b", "c"));
  memory.write();
  assert.deepEqual(namesIn(kept), ["a", "b", "c"]);
  mock.timers.reset();
});

test("first screen: what was removed is out of it at once, and after forgetting nothing stays", () => {
  const kept = new Kept();
  const memory = new FirstScreenMemory(() => kept);
  const { machines } = listOf();
  memory.note({ ...listOf("a", "b"), machines: new Map([...machines, ["other", machines.get(LOCAL)!]]) });
  memory.write();
  assert.deepEqual(namesIn(kept), ["a", "b"]);
  memory.note(listOf("b"));
  assert.deepEqual(namesIn(kept), ["b"]);
  memory.note(listOf());
  assert.deepEqual([...kept.texts], []);
  memory.note(listOf("c"));
  memory.write();
  memory.forget();
  memory.write();
  assert.deepEqual([...kept.texts], []);
});

test("first screen: without room the former one does not stay in its place, and with room there is one again", () => {
  const kept = new Kept();
  const memory = new FirstScreenMemory(() => kept);
  memory.note(listOf("a"));
  memory.write();
  assert.deepEqual(namesIn(kept), ["a"]);
  kept.isFull = true;
  memory.note(listOf("b"));
  memory.write();
  assert.equal(namesIn(kept), undefined);
  kept.isFull = false;
  memory.write();
  assert.deepEqual(namesIn(kept), ["b"]);
});

test("first screen: a browser that refuses its storage has none, and nothing fails", () => {
  const memory = new FirstScreenMemory(() => {
    throw new DOMException("refused", "SecurityError");
  });
  assert.equal(memory.kept, undefined);
  memory.note(listOf("a"));
  memory.write();
  memory.forget();
});
