import assert from "node:assert/strict";
import { test } from "node:test";
import { waitUntil } from "../../test/harness/wait-until.ts";
import { writeKept } from "../contact/kept-file.ts";
import type { Introduced } from "../contact/pairing-guest.ts";
import { silentLog } from "../platform/log.ts";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { fromHex } from "../sealing/bytes.ts";
import { webCrypto } from "../sealing/webcrypto.ts";
import { Devices } from "./devices.ts";
import type { HubPlace } from "./hubs.ts";
import { KeptRoster } from "./kept-roster.ts";
import { REMOTE_LIMITS } from "./limits.ts";
import type { LiveSession } from "./live-session.ts";
import { EMPTY_ROSTER, type RosterDevice, type RosterHub, withDevice, withHub } from "./roster.ts";
import type { RemoteStore } from "./store.ts";
import { PHONE_KEY as KEY, PHONE } from "./testing/phone.ts";

test("devices: however often one comes and goes, its revocation waits behind few writes, and what was seen last is said", async () => {
  const turn = Promise.withResolvers<void>();
  let writeCount = 0;
  const store: RemoteStore = {
    read: async () => writeKept(withDevice(EMPTY_ROSTER, PHONE)),
    write: async () => {
      writeCount += 1;
      await turn.promise;
    },
    pathOf: (name) => name,
  };
  const roster = await KeptRoster.open(store);
  const seen: boolean[] = [];
  const devices = new Devices({
    roster,
    hubs: () => assert.fail("no hub knows it"),
    crypto: webCrypto(),
    clock: new HandClock(),
    log: silentLog,
    limits: REMOTE_LIMITS,
    onSeen: ({ is_connected }) => void seen.push(is_connected),
  });
  const newSession = () => ({ device: PHONE, close: () => {} }) as unknown as LiveSession;
  for (let count = 0; count < 500; count++) {
    const session = newSession();
    devices.opened(session);
    devices.closed(session);
    await undefined; // the first write is under way
  }
  const revoked = devices.revoke("phone");
  turn.resolve();
  await revoked;
  assert.ok(writeCount <= 3, String(writeCount));
  assert.deepEqual([roster.now.devices, seen.at(-1)], [[], false]);
});

/** The devices of a machine that has these, at a hub that lets everybody in, once so many have asked. */
async function withDevices(known: RosterDevice[], together = 1) {
  const disk = { isFull: false };
  const store: RemoteStore = {
    read: async () => writeKept(known.reduce(withDevice, EMPTY_ROSTER)),
    write: async () => {
      if (disk.isFull) throw new Error("ENOSPC");
    },
    pathOf: (name) => name,
  };
  const roster = await KeptRoster.open(store);
  const asked: string[] = [];
  const all = Promise.withResolvers<void>();
  const first = Promise.withResolvers<void>();
  const ask = async ({ kind }: { kind: string }): Promise<void> => {
    if (asked.push(kind) === together) all.resolve();
    first.resolve();
    await all.promise;
  };
  const place = { id: "hub", link: { ask } };
  const devices = new Devices({
    roster,
    hubs: () => ({ expel: async () => {} }) as unknown as ReturnType<ConstructorParameters<typeof Devices>[0]["hubs"]>,
    crypto: webCrypto(),
    clock: new HandClock(),
    log: silentLog,
    limits: REMOTE_LIMITS,
    onSeen: () => {},
  });
  return {
    roster,
    devices,
    place: place as unknown as HubPlace,
    asked,
    isAsked: first.promise,
    release: all.resolve,
    disk,
  };
}
/** The hub is asked, and says nothing before it is released. */
const NEVER = Number.POSITIVE_INFINITY;

const keyOf = (number: number): string => number.toString(16).padStart(64, "0");
const introduced = (number: number, name = `device-${number}`): Introduced => ({
  signingKey: fromHex(keyOf(number))!,
  loginKey: fromHex(keyOf(number + 1_000))!,
  exchangeKey: fromHex(keyOf(number))!,
  name,
  platform: "test",
  check: "123456",
});
const numbered = (number: number): RosterDevice => ({
  ...PHONE,
  name: `device-${number}`,
  signing_key: keyOf(number),
  exchange_key: keyOf(number),
});

test("devices: of two that come at once where there is room for one, one is let in, and the hub lets the other go", async () => {
  const known = Array.from({ length: REMOTE_LIMITS.devices - 1 }, (_, at) => numbered(at + 1));
  const { roster, devices, place, asked } = await withDevices(known, 2);
  const all = await Promise.allSettled([101, 102].map((one) => devices.admit(place, introduced(one), ["view"])));
  assert.deepEqual(
    all.map((one) => (one.status === "fulfilled" ? "in" : (one.reason as { code: string }).code)),
    ["in", "DEVICES_FULL"],
  );
  assert.equal(roster.now.devices.length, REMOTE_LIMITS.devices);
  assert.deepEqual(asked, ["admit", "admit", "expel"]);
});

