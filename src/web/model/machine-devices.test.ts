import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataOf } from "../../protocol/messages.ts";
import type { RemoteDevice, RemoteHub } from "../../protocol/remote-units.ts";
import {
  type MachineDevices,
  type MachineDevicesAction,
  NO_DEVICES,
  reduceDevices,
  revokedText,
} from "./machine-devices.ts";

const device = (name: string, more: Partial<RemoteDevice> = {}): RemoteDevice => ({
  name,
  platform: "android",
  scopes: ["view"],
  fingerprint: "0000",
  hubs: ["studio"],
  is_connected: false,
  added_at: "2026-01-01T00:00:00.000Z",
  ...more,
});
const hub = (label: string, state: RemoteHub["state"] = "ready"): RemoteHub => ({
  label,
  fingerprint: `of ${label}`,
  addresses: ["https://home.example"],
  state,
  device_count: 1,
  added_at: "2026-01-01T00:00:00.000Z",
});
const made = (pairing: string): DataOf<"remote.pair"> => ({
  pairing: {
    pairing,
    hub: "studio",
    state: "offered",
    expires_at: "2026-01-01T00:02:00.000Z",
    scopes: ["view", "type"],
  },
  hub: hub("studio"),
  code: "warren://pair?x",
  link: "https://home.example/#p=x",
  qr: "WARREN://PAIR/X",
  is_local: false,
});
const after = (...actions: MachineDevicesAction[]): MachineDevices => actions.reduce(reduceDevices, NO_DEVICES);
const event = (type: string, data: Record<string, unknown>): MachineDevicesAction => ({
  type: "event",
  event: type,
  data,
});
const snapshot = (pairings: [] = []): MachineDevicesAction => ({
  type: "snapshot",
  snapshot: { devices: [device("tablet"), device("phone")], hubs: [hub("studio")], pairings },
});
const candidate = { name: "Pixel 9", platform: "android", check: "402 118" };

test("devices: in the order of their names, as events change them; one that is revoked goes", () => {
  const now = after(
    snapshot(),
    event("device_seen", { device: device("tablet", { is_connected: true }) }),
    event("device_changed", { device: device("anna's phone"), name_before: "phone" }),
    event("device_revoked", { name: "nobody" }),
    event("hub_state", { hub: hub("studio", "waiting") }),
    event("hub_state", { hub: hub("cloud") }),
    event("of a newer server", {}),
  );
  assert.deepEqual(
    now.devices.map(({ name, is_connected }) => [name, is_connected]),
    [
      ["anna's phone", false],
      ["tablet", true],
    ],
  );
  assert.deepEqual(
    now.hubs.map(({ label, state }) => [label, state]),
    [
      ["studio", "waiting"],
      ["cloud", "ready"],
    ],
  );
  const left = reduceDevices(now, event("device_revoked", { name: "tablet" }));
  assert.deepEqual(
    left.devices.map(({ name }) => name),
    ["anna's phone"],
  );
});

test("devices: a pairing goes from its code to who is there, and to who has joined", () => {
  const offered = after(snapshot(), { type: "making" }, { type: "offered", made: made("a") });
  assert.equal(offered.pairing.kind, "offered");
  const met = reduceDevices(offered, event("met", { pairing: "a", candidate }));
  assert.deepEqual([met.pairing.kind, met.pairing.kind === "met" && met.pairing.candidate.check], ["met", "402 118"]);
  const joined = reduceDevices(met, event("joined", { pairing: "a", device: device("Pixel 9") }));
  assert.deepEqual(joined.pairing, { kind: "joined", name: "Pixel 9" });
  assert.equal(joined.devices.length, 3);
});

test("devices: another's pairing changes nothing here; a code that a new server does not know is over", () => {
  const offered = after(snapshot(), { type: "offered", made: made("a") });
  const other = [event("met", { pairing: "b", candidate }), event("pairing_ended", { pairing: "b", how: "expired" })];
  assert.equal(other.reduce(reduceDevices, offered).pairing.kind, "offered");
  const replacedServer = reduceDevices(offered, snapshot());
  assert.match(replacedServer.pairing.kind === "ended" ? replacedServer.pairing.text : "", /Nothing was kept/);
  const late = reduceDevices(replacedServer, event("met", { pairing: "a", candidate }));
  assert.equal(late.pairing.kind, "ended");
  const expired = reduceDevices(offered, event("pairing_ended", { pairing: "a", how: "expired" }));
  assert.match(expired.pairing.kind === "ended" ? expired.pairing.text : "", /in time/);
});

test("devices: whoever is revoked is told of with the hubs that learn it later", () => {
  const gone = device("phone");
  assert.equal(revokedText({ device: gone, hubs: [{ hub: "studio", state: "cut" }] }), "phone is cut off");
  assert.match(
    revokedText({
      device: gone,
      hubs: [
        { hub: "studio", state: "later" },
        { hub: "cloud", state: "later" },
      ],
    }),
    /studio, cloud are not connected/,
  );
});
