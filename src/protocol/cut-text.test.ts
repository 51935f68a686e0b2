import assert from "node:assert/strict";
import { test } from "node:test";
import { cutText, shortText } from "./cut-text.ts";

test("cut: never within a surrogate pair, and what fits stays as it is", () => {
  const fox = "a🦊b";
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((characters) => cutText(fox, characters)),
    ["", "a", "a", "a🦊", fox],
  );
  assert.deepEqual(
    [1, 2, 3, 4].map((characters) => shortText(fox, characters)),
    ["…", "a…", "a…", fox],
  );
});
