import assert from "node:assert/strict";
import { test } from "node:test";
import { NAME_PATTERN } from "../protocol/names.ts";
import { SERVER_NAMES } from "./names.ts";
import { FALLBACK_SESSION_ICON, pickSessionName, SESSION_NAMES, sessionIcon } from "./session-names.ts";

const words = Object.keys(SESSION_NAMES);

test("session names: a hundred and more, each valid, no server's word, each icon its own", () => {
  assert.ok(words.length >= 100, `${words.length} words`);
  for (const word of words) {
    assert.match(word, NAME_PATTERN);
    assert.ok(!(word in SERVER_NAMES), `${word} is a server's name`);
  }
  const icons = [...Object.values(SESSION_NAMES), FALLBACK_SESSION_ICON, ...Object.values(SERVER_NAMES)];
  const twice = icons.filter((icon, at) => icons.indexOf(icon) !== at);
  assert.deepEqual(twice, []);
  for (const icon of icons) assert.match(icon, /^\p{Emoji_Presentation}$/u, `${icon} needs no variation selector`);
});

test("pickSessionName: the last free word is found; then a noun and a number; never a taken one", () => {
  for (const spared of ["fox", words.at(-1)!]) {
    assert.equal(pickSessionName(new Set(words.filter((word) => word !== spared))), spared);
  }
  const taken = new Set(words);
  for (let count = 0; count < 300; count++) {
    const name = pickSessionName(taken);
    assert.ok(!taken.has(name));
    assert.match(name, NAME_PATTERN);
    taken.add(name);
  }
});

test("sessionIcon: numbered names keep the word's icon, strangers have the fallback", () => {
  assert.equal(sessionIcon("fox-2"), "🦊");
  assert.equal(sessionIcon("my-shell"), FALLBACK_SESSION_ICON);
});
