import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { makeVectors } from "./testing/vectors.ts";

/**
 * golden/vectors.json was made once: what is stored and spoken today has to stay readable. WARREN_UPDATE_SEALING=1 writes it anew, which is
 * another version of the formats.
 */
const FILE = new URL("golden/vectors.json", import.meta.url);

test("golden: every format makes the bytes that it made when it was new", async () => {
  const made = await makeVectors();
  if (process.env.WARREN_UPDATE_SEALING === "1") writeFileSync(FILE, `${JSON.stringify(made, null, 2)}\n`);
  assert.deepEqual(made, JSON.parse(readFileSync(FILE, "utf8")));
});
