import assert from "node:assert/strict";
import { test } from "node:test";
import { WarrenError } from "../../protocol/errors.ts";
import { DevicesFeed } from "./devices-feed.ts";

test("devices: however often the stream fails, what waits for the feed's end does not grow", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let waiting = 0;
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  t.mock.method(AbortSignal.prototype, "addEventListener", function (this: AbortSignal, ...given: []) {
    waiting += 1;
    return Reflect.apply(addEventListener, this, given);
  });
  t.mock.method(AbortSignal.prototype, "removeEventListener", function (this: AbortSignal, ...given: []) {
    waiting -= 1;
    return Reflect.apply(removeEventListener, this, given);
  });
  let failed = Promise.withResolvers<void>();
  const feed = new DevicesFeed({
    machine: {
      id: "a",
      name: "a",
      dialLines: () => () => Promise.reject(new WarrenError("MACHINE_AWAY", "It is away.")),
      dialBytes: () => () => Promise.reject(new Error("no bytes here")),
      watch: () => () => {},
      hurry: () => {},
      close: () => {},
    },
    version: "1",
    dispatch: ({ type }) => type === "failed" && failed.resolve(),
  });
  t.after(() => feed.close());
  for (let count = 0; count < 5; count++) {
    await failed.promise;
    await new Promise(setImmediate); // it pauses
    failed = Promise.withResolvers();
    assert.equal(waiting, 1, "the pause alone");
    t.mock.timers.tick(60_000);
  }
});
