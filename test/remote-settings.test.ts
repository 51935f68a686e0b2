import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { RecordReader } from "../src/client/remote/record-reader.ts";
import { MemoryRecords } from "../src/client/remote/testing/memory-records.ts";
import { AHEAD_MS_MAX, type Settings } from "../src/protocol/settings.ts";
import { toHex } from "../src/sealing/bytes.ts";
import { fingerprintOf } from "../src/sealing/login.ts";
import { RECORD_KINDS } from "../src/sealing/record.ts";
import { decodeSettings } from "../src/sealing/settings-text.ts";
import { decodeUnitRow } from "../src/sealing/unit-row.ts";
import { webCrypto } from "../src/sealing/webcrypto.ts";
import { temporaryHome } from "./harness/home.ts";
import { HubHouse } from "./harness/hub-house.ts";
import { killAllOf } from "./harness/processes.ts";
import { pairedDevice } from "./harness/record-reading.ts";
import type { TestDevice } from "./harness/remote-device.ts";
import { waitUntil } from "./harness/wait-until.ts";

const crypto = webCrypto();

/** In a live session. */
async function bring(device: TestDevice, settings: Settings): Promise<Settings> {
  const session = (await device.attach())!;
  const client = session.client();
  try {
    return (await client.request("remote.settings", { settings })).settings;
  } finally {
    client.close();
    device.close();
    await session.ended;
  }
}

/** What waits for the device at its hub says of the settings; undefined: nothing. */
async function recorded(device: TestDevice, hub: HubHouse): Promise<Settings | undefined> {
  const fingerprint = toHex(await fingerprintOf(crypto, device.hubKey));
  const { space, exchangeKey, signingKey } = device.offer!;
  const spaces = { [fingerprint]: space };
  const machine = { id: toHex(signingKey), exchangeKey, name: "", words: "", scopes: ["view"], spaces, addedMs: 0 };
  const store = new MemoryRecords();
  const reader = await RecordReader.open({
    hub: fingerprint,
    loginKey: device.login.publicKey,
    keys: device,
    store,
    crypto,
    machines: () => [machine],
    took() {},
    events: { onRow() {}, onGap() {}, onRefused() {} },
  });
  const { talk, socket } = await hub.enter("device", device.login, { cursor: 0 });
  const quietMs = performance.now() + 300;
  await waitUntil(() => talk.has("record") || performance.now() > quietMs, { what: "records, or none" });
  while (talk.has("record")) {
    const { place, record } = await talk.next("record");
    await reader.read(place, record); // and never `took`: everything is there the next time, too
  }
  socket.close();
  await talk.closed;
  const states = store.rows.filter(({ kind }) => kind === RECORD_KINDS.state);
  return states.map(({ text }) => decodeSettings(text, Date.now())).findLast((one) => one !== undefined);
}

test("settings: devices meet at the machine, field by field; while it is away its sealed record says them, and the next server has them", async () => {
  await using hub = await HubHouse.open();
  await using house = temporaryHome();
  const phone = await pairedDevice(house, hub.address, "phone", "type");
  const desk = await pairedDevice(house, hub.address, "desk", "type,admin");
  const guest = await pairedDevice(house, hub.address, "guest", "view");
  const nowMs = Date.now();
  const appearance = { value: "dark", at_ms: nowMs, by: "phone" };
  const order = { value: "name", at_ms: nowMs - 1_000, by: "phone" };
  assert.deepEqual(await bring(phone, { appearance, order }), { appearance, order });
  const defaultDirectory = { value: "~/a-place-of-mine", at_ms: nowMs - 500, by: "desk" };
  const later = { value: "recent", at_ms: nowMs - 900, by: "desk" };
  const older = { value: "light", at_ms: nowMs - 1, by: "desk" };
  const all = { appearance, order: later, defaultDirectory };
  assert.deepEqual(await bring(desk, { appearance: older, order: later, defaultDirectory }), all);
  await assert.rejects(bring(guest, { order: { value: "name", at_ms: nowMs + 1, by: "guest" } }), (error: Error) => {
    assert.equal((error as { code?: string }).code, "FORBIDDEN");
    assert.match(error.message, /The device guest may not type or send anything on that machine .* takes type/);
    return true;
  });
  const ahead = { value: true, at_ms: nowMs * 2, by: "a clock of the year 2083" };
  const { sounds } = await bring(phone, { sounds: ahead });
  assert.ok(sounds!.at_ms <= Date.now() + AHEAD_MS_MAX);
  const told = { ...all, sounds: sounds! };

  const file = join(house.places.remoteDir, "settings.json");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await waitUntil(async () => (await recorded(phone, hub))?.sounds !== undefined, { what: "the record" });
  await killAllOf(house.home);
  for (const device of [phone, desk, guest]) assert.deepEqual(await recorded(device, hub), told, device.name);
  const ofHub = readdirSync(hub.house.places.hubDir).map((name) =>
    readFileSync(join(hub.house.places.hubDir, name), "latin1"),
  );
  assert.ok(!ofHub.some((text) => text.includes("a-place-of-mine")), "the hub has not read it");

  const next = house.client();
  assert.deepEqual((await next.request("remote.settings", { settings: {} })).settings, told);
  const isBack = async () => (await next.request("remote.hubs", {})).hubs.every(({ state }) => state === "ready");
  await waitUntil(isBack, { what: "the next server at its hub" });
  assert.deepEqual(await bring(desk, {}), told);
});

test("settings: an app that knows rows alone takes their record for none; a home that nobody is paired with keeps them, too", async () => {
  await using house = temporaryHome();
  const settings = { order: { value: "name", at_ms: Date.now(), by: "a browser of this machine" } };
  assert.deepEqual((await house.client().request("remote.settings", { settings })).settings, settings);
  assert.deepEqual(readdirSync(house.places.remoteDir), ["settings.json"], "no key was made for that");
  await using hub = await HubHouse.open();
  const phone = await pairedDevice(house, hub.address, "phone", "type");
  await waitUntil(async () => (await recorded(phone, hub)) !== undefined, { what: "the record, for who came later" });
  assert.throws(() => decodeUnitRow(Buffer.from(JSON.stringify({ settings }))), { code: "FORM_INVALID" });
});
