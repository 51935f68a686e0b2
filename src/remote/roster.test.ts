import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { writeKept } from "../contact/kept-file.ts";
import { webCrypto } from "../sealing/webcrypto.ts";
import { homeStore } from "./home-store.ts";
import { KeptRoster } from "./kept-roster.ts";
import { machineKeys } from "./machine-keys.ts";
import {
  deviceOfSession,
  EMPTY_ROSTER,
  freeName,
  type Roster,
  type RosterDevice,
  type RosterHub,
  readRoster,
  withDevice,
  withHub,
  withoutDevice,
  withoutHub,
} from "./roster.ts";

const key = (digit: string): string => digit.repeat(64);
const HUB: RosterHub = {
  fingerprint: "a".repeat(32),
  key: key("1"),
  addresses: ["https://home.example"],
  label: "home",
  login_secret: key("2"),
  added_at: "2026-11-01T00:00:00.000Z",
  to_expel: [],
};
const PHONE: RosterDevice = {
  name: "Pixel 9",
  platform: "android",
  signing_key: key("3"),
  fingerprint: "b".repeat(32),
  exchange_key: key("4"),
  logins: { [HUB.fingerprint]: key("5") },
  scopes: ["view", "type"],
  added_at: "2026-11-01T00:00:00.000Z",
};
const roster: Roster = withDevice(withHub(EMPTY_ROSTER, HUB), PHONE);

function temporaryStore() {
  const dir = mkdtempSync(join(tmpdir(), "warren-roster-"));
  const store = homeStore(join(dir, "remote"));
  return { dir, store, [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
}

test("roster: it is read as it was written, and a list that is half understood is not taken", () => {
  assert.deepEqual(readRoster(writeKept(roster)), roster);
  const spoilt: [object, RegExp][] = [
    [{ ...roster, oldest_reader: 2 }, /newer/],
    [{ ...roster, devices: [{ ...PHONE, scopes: ["type"] }] }, /device/],
    [{ ...roster, devices: [{ ...PHONE, scopes: ["view", "root"] }] }, /device/],
    [{ ...roster, devices: [{ ...PHONE, exchange_key: "short" }] }, /device/],
    [{ ...roster, devices: [{ ...PHONE, logins: { "../x": key("5") } }] }, /device/],
    [{ ...roster, hubs: [{ ...HUB, addresses: [] }] }, /hub/],
    [{ ...roster, hubs: {} }, /hub/],
  ];
  for (const [value, why] of spoilt) assert.match(String(readRoster(JSON.stringify(value))), why);
  for (const text of ["", "[]", "null", "{"]) assert.equal(typeof readRoster(text), "string", text);
});

test("roster: a session counts only with the key and the login that belong together, at that hub", () => {
  const right = { exchangeKey: key("4"), hub: HUB.fingerprint, loginKey: key("5") };
  assert.equal(deviceOfSession(roster, right), PHONE);
  for (const wrong of [{ exchangeKey: key("9") }, { hub: "c".repeat(32) }, { loginKey: key("9") }])
    assert.equal(deviceOfSession(roster, { ...right, ...wrong }), undefined);
});

test("roster: a device that goes is to be thrown out where it was known; a hub that goes takes the logins there with it", () => {
  const without = withoutDevice(roster, PHONE);
  assert.deepEqual([without.devices, without.hubs[0]?.to_expel], [[], [key("5")]]);
  assert.deepEqual(withoutDevice(without, PHONE).hubs[0]?.to_expel, [key("5")], "once");
  const left = withoutHub(roster, HUB.fingerprint);
  assert.deepEqual([left.hubs, left.devices[0]?.logins], [[], {}]);
});

test("roster: names are each device's own", () => {
  assert.equal(freeName(roster, "Pixel 9", PHONE.signing_key), "Pixel 9");
  assert.equal(freeName(roster, "Pixel 9", key("7")), "Pixel 9 (2)");
});

test("roster keeper: changes are on disk in order; one that throws, and a disk that refuses, change nothing", async () => {
  using place = temporaryStore();
  const keeper = await KeptRoster.open(place.store);
  await Promise.all([keeper.change((now) => withHub(now, HUB)), keeper.change((now) => withDevice(now, PHONE))]);
  assert.deepEqual((await KeptRoster.open(place.store)).now, roster);
  await assert.rejects(
    keeper.change(() => {
      throw new Error("no");
    }),
    /no/,
  );
  const full = await KeptRoster.open({ ...place.store, write: () => Promise.reject(new Error("ENOSPC")) });
  await assert.rejects(
    full.change(() => EMPTY_ROSTER),
    /ENOSPC/,
  );
  assert.deepEqual([keeper.now, full.now], [roster, roster]);
  await keeper.change((now) => ({ ...now, devices: [] }));
  assert.deepEqual(keeper.now.devices, [], "what failed before does not stand in the way");
});

test("machine key: made once, 0600; one that others may read, or that is cut, is refused with what to do", async () => {
  using place = temporaryStore();
  const crypto = webCrypto();
  const first = await machineKeys(place.store, crypto);
  const second = await machineKeys(place.store, crypto);
  assert.deepEqual(first.signing.publicKey, second.signing.publicKey);
  assert.deepEqual(first.exchange.publicKey, second.exchange.publicKey);
  const path = place.store.pathOf("key");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(place.dir, "remote")).mode & 0o777, 0o700);
  chmodSync(path, 0o640);
  await assert.rejects(machineKeys(place.store, crypto), { code: "MACHINE_KEY_OPEN", message: /mode 640/ });
  chmodSync(path, 0o600);
  writeFileSync(path, "1234");
  await assert.rejects(machineKeys(place.store, crypto), { code: "MACHINE_KEY_BAD" });
});
