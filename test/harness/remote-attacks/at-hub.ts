import assert from "node:assert/strict";
import type { HubTalk } from "../../../src/hub/testing/hub-talk.ts";
import { TestHub } from "../../../src/hub/testing/test-hub.ts";
import type { SigningKey } from "../../../src/sealing/crypto.ts";
import type { Attack } from "./attack.ts";

/** What others try at an honest hub: strangers, guests, devices, machines, and a hub elsewhere that learned something. */
export interface Place {
  hub: TestHub;
  machineKey: SigningKey;
  deviceKey: SigningKey;
  machine: HubTalk;
  device: HubTalk;
}

async function place(isOpen = true): Promise<Place> {
  const hub = await TestHub.open({ isOpen });
  const [machineKey, deviceKey] = [await hub.crypto.newSigningKey(), await hub.crypto.newSigningKey()];
  await hub.store.write(() => hub.store.roster.addMachine(machineKey.publicKey, undefined, hub.clock.wallMs()));
  const machine = (await hub.enter("machine", machineKey)).talk;
  assert.equal(await machine.answer({ kind: "admit", request: 1, loginKey: deviceKey.publicKey }), "done");
  return { hub, machineKey, deviceKey, machine, device: (await hub.enter("device", deviceKey)).talk };
}

export const atHub = (
  who: string,
  name: string,
  how: string,
  run: (place: Place) => Promise<void>,
  isOpen = true,
): Attack => ({
  name: `${who}, at a hub: ${name}`,
  how,
  async run() {
    const there = await place(isOpen);
    await using _hub = there.hub;
    await run(there);
    const { hub, machineKey } = there;
    assert.ok(hub.hub.isConnected(machineKey.publicKey, "machine"), "nobody else is cut off");
    assert.deepEqual(
      hub.lines.filter((line) => line.startsWith("broken")),
      [],
    );
  },
});
