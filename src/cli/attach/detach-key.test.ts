import assert from "node:assert/strict";
import { test } from "node:test";
import { WarrenError } from "../../protocol/errors.ts";
import { detachKeyText, parseDetachKey } from "./detach-key.ts";

test("detach key: a prefix and a key, or one key alone, in the notations of others too", () => {
  const read = (text: string): string => detachKeyText(parseDetachKey(text));
  assert.equal(read("ctrl-\\ d"), "ctrl-\\ d");
  assert.equal(read("  Ctrl-A   d "), "ctrl-a d");
  assert.equal(read("ctrl-]"), "ctrl-]");
  assert.equal(read("^A d"), "ctrl-a d");
  assert.equal(read("C-b D"), "ctrl-b D");
  assert.equal(read("ctrl-a ctrl-d"), "ctrl-a ctrl-d");
  assert.equal(read("^^ ^"), "ctrl-^ ^");
});

test("detach key: what cannot be one is refused with the reason", () => {
  const cases: [string, RegExp][] = [
    ["", /names no key/],
    ["d", /d alone is typed/],
    ["ctrl-a b c", /more than two keys/],
    ["ctrl-a ctrl-a", /same key twice/],
    ["ctrl-1", /ctrl goes with/],
    ["ctrl-ü d", /ctrl goes with/],
    ["alt-x", /alt-x is no key/],
    ["ctrl- d", /ctrl- is no key/],
  ];
  for (const [text, message] of cases)
    assert.throws(
      () => parseDetachKey(text),
      (error) => error instanceof WarrenError && error.code === "DETACH_KEY_INVALID" && message.test(error.message),
      text,
    );
});
