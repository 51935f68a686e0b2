import assert from "node:assert/strict";
import { test } from "node:test";
import { writeKept } from "../contact/kept-file.ts";
import { silentLog } from "../platform/log.ts";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { webCrypto } from "../sealing/webcrypto.ts";
import { Devices } from "./devices.ts";
import { KeptRoster } from "./kept-roster.ts";
import { REMOTE_LIMITS } from "./limits.ts";
import type { LiveSession } from "./live-session.ts";
import { EMPTY_ROSTER, type RosterDevice, withDevice } from "./roster.ts";
import type { RemoteStore } from "./store.ts";

const KEY = "3".repeat(64);
const PHONE: RosterDevice = {
  name: "phone",
  platform: "test",
  signing_key: KEY,
  fingerprint: "b".repeat(32),
  exchange_key: KEY,
  logins: {},
  scopes: ["view"],
  added_at: "2026-11-01T00:00:00.000Z",
};

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
