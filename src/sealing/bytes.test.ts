import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "./bytes.ts";

test("hex: every byte there and back, in letters of either case; anything else is none", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  assert.equal(toHex(bytes), Buffer.from(bytes).toString("hex"));
  assert.deepEqual(fromHex(toHex(bytes)), bytes);
  assert.deepEqual(fromHex(toHex(bytes).toUpperCase()), bytes);
  assert.deepEqual(fromHex(""), new Uint8Array());
  for (const text of ["a", "0g", "0:", "0/", "0@", "0`", "-1", " 1", "é0"])
    assert.equal(fromHex(text), undefined, text);
});
