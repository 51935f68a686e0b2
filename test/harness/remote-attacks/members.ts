import assert from "node:assert/strict";
import { type HubTalk, testRecord } from "../../../src/hub/testing/hub-talk.ts";
import type { SigningKey } from "../../../src/sealing/crypto.ts";
import type { FrameOf } from "../../../src/sealing/frames.ts";
import type { RecordKindName } from "../../../src/sealing/record.ts";
import { atHub, type Place } from "./at-hub.ts";
import type { Attack } from "./attack.ts";

async function refusedToPut(
  { hub, machineKey }: Place,
  talk: HubTalk,
  sender: SigningKey,
  kind: RecordKindName,
  space = machineKey,
): Promise<void> {
  const record = await testRecord(hub.crypto, { kind, space: space.publicKey, sender: sender.publicKey, seq: 1 });
  const answer = (await talk.answer({ kind: "put", request: 9, record })) as FrameOf<"failed">;
  assert.equal(answer.code, "RECORD_REFUSED");
  assert.equal(hub.store.totals().records, 0);
}

/** By members that want more than is theirs, and by those that were thrown out. */
export const MEMBER_ATTACKS: readonly Attack[] = [
  atHub("device", "admit another", "Lets a device in, as only its machine may.", async ({ hub, device }) => {
    device.send({ kind: "admit", request: 1, loginKey: hub.crypto.random(32) });
    assert.equal(await device.refusal(), "FRAME_FORBIDDEN");
    assert.equal(hub.store.totals().devices, 1);
  }),
  atHub("device", "expel another", "Throws another device out of its space.", async ({ hub, device, machine }) => {
    const other = await hub.crypto.newSigningKey();
    await machine.answer({ kind: "admit", request: 2, loginKey: other.publicKey });
    device.send({ kind: "expel", request: 1, loginKey: other.publicKey });
    assert.equal(await device.refusal(), "FRAME_FORBIDDEN");
    assert.equal(hub.store.totals().devices, 2);
  }),
  atHub(
    "device",
    "another machine's space",
    "Opens a channel to a machine that has not admitted it.",
    async ({ hub, device }) => {
      const key = await hub.crypto.newSigningKey();
      const { talk } = await hub.enter("machine", key);
      device.send({ kind: "open", channel: 1, space: key.publicKey });
      assert.equal((await device.next("close")).reason, "gone", "as where nobody is");
      assert.equal(talk.has("opened"), false);
    },
  ),
  atHub("device", "speak for the hub", "Sends what only a hub says.", async ({ device }) => {
    device.send({ kind: "done", request: 1 });
    assert.equal(await device.refusal(), "FRAME_FORBIDDEN");
  }),
  atHub(
    "device",
    "into another's channel",
    "Sends data under the number of a channel that another device has.",
    async ({ hub, device, machine, machineKey }) => {
      const other = await hub.crypto.newSigningKey();
      await machine.answer({ kind: "admit", request: 2, loginKey: other.publicKey });
      const { talk } = await hub.enter("device", other);
      talk.send({ kind: "open", channel: 5, space: machineKey.publicKey });
      await machine.next("opened");
      device.send({ kind: "data", channel: 5, bytes: Uint8Array.of(1) });
      device.send({ kind: "close", channel: 5, reason: "done" });
      talk.send({ kind: "data", channel: 5, bytes: Uint8Array.of(7) });
      assert.deepEqual([...(await machine.next("data")).bytes], [7]);
      assert.equal(machine.has("close"), false);
    },
  ),
  ...(["state", "result", "period", "members", "head"] as const).map((kind) =>
    atHub("device", `put a ${kind}`, `Leaves a ${kind}, which is for machines to say.`, (there) =>
      refusedToPut(there, there.device, there.deviceKey, kind),
    ),
  ),
  atHub("device", "put in another's name", "Leaves a request whose sender is another device.", async (there) => {
    await refusedToPut(there, there.device, await there.hub.crypto.newSigningKey(), "request");
  }),
  atHub(
    "device",
    "put into a foreign space",
    "Leaves a request for a machine that has not admitted it.",
    async (there) => {
      const other = await there.hub.crypto.newSigningKey();
      await there.hub.enter("machine", other);
      await refusedToPut(there, there.device, there.deviceKey, "request", other);
    },
  ),
  atHub(
    "stolen machine",
    "write to another machine's devices",
    "Leaves a state in another machine's space.",
    async (there) => {
      const thief = await there.hub.crypto.newSigningKey();
      const { talk } = await there.hub.enter("machine", thief);
      await refusedToPut(there, talk, thief, "state");
    },
  ),
  atHub(
    "stolen machine",
    "throw out another machine's device",
    "Expels a device that it has never admitted.",
    async ({ hub, device, deviceKey }) => {
      const { talk } = await hub.enter("machine", await hub.crypto.newSigningKey());
      assert.equal(await talk.answer({ kind: "expel", request: 1, loginKey: deviceKey.publicKey }), "done");
      assert.deepEqual([device.isClosed, hub.store.totals().devices], [false, 1]);
    },
  ),
  atHub(
    "stolen machine",
    "take another's rendezvous",
    "Waits at the id of another machine's code, and takes it back.",
    async ({ hub, machine }) => {
      const id = hub.crypto.random(16);
      await machine.answer({ kind: "rendezvous", request: 2, id, expires: 1 });
      const { talk } = await hub.enter("machine", await hub.crypto.newSigningKey());
      const answer = await talk.answer({ kind: "rendezvous", request: 1, id, expires: 1 });
      assert.equal(answer !== "done" && answer.code, "RENDEZVOUS_TAKEN");
      await talk.answer({ kind: "rendezvous", request: 2, id, expires: 0 });
      assert.equal(hub.hub.facts().rendezvous, 1);
    },
  ),
  atHub(
    "stolen phone",
    "stay connected",
    "Keeps its socket open while it is thrown out.",
    async ({ machine, device, deviceKey }) => {
      assert.equal(await machine.answer({ kind: "expel", request: 2, loginKey: deviceKey.publicKey }), "done");
      assert.equal(device.isClosed, true, "before it is answered");
      assert.equal(await device.refusal(), "EXPELLED");
    },
  ),
  atHub("stolen phone", "come back", "Logs in again after it was thrown out.", async ({ hub, machine, deviceKey }) => {
    await machine.answer({ kind: "expel", request: 2, loginKey: deviceKey.publicKey });
    await assert.rejects(hub.enter("device", deviceKey), /DEVICE_UNKNOWN/);
    await assert.rejects(hub.enter("device", deviceKey, { isNew: false }), /KEY_NOT_KNOWN/);
  }),
  atHub(
    "stolen phone",
    "slip in meanwhile",
    "Logs in at the very moment at which it is thrown out.",
    async ({ hub, machine, deviceKey }) => {
      const entering = Promise.allSettled(Array.from({ length: 8 }, () => hub.enter("device", deviceKey)));
      await machine.answer({ kind: "expel", request: 2, loginKey: deviceKey.publicKey });
      await entering;
      assert.equal(hub.hub.isConnected(deviceKey.publicKey, "device"), false);
    },
  ),
  atHub(
    "stolen phone",
    "fetch what waits",
    "Wants the records that came after it was thrown out.",
    async ({ hub, machine, machineKey, deviceKey }) => {
      await machine.answer({ kind: "expel", request: 2, loginKey: deviceKey.publicKey });
      const record = await testRecord(hub.crypto, {
        kind: "item",
        space: machineKey.publicKey,
        sender: machineKey.publicKey,
        seq: 1,
      });
      assert.equal(await machine.answer({ kind: "put", request: 3, record }), "done");
      const { talk } = await hub.enter("guest", deviceKey);
      await hub.clock.pass(1_000);
      assert.equal(talk.has("record"), false);
    },
  ),
];
