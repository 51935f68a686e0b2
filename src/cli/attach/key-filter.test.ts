import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CTRL_C, parseDetachKey } from "./detach-key.ts";
import { KeyFilter, type KeyFilterOptions } from "./key-filter.ts";

const PREFIX = "\x1c";

function filterOf(keys = "ctrl-\\ d", options: Partial<KeyFilterOptions> = {}) {
  const clock = { nowMs: 0 };
  const filter = new KeyFilter({ detach: parseDetachKey(keys), nowMs: () => clock.nowMs, ...options });
  /** What the program gets, with our own keys in braces. */
  const said = (actions: ReturnType<KeyFilter["push"]>): string =>
    actions
      .map((action) => (action.kind === "type" ? Buffer.from(action.bytes).toString() : `{${action.kind}}`))
      .join("");
  return {
    filter,
    clock,
    push: (text: string) => said(filter.push(Buffer.from(text))),
    flush: () => said(filter.flush()),
  };
}

test("what is not ours passes as it is, at once", () => {
  const { push, filter } = filterOf();
  for (const text of ["ls -l\r", "é🦊\x7f", "\x1b[A\x1bOB\x1b[1;5C", "\x03\x04\x00", "\x1bd\x1b[<0;3;4M"]) {
    assert.equal(push(text), text);
    assert.equal(filter.holdMs, undefined);
  }
});

test("prefix and key detach, in one chunk or in two; what is typed behind them is for nobody", () => {
  assert.equal(filterOf().push(`vi${PREFIX}dxyz`), "vi{detach}");
  const { push } = filterOf();
  assert.equal(push(PREFIX), "");
  assert.equal(push("dx"), "{detach}");
});

test("a prefix alone is held until the next key, or sent when none comes; twice, it is sent once", () => {
  const { push, flush, filter } = filterOf();
  assert.equal(push(PREFIX), "");
  assert.equal(filter.holdMs, 500);
  assert.equal(flush(), PREFIX);
  assert.equal(filter.holdMs, undefined);
  assert.equal(push("d"), "d", "too late");
  assert.equal(push(`${PREFIX}${PREFIX}d`), `${PREFIX}d`);
  assert.equal(push(`a${PREFIX}x`), `a${PREFIX}x`);
  assert.equal(push(`${PREFIX}é`), `${PREFIX}é`);
  assert.equal(push(`${PREFIX}\x1b[A`), `${PREFIX}\x1b[A`);
  assert.equal(push(`${PREFIX}\r`), `${PREFIX}\r`);
});

test("the other keys behind the prefix: take control, redraw", () => {
  const { push } = filterOf();
  assert.equal(push(`a${PREFIX}tb${PREFIX}rc`), "a{take}b{redraw}c");
  assert.equal(filterOf("ctrl-a t").push("\x01t"), "{detach}", "what detaches comes first");
});

test("one key alone detaches; another prefix leaves ctrl-\\ to the program", () => {
  assert.equal(filterOf("ctrl-]").push("a\x1db"), "a{detach}");
  const { push } = filterOf("ctrl-a d");
  assert.equal(push(`${PREFIX}d`), `${PREFIX}d`);
  assert.equal(push("\x01d"), "{detach}");
  assert.equal(filterOf("ctrl-a ctrl-d").push("\x01\x04"), "{detach}");
});

test("kitty's keyboard protocol and modifyOtherKeys: the same keys", () => {
  for (const prefix of [
    "\x1b[92;5u",
    "\x1b[27;5;92~",
    "\x1b[92;5:1u",
    "\x1b[92:124;5u",
    "\x1b[92;133u",
    "\x1b[1078::92;5u",
  ]) {
    for (const key of ["d", "\x1b[100u", "\x1b[100;1u", "\x1b[100;129u", "\x1b[27;1;100~", "\x1b[1076::100u"]) {
      assert.equal(filterOf().push(prefix + key), "{detach}", JSON.stringify(prefix + key));
    }
    assert.equal(filterOf().push(`${prefix}${prefix}x`), `${prefix}x`);
  }
  for (const other of ["\x1b[92;7u", "\x1b[92;1u", "\x1b[92;5:3u", "\x1b[27;3;92~"])
    assert.equal(filterOf().push(`${other}d`), `${other}d`, JSON.stringify(other));
});

