import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { EMPTY_HOME, type Home } from "../model/home.ts";
import { type KnownHome, rememberHome } from "./remembered.ts";
import { Store } from "./store.ts";

test("remembered: what is known is kept once a second, while it is confirmed, and when the page goes", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const written: (number | undefined)[] = [];
  const memory = {
    read: async () => undefined,
    write: async ({ confirmedMs }: KnownHome) => void written.push(confirmedMs),
    forget: async () => {},
    watch: () => () => {},
  };
  const store = new Store(EMPTY_HOME, (_home: Home, next: Home) => next);
  const { end } = rememberHome(store, memory);
  const becomes = async (way: Home["way"]["kind"], confirmedMs: number): Promise<void> => {
    store.dispatch({ ...EMPTY_HOME, way: { kind: way } as Home["way"], confirmedMs });
    await Promise.resolve();
  };
  await becomes("live", 1);
  await becomes("live", 2);
  mock.timers.tick(1_000);
  assert.deepEqual(written, [2]);
  await becomes("away", 2);
  mock.timers.tick(1_000);
  assert.deepEqual(written, [2], "what was not confirmed anew is not written again");
  await becomes("live", 4);
  end();
  assert.deepEqual(written, [2, 4]);
  mock.timers.reset();
});
