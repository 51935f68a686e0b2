import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InputDecoder } from "./input.ts";

const keysOf = (text: string): string[] =>
  decoded(text).map((action) => (action.type === "key" ? action.key : action.type));
const decoded = (text: string) => {
  const decoder = new InputDecoder();
  return [...decoder.push(Buffer.from(text)), ...decoder.flush()];
};

test("keys: letters, named keys, control keys, both ways of sending arrows", () => {
  assert.deepEqual(keysOf("aG é🦊"), ["a", "G", "space", "é", "🦊"]);
  assert.deepEqual(keysOf("\r\n\t\x7f\x08\x15\x03"), [
    "enter",
    "enter",
    "tab",
    "backspace",
    "backspace",
    "ctrl-u",
    "ctrl-c",
  ]);
  assert.deepEqual(keysOf("\x1b[A\x1bOB\x1b[1;5C\x1b[Z\x1b[5~\x1b[6~\x1b[H\x1b[4~\x1b[3~"), [
    "up",
    "down",
    "right",
    "shift-tab",
    "pgup",
    "pgdn",
    "home",
    "end",
    "delete",
  ]);
});

test("keys: an escape alone, doubled, and with a letter", () => {
  assert.deepEqual(keysOf("\x1b"), ["esc"]);
  assert.deepEqual(keysOf("\x1b\x1b"), ["esc", "esc"]);
  assert.deepEqual(keysOf("\x1bs"), ["alt-s"], "Alt-s must not stop anything");
});

test("keys: sequences that mean nothing here are swallowed whole", () => {
  assert.deepEqual(keysOf("\x1b[?62;c\x1b[200;1R\x1b[15~q"), ["q"]);
});

test("an escape is held until it is known what it begins", () => {
  const decoder = new InputDecoder();
  assert.deepEqual(decoder.push(Buffer.from("\x1b")), []);
  assert.equal(decoder.isHolding, true);
  assert.deepEqual(decoder.push(Buffer.from("[B")), [{ type: "key", key: "down" }]);
  assert.equal(decoder.isHolding, false);
});

test("mouse: wheel by three lines, press, drag, release; other buttons do nothing", () => {
  assert.deepEqual(decoded("\x1b[<64;10;5M\x1b[<65;10;5M"), [
    { type: "mouse", mouse: { kind: "wheel", x: 9, y: 4, lines: -3 } },
    { type: "mouse", mouse: { kind: "wheel", x: 9, y: 4, lines: 3 } },
  ]);
  assert.deepEqual(
    decoded("\x1b[<0;1;1M\x1b[<32;2;3M\x1b[<0;2;3m\x1b[<2;1;1M").map(
      (action) => action.type === "mouse" && action.mouse.kind,
    ),
    ["press", "drag", "release"],
  );
});

test("paste: one action, whatever is in it", () => {
  assert.deepEqual(decoded("\x1b[200~npm run\ndev\x1b[A\x1b[201~q"), [
    { type: "paste", text: "npm run\ndev\x1b[A" },
    { type: "key", key: "q" },
  ]);
});

test("however the bytes are cut, the actions are the same", () => {
  const pieces = ["a", "é", "🦊", "\x1b[A", "\x1b[<0;12;3M", "\x1b[200~a\nb\x1b[201~", "\x1b[5~", "\r"];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces)), fc.array(fc.nat(7), { minLength: 1 }), (parts, cuts) => {
      const bytes = Buffer.from(parts.join(""));
      const decoder = new InputDecoder();
      const actions = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const end = at + 1 + cuts[turn % cuts.length]!;
        actions.push(...decoder.push(bytes.subarray(at, end)));
        at = end;
      }
      actions.push(...decoder.flush());
      assert.deepEqual(actions, decoded(parts.join("")));
    }),
  );
});
