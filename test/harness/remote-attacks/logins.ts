import assert from "node:assert/strict";
import { type HubTalk, testRecord } from "../../../src/hub/testing/hub-talk.ts";
import type { TestHub } from "../../../src/hub/testing/test-hub.ts";
import type { SigningKey } from "../../../src/sealing/crypto.ts";
import { fingerprintOf, type Login, makeLogin } from "../../../src/sealing/login.ts";
import { atHub } from "./at-hub.ts";
import type { Attack } from "./attack.ts";

/** A connection that has heard the hub's hello, and says this login. */
async function says(hub: TestHub, login: (hubNonce: Uint8Array) => Promise<Login>): Promise<HubTalk> {
  const { talk } = hub.connect();
  const { nonce } = await talk.next("hello");
  talk.send({ kind: "login", ...(await login(nonce.slice())) });
  return talk;
}

async function loginOf(
  { crypto, key: hubKey }: TestHub,
  {
    key,
    role,
    nonce,
    hub = hubKey.publicKey,
  }: { key: SigningKey; role: Login["role"]; nonce: Uint8Array; hub?: Uint8Array },
): Promise<Login> {
  const wanted = { hubKey: hub, hubNonce: nonce, key, role, cursor: 0, isNew: true };
  return (await makeLogin(crypto, wanted)).login;
}

