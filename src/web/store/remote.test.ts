import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { OutboxItem } from "../../client/remote/outbox-item.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import { pageClock } from "../link/page-clock.ts";
import { DeviceShelf } from "./device/device-shelf.ts";
import { OutboxShelf } from "./device/outbox-shelf.ts";
import { MemoryShelf } from "./device/shelf.ts";
import { FleetStore } from "./fleet-store.ts";
import { Remote } from "./remote.ts";
import type { TabOwnerEvents } from "./tab-owner.ts";

const crypto = webCrypto();
const bytes = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const HUB = "aa".repeat(32);

const item = (id: string, more: Partial<OutboxItem> = {}): OutboxItem => ({
  id,
  machine: "m1",
  type: "session.prompt",
  payload: { session: "fox", text: "mend it" },
  createdMs: 1,
  deadlineMs: Number.MAX_SAFE_INTEGER,
  state: { kind: "queued" },
  ...more,
});

/** A browser that one machine lets in, at a hub where nobody answers; `items` are in its store. */
async function browser(t: TestContext, items: readonly OutboxItem[]): Promise<{ remote: Remote; tab: TabOwnerEvents }> {
  const shelf = new MemoryShelf();
  const device = new DeviceShelf(shelf, crypto);
  await device.join({
    keys: await device.newKeys(),
    hub: {
      fingerprint: HUB,
      key: bytes(1),
      addresses: ["https://a.example"],
      label: "attic",
      login: await device.newLoginKey(HUB),
      addedMs: 1,
      isOff: true,
    },
    machine: {
      id: "m1",
      exchangeKey: bytes(2),
      name: "laptop",
      words: "anna@laptop",
      scopes: ["view"],
      spaces: { [HUB]: bytes(3) },
      addedMs: 1,
    },
  });
  const outbox = new OutboxShelf(shelf);
  for (const one of items) await outbox.put(one);
  const memoryOf = () => ({
    read: async () => undefined,
    write: async () => {},
    forget: async () => {},
    watch: () => () => {},
  });
  const fleet = new FleetStore({ version: "1", memoryOf });
  let tab: TabOwnerEvents | undefined;
  const remote = new Remote({
    fleet,
    shelf,
    crypto,
    network: { dial: () => Promise.reject(new Error("nobody")), claim: () => Promise.reject(new Error("nobody")) },
    clock: pageClock,
    random: () => 0,
    own: (events) => {
      tab = events;
      return { takeOver() {}, close() {} };
    },
    onSettings() {},
  });
  t.after(() => fleet.end("m1"));
  return { remote, tab: tab! };
}

const shown = ({ items }: Remote): string[] => items.get().map(({ id }) => id);

test("remote: what is dropped with a machine, or with its only hub, is not shown as if it waited", async (t) => {
  const removals = [(remote: Remote) => remote.removeMachine("m1"), (remote: Remote) => remote.hubs.remove(HUB)];
  for (const remove of removals) {
    const { remote, tab } = await browser(t, [item("1")]);
    const end = await tab.onOwned();
    assert.deepEqual(shown(remote), ["1"]);
    await remove(remote);
    assert.deepEqual(shown(remote), []);
    await end();
  }
});

test("remote: a tab that has never spoken with the hubs shows what waits", async (t) => {
  const { remote, tab } = await browser(t, [item("1")]);
  const told = Promise.withResolvers<void>();
  remote.items.subscribe(told.resolve);
  tab.onLost();
  await told.promise;
  assert.deepEqual(shown(remote), ["1"]);
});

test("remote: of what is over the newest hundred are kept, and all that is open", async (t) => {
  const over = Array.from({ length: 103 }, (_, at) => item(`over ${at}`, { state: { kind: "done", result: {} } }));
  const { remote, tab } = await browser(t, [item("open"), ...over]);
  const end = await tab.onOwned();
  assert.deepEqual(shown(remote), ["open", ...over.slice(3).map(({ id }) => id)]);
  await end();
});
