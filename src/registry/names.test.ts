import assert from "node:assert/strict";
import { test } from "node:test";
import { isWarrenError } from "../protocol/errors.ts";
import { NAME_PATTERN } from "../protocol/names.ts";
import { checkServerName, FALLBACK_SERVER_ICON, pickServerName, SERVER_NAMES, serverIcon } from "./names.ts";

const words = Object.keys(SERVER_NAMES);
const icons = [...Object.values(SERVER_NAMES), FALLBACK_SERVER_ICON];
const pairs = words.flatMap((a) => words.filter((b) => b !== a).map((b) => `${a}-${b}`));

/** Blocks to which Unicode 13 or later added emoji, by those code points (emoji-data.txt, versions 13.0 to 16.0). */
const YOUNGER_THAN_12: readonly (readonly [number, number])[] = [
  [0x1f6d6, 0x1f6d8],
  [0x1f6dc, 0x1f6df],
  [0x1f6fb, 0x1f6fc],
  [0x1f7f0, 0x1f7f0],
  [0x1f90c, 0x1f90c],
  [0x1f972, 0x1f972],
  [0x1f977, 0x1f979],
  [0x1f9a3, 0x1f9a4],
  [0x1f9ab, 0x1f9ad],
  [0x1f9cb, 0x1f9cc],
  [0x1fa74, 0x1fa77],
  [0x1fa7b, 0x1fa7f],
  [0x1fa83, 0x1fa8f],
  [0x1fa96, 0x1faff],
];

test("names: forty, each a valid name, each icon its own", () => {
  assert.equal(words.length, 40);
  for (const word of words) assert.match(word, NAME_PATTERN);
  assert.equal(new Set(icons).size, icons.length);
  assert.equal(serverIcon("frozen"), "🧊");
});

test("icons: one code point, shown as emoji by default, Unicode 12 or older", () => {
  for (const icon of icons) {
    assert.equal([...icon].length, 1, `${icon} is one code point`);
    assert.match(icon, /^\p{Emoji_Presentation}$/u, `${icon} needs no variation selector`);
    const code = icon.codePointAt(0)!;
    assert.ok(!YOUNGER_THAN_12.some(([from, to]) => code >= from && code <= to), `${icon} is older than Unicode 13`);
  }
});

test("serverIcon: two words have the first one's icon, strangers the fallback", () => {
  assert.equal(serverIcon("blazing-swift"), "🔥");
  assert.equal(serverIcon("my-server"), FALLBACK_SERVER_ICON);
  assert.equal(serverIcon("constructor"), FALLBACK_SERVER_ICON);
});

test("pickServerName: the last free word is found, whatever chance says", () => {
  for (const spared of words) {
    const taken = new Set(words.filter((word) => word !== spared));
    assert.equal(pickServerName(taken), spared);
  }
});

test("pickServerName: two words when all are taken, then a number, never a taken one", () => {
  const two = pickServerName(new Set(words));
  assert.ok(pairs.includes(two), two);
  assert.equal(pickServerName(new Set([...words, ...pairs.slice(1)])), pairs[0]);
  assert.equal(pickServerName(new Set([...words, ...pairs, "blazing-2"])), "blazing-3");
  for (const pair of pairs) assert.match(pair, NAME_PATTERN);
});

test("pickServerName: chance chooses among the free words alone", () => {
  const last = (limit: number) => limit - 1;
  assert.equal(pickServerName(new Set(), last), words.at(-1));
  assert.equal(pickServerName(new Set([words.at(-1)!]), last), words.at(-2));
});

test("checkServerName: exactly the names that a unit may have, but for those of Warren's own sockets", () => {
  for (const name of ["a", "frozen", "x-1", "a".repeat(32)]) assert.doesNotThrow(() => checkServerName(name), name);
  for (const name of ["", "A", "Frozen", "1a", "-a", "a_b", "a".repeat(33), "é", "a\n"]) {
    assert.throws(
      () => checkServerName(name),
      (error) => isWarrenError(error, "SERVER_NAME_INVALID"),
      JSON.stringify(name),
    );
  }
  for (const name of ["mail", "keeper"]) assert.throws(() => checkServerName(name), /Warren's own/);
});
