import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeptTalk } from "../../client/remote/kept-talk.ts";
import { type Ended, endedRows } from "./ended.ts";

const talk = (session: string, said: string, atMs: number): KeptTalk => ({
  session,
  seq: 1,
  state: "ended",
  entries: [[0, { id: "1", seq: 1, kind: "user_message", at: "", content: [{ type: "text", text: said }] } as never]],
  isIncomplete: false,
  atMs,
});
const of = (ended: Ended, listed: string[], names: Record<string, string> = {}) =>
  endedRows(ended, {
    machine: { id: "m", name: "laptop", hub: undefined },
    listed: new Set(listed),
    recorded: new Map(
      Object.entries(names).map(([id, name]) => [id, { row: { id, kind: "agent", name, state: "gone" }, atMs: 1 }]),
    ),
  }).map(({ key, name, machineName, asOfMs }) => ({ key, name, machineName, asOfMs }));

test("ended: of a machine that is away, conversations that the list does not have, the last first, by name or by what was said", () => {
  const talks = [talk("a", "Mend the page\nand deploy", 1), talk("b", "Look", 2), talk("c", "It runs", 3)];
  assert.deepEqual(of({ kind: "left", talks }, ["c"], { b: "owl" }), [
    { key: "@m/agent/b", name: "owl", machineName: "laptop", asOfMs: 2 },
    { key: "@m/agent/a", name: "Mend the page", machineName: "laptop", asOfMs: 1 },
  ]);
});
