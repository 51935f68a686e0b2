import assert from "node:assert/strict";
import { ChildProcess, type spawn } from "node:child_process";
import { test } from "node:test";
import { Successor } from "./successor.ts";

test("successor: without a descriptor left it fails by name, and nothing else happens", () => {
  const child = new ChildProcess(); // as spawn gives it after EMFILE: without stdio, and with its error to come
  assert.equal(child.stdio, undefined);
  const spawnProcess = (() => child) as unknown as typeof spawn;
  const inherited = { unix: 0, tcp: undefined };
  assert.throws(() => new Successor({ isDedicated: false, inherited, spawnProcess }), { code: "SUCCESSOR_FAILED" });
  assert.equal(child.emit("error", new Error("spawn EMFILE")), true);
});
