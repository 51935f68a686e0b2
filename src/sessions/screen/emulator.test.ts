import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { places, runs, sizes, streams } from "./testing/streams.ts";
import { emulatorAfter, stateOf } from "./testing/terminal-state.ts";

for (const isNarrow of [false, true])
  test(`screen: at any cut, it and the rest make what the whole stream makes${isNarrow ? ", without autowrap too" : ""}`, () => {
    fc.assert(
      fc.property(sizes, streams({ isNarrow }), places, ({ cols, rows }, bytes, place) => {
        const cut = Math.round(place * bytes.length);
        const emulator = emulatorAfter(cols, rows, bytes.subarray(0, cut));
        const again = emulatorAfter(cols, rows, emulator.screen());
        assert.deepEqual(stateOf(again), stateOf(emulator), "what is shown again");
        emulator.write(bytes.subarray(cut));
        again.write(bytes.subarray(cut));
        assert.deepEqual(stateOf(again), stateOf(emulator), "what comes of it");
      }),
      runs(300),
    );
  });
