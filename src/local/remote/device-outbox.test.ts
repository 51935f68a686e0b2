import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { toHex } from "../../sealing/bytes.ts";
import { fingerprintOf } from "../../sealing/login.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import { deviceDirectory, deviceStoreOf } from "./device.ts";
import { openDeviceDatabase } from "./device-database.ts";
import { bringWaiting, DeviceOutbox, waitingItems } from "./device-outbox.ts";
import { RecordTable } from "./record-table.ts";

const crypto = webCrypto();
const bytes = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const MACHINE = toHex(bytes(5));

/** A home that has joined one machine, at a hub where nobody listens. */
async function joined(context: TestContext) {
  const remoteDir = mkdtempSync(join(tmpdir(), "warren-outbox-"));
  context.after(() => rmSync(remoteDir, { recursive: true }));
  const places = { remoteDir };
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const store = deviceStoreOf(places);
  const fingerprint = toHex(await fingerprintOf(crypto, bytes(1)));
  const addresses = [`http://127.0.0.1:${port}`];
  await store.join({
    keys: await store.newKeys(),
    hub: { fingerprint, key: bytes(1), addresses, label: "h", login: await store.newLoginKey(fingerprint), addedMs: 1 },
    machine: {
      id: MACHINE,
      exchangeKey: bytes(2),
      name: "laptop",
      words: "",
      scopes: ["view"],
      spaces: { [fingerprint]: bytes(3) },
      addedMs: 1,
    },
  });
  return { places, hub: fingerprint };
}

test("outbox of a home: one command at a time drives it, and what was added is there for the next", async (context) => {
  const { places } = await joined(context);
  assert.deepEqual(await waitingItems(places), []);
  await bringWaiting(places, MACHINE); // nothing waits, so nobody is connected to
  const first = await DeviceOutbox.open({ places });
  await assert.rejects(DeviceOutbox.open({ places, lockTimeoutMs: 50 }), { code: "OUTBOX_BUSY" });
  assert.throws(() => first.machineNamed("desk"), { code: "MACHINE_NOT_FOUND" });
  const { id } = await first.add({ machine: MACHINE, type: "stop", payload: { job_id: "a" }, what: "stop web" });
  assert.deepEqual(
    (await waitingItems(places)).map((item) => [item.id, item.what, item.state.kind]),
    [[id, "stop web", "queued"]],
    "whoever looks needs no turn",
  );
  await first.settle(MACHINE);
  await first.close();

  const second = await DeviceOutbox.open({ places });
  assert.deepEqual(second.waitedFor(), [MACHINE]);
  await second.remove(id);
  await second.close();
  assert.deepEqual(await waitingItems(places), []);
});

test("outbox of a home: it says when a machine has left more than has come, until it has come", async (context) => {
  const { places, hub } = await joined(context);
  const outbox = await DeviceOutbox.open({ places });
  context.after(() => outbox.close());
  assert.equal(outbox.isBehind(MACHINE), false);
  const database = openDeviceDatabase(deviceDirectory(places));
  context.after(() => database.close());
  const read = new RecordTable(database);
  await read.commit(hub, { place: 1, gap: { kind: "behind", machine: MACHINE, stream: "aa", seq: 2 } });
  assert.equal(outbox.isBehind(MACHINE), true);
  await read.commit(hub, { place: 2, mended: { machine: MACHINE, stream: "aa" } });
  await read.commit(hub, { place: 2, gap: { kind: "behind", machine: toHex(bytes(6)), stream: "aa", seq: 2 } });
  assert.equal(outbox.isBehind(MACHINE), false, "another machine's says nothing of it");
});

test("outbox of a home: without a machine that was joined there is none", async (context) => {
  const remoteDir = mkdtempSync(join(tmpdir(), "warren-outbox-"));
  context.after(() => rmSync(remoteDir, { recursive: true }));
  await assert.rejects(DeviceOutbox.open({ places: { remoteDir } }), { code: "MACHINE_NOT_FOUND" });
  assert.deepEqual(await waitingItems({ remoteDir }), []);
});