test("kitty: keys that go up, and ctrl itself, come between the prefix and the key", () => {
  const { push } = filterOf();
  const noise = "\x1b[92;5:3u\x1b[57442;1:3u\x1b[57442;5u";
  assert.equal(push(`\x1b[57442;5u\x1b[92;5u${noise}\x1b[100u`), `\x1b[57442;5u${noise}{detach}`);
});

test("the mouse and the terminal's reports between the prefix and the key pass, and end nothing", () => {
  const noise = "\x1b[<35;10;5M\x1b[M !!\x1b[I\x1b[?62;c\x1b[5;7R\x1b]11;rgb:0/0/0\x1b\\\x1bP>|xterm\x1b\\";
  assert.equal(filterOf().push(`${PREFIX}${noise}d`), `${noise}{detach}`);
});

test("what a terminal says by itself is told apart from keys and mouse", () => {
  const { filter } = filterOf();
  const sorts = filter
    .push(Buffer.from("a\x1b[A\x1b[?62;c\x1b[O\x1b]4;1;rgb:1/2/3\x07\x1b[<0;1;1Mb"))
    .map((action) => action.kind === "type" && action.by);
  assert.deepEqual(sorts, ["keys", "terminal", "pointer", "keys"]);
});

test("alt with a bracket is a key, and hides no prefix behind it", () => {
  assert.equal(filterOf().push(`\x1b]${PREFIX}d`), "\x1b]{detach}");
  assert.equal(filterOf().push(`\x1bP1${PREFIX}d`), "\x1bP1{detach}");
  const { push, flush } = filterOf();
  assert.equal(push("\x1b"), "");
  assert.equal(flush(), "\x1b");
  assert.equal(push(`${PREFIX}d`), "{detach}", "an escape that was a key is over");
});

test("inside a bracketed paste nothing is a key, and nothing is held", () => {
  const paste = `\x1b[200~${PREFIX}d \x1b[92;5ud \x1b\x1b[201~`;
  assert.equal(filterOf().push(`${paste}${PREFIX}d`), `${paste}{detach}`);
  const { push, filter } = filterOf();
  assert.equal(push(`\x1b[200~a${PREFIX}`), `\x1b[200~a${PREFIX}`);
  assert.equal(push("d\x1b[20"), "d\x1b[20");
  assert.equal(filter.holdMs, undefined);
  assert.equal(push(`1~${PREFIX}`), "1~");
  assert.equal(push("d"), "{detach}");
});

test("a paste whose end does not come is over after a silence", () => {
  const { push, clock } = filterOf();
  push("\x1b[200~abc");
  clock.nowMs += 5_001;
  assert.equal(push(`${PREFIX}d`), "{detach}");
});

test("a viewer's ctrl-c detaches, in any form", () => {
  assert.equal(filterOf("ctrl-\\ d", { also: [CTRL_C] }).push("q\x03"), "q{detach}");
  assert.equal(filterOf("ctrl-\\ d", { also: [CTRL_C] }).push("\x1b[99;5u"), "{detach}");
  assert.equal(filterOf().push("\x03"), "\x03");
});

test("however the bytes are cut, the program gets the same, and the same keys are ours", () => {
  const pieces = [
    ..."at\r",
    "é🦊",
    PREFIX,
    "\x1b[92;5u",
    "\x1b[27;5;92~",
    "\x1b[A",
    "\x1b[<0;12;3M",
    "\x1b[M !!",
    "\x1b[200~d\x1c\x1b[201~",
    "\x1b]11;rgb:0/0/0\x07",
    "\x1b[100;1u",
    "r",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces)), fc.array(fc.nat(6), { minLength: 1 }), (parts, cuts) => {
      const text = parts.join("");
      const whole = filterOf();
      const expected = whole.push(text) + whole.flush();
      const { filter } = filterOf();
      const bytes = Buffer.from(text);
      const typed: Buffer[] = [];
      const keep = (actions: ReturnType<KeyFilter["push"]>): void => {
        for (const action of actions)
          typed.push(Buffer.from(action.kind === "type" ? action.bytes : Buffer.from(`{${action.kind}}`)));
      };
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const end = at + 1 + cuts[turn % cuts.length]!;
        keep(filter.push(bytes.subarray(at, end)));
        at = end;
      }
      keep(filter.flush());
      const got = Buffer.concat(typed).toString();
      const until = (said: string): string => said.split("{detach}")[0]!; // who detaches hears no more
      assert.equal(until(got), until(expected));
    }),
    { numRuns: 500 },
  );
});
