import assert from "node:assert/strict";
import { test } from "node:test";
import decodeQR from "qr/decode.js";
import { qrPath } from "./qr-path.ts";

/** Pixels of a module: what a camera would see. */
const SCALE = 4;

test("qr: what is drawn is read as what was meant", () => {
  const text = `WARREN://PAIR/${"7QX2".repeat(40)}`;
  const { size, path } = qrPath(text);
  const side = size * SCALE;
  const data = new Uint8ClampedArray(side * side * 4).fill(255);
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g))
    for (let row = Number(y) * SCALE; row < (Number(y) + 1) * SCALE; row++)
      for (let column = Number(x) * SCALE; column < (Number(x) + Number(width)) * SCALE; column++)
        data.fill(0, (row * side + column) * 4, (row * side + column) * 4 + 3);
  assert.equal(decodeQR({ width: side, height: side, data }), text);
});
