import assert from "node:assert/strict";
import { test } from "node:test";
import { environmentOf, passesShell, valueIn } from "./environment.ts";

test("environment: only identifiers that no shell claims pass a shell", () => {
  assert.ok(passesShell({ PATH: "/bin", _x1: "a\nb", s: "", HOME: "/" }));
  for (const name of [
    "A.B",
    "X-Y",
    "1X",
    "npm_config_//r/:_authToken",
    "IFS",
    "ENV",
    "BASH_FUNC_x%%",
    "BASH_ENV",
    "W_TAG",
  ]) {
    assert.ok(!passesShell({ [name]: "1" }), name);
  }
});

test("environment: the last of a name counts; what is no variable is dropped; no name is special", () => {
  const env = ["A=1", "A=2=3", "nothing", "=C:=x", "__proto__=p", "E="];
  assert.deepEqual(Object.entries(environmentOf(env)), [
    ["A", "2=3"],
    ["__proto__", "p"],
    ["E", ""],
  ]);
  assert.deepEqual([valueIn(env, "A"), valueIn(env, "E"), valueIn(env, "none")], ["2=3", "", undefined]);
});
