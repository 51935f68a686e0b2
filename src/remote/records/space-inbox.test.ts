import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../platform/log.ts";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { newSpace, write } from "../../sealing/testing/space.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import { KeptRoster } from "../kept-roster.ts";
import type { RemoteStore } from "../store.ts";
import { Kept } from "./kept.ts";
import { SpaceInbox } from "./space-inbox.ts";
import { emptySpace } from "./space-state.ts";

const MIB = 1024 * 1024;

/** An inbox whose disk writes nothing down until it is told to. */
async function inbox(space: Uint8Array = new Uint8Array(32)) {
  const disk = Promise.withResolvers<void>();
  const store: RemoteStore = { read: async () => undefined, write: () => disk.promise, pathOf: (name) => name };
  const taken: number[] = [];
  const one = new SpaceInbox({
    hubId: "home",
    hub: new Uint8Array(16),
    space,
    state: new Kept(store, "space-home.json", emptySpace("")),
    roster: await KeptRoster.open(store),
    crypto: webCrypto(),
    clock: new HandClock(),
    log: silentLog,
    onRequest: async () => {},
    took: (place) => void taken.push(place),
  });
  one.begin(undefined);
  return { one, disk, taken };
}

/** How many records are read at once, before the first is taken. */
function readAtOnce(one: SpaceInbox, bytes: Uint8Array): { count: number; room: Promise<void> } {
  for (let place = 1; ; place++) {
    const room = one.hear(place, bytes);
    if (room) return { count: place, room };
    assert.ok(place < 100_000, "there is no bound");
  }
}

test("inbox: records that wait are bounded, also when they are empty, and the hub is read again when there is room", async () => {
  for (const [length, most] of [
    [0, 20_000],
    [60 * 1024, 300],
  ] as const) {
    const { one, disk, taken } = await inbox();
    const { count, room } = readAtOnce(one, new Uint8Array(length));
    assert.ok(count * length < 17 * MIB && count < most, `${count} of ${length} bytes`);
    let isRead = false;
    const going = room.then(() => {
      isRead = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([isRead, taken], [false, []]);
    disk.resolve();
    await going;
    assert.ok(taken.length > 0, "one has made room");
    await one.hear(count + 1, new Uint8Array(0));
  }
});

test("inbox: what is of another machine's space moves no cursor; what is not taken of its own does", async () => {
  const crypto = webCrypto();
  const own = await newSpace(crypto);
  const { one, disk, taken } = await inbox(own.machine.login.publicKey);
  disk.resolve();
  const record = async (of: typeof own) =>
    (await write(crypto, of, { from: own.device, kind: "request" })).record.bytes;
  await one.hear(1_000, await record(await newSpace(crypto)));
  await one.hear(2, await record(own));
  while (taken.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(taken, [2]);
});