test("devices: taken back, what its owner has said of a device meanwhile stays", async () => {
  const before: RosterDevice = { ...numbered(1), scopes: ["view", "type", "admin"] };
  const { roster, devices, place } = await withDevices([before]);
  const { undo, device } = await devices.admit(place, introduced(1), ["view", "type", "admin"]);
  await devices.setScopes(device.name, ["view"]);
  await devices.rename(device.name, "kitchen");
  await undo();
  assert.deepEqual(roster.now.devices, [{ ...before, name: "kitchen", scopes: ["view"] }]);
});

test("devices: taken back, a device is as it was where nobody has said anything of it", async () => {
  const before: RosterDevice = { ...numbered(1), scopes: ["view"] };
  const { roster, devices, place } = await withDevices([before]);
  const { undo } = await devices.admit(place, introduced(1, "other"), ["view", "admin"]);
  assert.deepEqual(roster.now.devices[0]?.scopes, ["view", "admin"]);
  await undo();
  assert.deepEqual(roster.now.devices, [before]);
});

test("devices: one that is not let in is what its owner has said of it while the hub was asked", async () => {
  const before: RosterDevice = { ...numbered(1), scopes: ["view", "admin"] };
  const { roster, devices, place, asked, isAsked, release } = await withDevices([before], NEVER);
  const check = (): void => assert.fail("who introduces has gone");
  const admitted = devices.admit(place, introduced(1), ["view", "type"], { check });
  const refused = assert.rejects(admitted, /has gone/);
  await isAsked;
  await devices.setScopes(before.name, ["view"]);
  release();
  await refused;
  assert.deepEqual(roster.now.devices, [{ ...before, scopes: ["view"] }]);
  assert.deepEqual(asked, ["admit", "expel"]);
});

test("devices: one that is not let in stays where another yes has let it in while the hub was asked, on the list and at the hub", async () => {
  const { roster, devices, place, asked } = await withDevices([], 2);
  const check = (): void => assert.fail("who introduces has gone");
  const first = devices.admit(place, introduced(1), ["view", "type"]);
  await waitUntil(() => asked.length === 1, { what: "the hub is asked by the first" });
  const all = await Promise.allSettled([first, devices.admit(place, introduced(1), ["view"], { check })]);
  assert.deepEqual(
    all.map(({ status }) => status),
    ["fulfilled", "rejected"],
  );
  assert.deepEqual(
    roster.now.devices.map(({ name, scopes }) => [name, scopes]),
    [["device-1", ["view", "type"]]],
  );
  assert.deepEqual(asked, ["admit", "admit"]);
});

test("devices: one that could not be written down is what its owner has said of it meanwhile, and the hub lets it go", async () => {
  const before: RosterDevice = { ...numbered(1), scopes: ["view", "admin"] };
  const { roster, devices, place, asked, isAsked, release, disk } = await withDevices([before], NEVER);
  const refused = assert.rejects(devices.admit(place, introduced(1), ["view"]), /ENOSPC/);
  await isAsked;
  disk.isFull = true;
  place.link.ask = async ({ kind }) => {
    asked.push(kind);
    disk.isFull = false;
    await devices.setScopes(before.name, ["view"]);
  };
  release();
  await refused;
  assert.deepEqual([roster.now.devices, asked], [[{ ...before, scopes: ["view"] }], ["admit", "expel"]]);
});

test("devices: one that is let in keeps the name that it was given while the hub was asked", async () => {
  const before: RosterDevice = { ...numbered(1), scopes: ["view"] };
  const { roster, devices, place, isAsked, release } = await withDevices([before], NEVER);
  const admitted = devices.admit(place, introduced(1), ["view", "type"]);
  await isAsked;
  await devices.rename(before.name, "kitchen");
  release();
  const { undo } = await admitted;
  assert.deepEqual(
    roster.now.devices.map(({ name, scopes }) => [name, scopes]),
    [["kitchen", ["view", "type"]]],
  );
  await undo();
  assert.deepEqual(roster.now.devices, [{ ...before, name: "kitchen" }]);
});

test("devices: of two yeses at once to one device, at two hubs, both logins stay; at one hub, the former one is thrown out", async () => {
  const hub: RosterHub = {
    ...{ fingerprint: "hub", key: KEY, addresses: [], label: "home", login_secret: KEY },
    ...{ added_at: PHONE.added_at, to_expel: [] },
  };
  const { roster, devices, place } = await withDevices([numbered(1)], 3);
  await roster.change((now) => withHub(now, hub));
  const again = { ...introduced(1), loginKey: fromHex(keyOf(2_001))! };
  await Promise.all([
    devices.admit(place, introduced(1), ["view"]),
    devices.admit({ ...place, id: "cloud" }, introduced(1), ["view"]),
    devices.admit(place, again, ["view"]),
  ]);
  assert.deepEqual(roster.now.devices[0]?.logins, { hub: keyOf(2_001), cloud: keyOf(1_001) });
  assert.deepEqual(roster.now.hubs[0]?.to_expel, [keyOf(1_001)]);
});