/** By whoever has no business there. */
export const LOGIN_ATTACKS: readonly Attack[] = [
  atHub(
    "network",
    "a login again",
    "Says a login that it has heard, on a connection of its own.",
    async ({ hub, deviceKey: key }) => {
      let heard: Login | undefined;
      const first = await says(hub, async (nonce) => (heard = await loginOf(hub, { key, role: "device", nonce })));
      await first.next("welcome");
      assert.equal(await (await says(hub, async () => heard!)).refusal(), "LOGIN_REFUSED");
    },
  ),
  atHub(
    "hub B",
    "pass a login on",
    "Gives a device the nonce that hub A has given it, and takes the answer to A.",
    async ({ hub, deviceKey: key }) => {
      const evil = (await hub.crypto.newSigningKey()).publicKey;
      const talk = await says(hub, (nonce) => loginOf(hub, { key, role: "device", nonce, hub: evil }));
      assert.equal(await talk.refusal(), "LOGIN_REFUSED");
    },
  ),
  atHub(
    "hub B",
    "a login key that it knows",
    "Names a device's key at A, which it has learned, and signs with its own.",
    async ({ hub, deviceKey }) => {
      const own = await hub.crypto.newSigningKey();
      const talk = await says(hub, async (nonce) => ({
        ...(await loginOf(hub, { key: own, role: "device", nonce })),
        key: deviceKey.publicKey,
      }));
      assert.equal(await talk.refusal(), "LOGIN_REFUSED");
    },
  ),
  atHub(
    "hub B",
    "by a fingerprint alone",
    "Names a device by its fingerprint, and signs with a key of its own.",
    async ({ hub, deviceKey }) => {
      const own = await hub.crypto.newSigningKey();
      const fingerprint = await fingerprintOf(hub.crypto, deviceKey.publicKey);
      const talk = await says(hub, async (nonce) => ({
        ...(await loginOf(hub, { key: own, role: "device", nonce })),
        key: fingerprint,
      }));
      assert.equal(await talk.refusal(), "LOGIN_REFUSED");
    },
  ),
  atHub(
    "hub B",
    "the device's login key for B",
    "Uses the key that the device has at B, whose private half B would even know.",
    async ({ hub }) => {
      const atB = await hub.crypto.newSigningKey();
      await assert.rejects(hub.enter("device", atB), /DEVICE_UNKNOWN/);
      await assert.rejects(hub.enter("device", atB, { isNew: false }), /KEY_NOT_KNOWN/);
    },
  ),
  atHub("network", "another role", "Makes a machine's login of a device's.", async ({ hub, deviceKey: key }) => {
    const talk = await says(hub, async (nonce) => ({
      ...(await loginOf(hub, { key, role: "device", nonce })),
      role: "machine",
    }));
    assert.equal(await talk.refusal(), "LOGIN_REFUSED");
  }),
  atHub(
    "device",
    "be a machine",
    "Logs in as a machine, by its own key, at a hub that admits none.",
    async ({ hub, deviceKey }) => {
      await assert.rejects(hub.enter("machine", deviceKey), /MACHINE_NOT_INVITED/);
      assert.equal(hub.store.totals().spaces, 1);
    },
    false,
  ),
  atHub("guest", "be a device", "Logs in as a device that nobody has admitted.", async ({ hub }) => {
    await assert.rejects(hub.enter("device", await hub.crypto.newSigningKey()), /DEVICE_UNKNOWN/);
    assert.equal(hub.store.totals().devices, 1);
  }),
  atHub(
    "stranger",
    "guess an invitation",
    "Tries invitations that were never given.",
    async ({ hub }) => {
      await hub.store.write(() =>
        hub.store.roster.addInvitation(hub.crypto.random(16), "x", { nowMs: hub.clock.wallMs() }),
      );
      for (let count = 0; count < 20; count++) {
        const wanted = { invitation: hub.crypto.random(16) };
        await assert.rejects(hub.enter("machine", await hub.crypto.newSigningKey(), wanted), /INVITATION_REFUSED/);
      }
      assert.deepEqual([hub.store.totals().spaces, hub.store.totals().invitations], [1, 1]);
    },
    false,
  ),
  atHub(
    "stranger",
    "an invitation again",
    "Uses an invitation that another machine has used.",
    async ({ hub }) => {
      const invitation = hub.crypto.random(16);
      await hub.store.write(() => hub.store.roster.addInvitation(invitation, "x", { nowMs: hub.clock.wallMs() }));
      await hub.enter("machine", await hub.crypto.newSigningKey(), { invitation });
      await assert.rejects(
        hub.enter("machine", await hub.crypto.newSigningKey(), { invitation }),
        /INVITATION_REFUSED/,
      );
    },
    false,
  ),
  atHub(
    "hub B",
    "an invitation to A",
    "A machine shows it the proof of an invitation to A, and it takes that to A.",
    async ({ hub }) => {
      const invitation = hub.crypto.random(16);
      await hub.store.write(() => hub.store.roster.addInvitation(invitation, "x", { nowMs: hub.clock.wallMs() }));
      const evil = (await hub.crypto.newSigningKey()).publicKey;
      const [victim, thief] = [await hub.crypto.newSigningKey(), await hub.crypto.newSigningKey()];
      const talk = await says(hub, async (hubNonce) => {
        const shown = { hubKey: evil, hubNonce, key: victim, role: "machine", cursor: 0, invitation } as const;
        const { login } = await makeLogin(hub.crypto, shown);
        return {
          ...(await loginOf(hub, { key: thief, role: "machine", nonce: hubNonce })),
          invitation: login.invitation!,
        };
      });
      assert.equal(await talk.refusal(), "INVITATION_REFUSED");
      assert.equal(hub.store.totals().invitations, 1, "it stands for whom it is for");
    },
    false,
  ),
  atHub(
    "stranger",
    "speak before the login",
    "Opens a channel before it has said who it is.",
    async ({ hub, machineKey, machine }) => {
      const { talk } = hub.connect();
      talk.send({ kind: "open", channel: 1, space: machineKey.publicKey });
      assert.equal(await talk.refusal(), "FRAME_FORBIDDEN");
      assert.equal(machine.has("opened"), false);
    },
  ),
  atHub(
    "guest",
    "open a channel to a machine",
    "Opens a space by its name, without a code.",
    async ({ hub, machineKey, machine }) => {
      const { talk } = await hub.enter("guest", await hub.crypto.newSigningKey());
      talk.send({ kind: "open", channel: 1, space: machineKey.publicKey });
      assert.equal(await talk.refusal(), "FRAME_FORBIDDEN");
      assert.equal(machine.has("opened"), false);
    },
  ),
  atHub("guest", "leave a record", "Puts a request into a space.", async ({ hub, machineKey }) => {
    const key = await hub.crypto.newSigningKey();
    const { talk } = await hub.enter("guest", key);
    const record = await testRecord(hub.crypto, {
      kind: "request",
      space: machineKey.publicKey,
      sender: key.publicKey,
      seq: 1,
    });
    talk.send({ kind: "put", request: 1, record });
    assert.equal(await talk.refusal(), "FRAME_FORBIDDEN");
    assert.equal(hub.store.totals().records, 0);
  }),
  atHub("guest", "guess a rendezvous", "Meets at ids that it makes up.", async ({ hub, machine }) => {
    assert.equal(
      await machine.answer({ kind: "rendezvous", request: 2, id: hub.crypto.random(16), expires: 1 }),
      "done",
    );
    const { talk } = await hub.enter("guest", await hub.crypto.newSigningKey());
    for (let channel = 1; channel <= 20; channel++) {
      talk.send({ kind: "meet", channel, id: hub.crypto.random(16) });
      assert.equal((await talk.next("close")).reason, "gone");
    }
    assert.equal(machine.has("met"), false);
  }),
  atHub("guest", "meet a second time", "Comes with a code after another has met by it.", async ({ hub, machine }) => {
    const id = hub.crypto.random(16);
    await machine.answer({ kind: "rendezvous", request: 2, id, expires: 1 });
    const first = (await hub.enter("guest", await hub.crypto.newSigningKey())).talk;
    const second = (await hub.enter("guest", await hub.crypto.newSigningKey())).talk;
    first.send({ kind: "meet", channel: 1, id });
    await machine.next("met");
    second.send({ kind: "meet", channel: 1, id });
    assert.equal((await second.next("close")).reason, "gone");
    assert.equal(machine.has("met"), false);
  }),
];
