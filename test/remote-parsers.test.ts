import assert from "node:assert/strict";
import { test } from "node:test";
import type { HubTalk } from "../src/hub/testing/hub-talk.ts";
import { TestHub, type TestWire } from "../src/hub/testing/test-hub.ts";
import { isWarrenError } from "../src/protocol/errors.ts";
import { fromBase32 } from "../src/sealing/base32.ts";
import { fromHex } from "../src/sealing/bytes.ts";
import { NO_LINK } from "../src/sealing/chain.ts";
import { parseFingerprint } from "../src/sealing/fingerprint.ts";
import { decodeFrame, encodeFrame, FRAME_BYTES_MAX, type Frame } from "../src/sealing/frames.ts";
import { decodeHeads } from "../src/sealing/heads.ts";
import { openFrom } from "../src/sealing/hpke.ts";
import { INTRODUCER, INTRODUCTION_OFFER, OUTCOME } from "../src/sealing/introducing.ts";
import { decodeLive, LIVE_ANSWER } from "../src/sealing/live.ts";
import { isWelcomeSigned, makeLogin } from "../src/sealing/login.ts";
import { decodeMembers } from "../src/sealing/members.ts";
import { Handshake } from "../src/sealing/noise/handshake.ts";
import { INTRODUCTION, openOffer, PROOF, VERDICT } from "../src/sealing/pairing.ts";
import { decodePairingCode } from "../src/sealing/pairing-code.ts";
import { copiesOf } from "../src/sealing/period.ts";
import { decodeRecord } from "../src/sealing/record.ts";
import { decodeRequest, decodeResult } from "../src/sealing/request.ts";
import { takeRecord } from "../src/sealing/take.ts";
import { decodeUnitRow } from "../src/sealing/unit-row.ts";
import { webCrypto } from "../src/sealing/webcrypto.ts";
import { type Random, withSeed } from "./harness/random.ts";
import { Steered } from "./harness/remote-attacks/steered.ts";
import { Spoilt } from "./harness/spoilt.ts";

/** All that reads bytes of somebody who has proven nothing: a hub to machines and devices, a stranger or a guest to a hub, a guest to a machine. */
const crypto = webCrypto();
const MIB = 1024 * 1024;
const isProof = process.env.WARREN_PROOF === "1";
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

const AT_ONCE: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  decodeFrame,
  decodeLive,
  decodeRecord,
  decodeHeads,
  decodeMembers,
  decodeRequest,
  decodeResult,
  decodeUnitRow,
  copiesOf,
  introduction: INTRODUCTION.decode,
  proof: PROOF.decode,
  verdict: VERDICT.decode,
  introducer: INTRODUCER.decode,
  introductionOffer: INTRODUCTION_OFFER.decode,
  outcome: OUTCOME.decode,
  answer: LIVE_ANSWER.decode,
  fromHex: (bytes) => fromHex(text(bytes)),
  fromBase32: (bytes) => fromBase32(text(bytes)),
  parseFingerprint: (bytes) => parseFingerprint(text(bytes)),
  bareCode: (bytes) => decodePairingCode(text(bytes), { nowSeconds: 1 }),
  code: (bytes) => decodePairingCode(`warren://pair?${text(bytes)}`, { nowSeconds: 1 }),
};

test("parsers: no bytes throw what has no name, nor take more memory than they are long", async (context) => {
  await withSeed(async (random) => {
    const spoilt = new Spoilt(random);
    const before = process.memoryUsage().arrayBuffers;
    let values = 0;
    for (let count = 0; count < (isProof ? 1_000_000 : 30_000); count++) {
      const bytes = spoilt.next();
      for (const [name, parse] of Object.entries(AT_ONCE)) values += Number(isRead(name, parse, bytes));
    }
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 256 * MIB, `${grown} bytes`);
    context.diagnostic(`${values} of them were values`);
    assert.ok(values > 1_000, "some are right by chance: the others were not refused at the first byte");
  });
});

function isRead(name: string, parse: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean {
  try {
    return parse(bytes) !== undefined;
  } catch (error) {
    if (!isWarrenError(error)) assert.fail(`${name} of ${Buffer.from(bytes).toString("hex")}: ${error}`);
    return false;
  }
}

test("parsers: what is read with a key is refused by name as well: handshakes, sessions, copies, offers, welcomes, records", async () => {
  await withSeed(async (random) => {
    const spoilt = new Spoilt(random);
    const [own, signing] = [await crypto.newExchangeKey(), await crypto.newSigningKey()];
    const login = {
      hubKey: signing.publicKey,
      hubNonce: new Uint8Array(16),
      key: signing,
      role: "device",
      cursor: 1,
    } as const;
    const { facts } = await makeLogin(crypto, login);
    const start = (pattern: "IK" | "XKpsk3") =>
      Handshake.start(crypto, {
        pattern,
        isInitiator: false,
        prologue: new Uint8Array(0),
        own,
        ...(pattern === "XKpsk3" ? { psk: new Uint8Array(32) } : {}),
      });
    const reading = {
      hub: new Uint8Array(16),
      space: signing.publicKey,
      senderOf: () => ({ signerKey: spoilt.next().slice(0, 32), isMachine: true }),
      periodKeyOf: () => new Uint8Array(32),
      linkOf: () => NO_LINK,
    };
    const withKey: Record<string, (bytes: Uint8Array) => Promise<unknown>> = {
      "the first message of IK": async (bytes) => (await start("IK")).read(bytes),
      "the first message of XKpsk3": async (bytes) => (await start("XKpsk3")).read(bytes),
      "a copy of a period's key": (sealed) => openFrom(crypto, own, { sealed, info: new Uint8Array(0) }),
      "an offer": (bytes) => openOffer(crypto, { text: bytes, handshakeHash: new Uint8Array(32) }),
      "a welcome": (bytes) => isWelcomeSigned(crypto, { welcome: { signature: cutTo(bytes, 64) }, facts, cursor: 1 }),
      "a signature": (bytes) => crypto.verify(cutTo(bytes, 32), bytes, cutTo(bytes.subarray(32), 64)),
      "a record": (bytes) => takeRecord(crypto, reading, bytes),
    };
    for (let count = 0; count < (isProof ? 20_000 : 1_500); count++) {
      const bytes = spoilt.next();
      for (const [name, read] of Object.entries(withKey))
        await read(bytes).catch((error) => {
          if (!isWarrenError(error)) assert.fail(`${name} of ${Buffer.from(bytes).toString("hex")}: ${error}`);
        });
    }
  });
});

const cutTo = (bytes: Uint8Array, length: number): Uint8Array => {
  const whole = new Uint8Array(length);
  whole.set(bytes.subarray(0, length));
  return whole;
};

test("parsers: a hub that hears 20,000 frames that nobody should send ends those who sent them, and holds nothing of them", async () => {
  await withSeed(async (random) => {
    await using hub = await TestHub.open();
    const [machineKey, deviceKey] = [await crypto.newSigningKey(), await crypto.newSigningKey()];
    const machine = await hub.enter("machine", machineKey);
    await machine.talk.answer({ kind: "admit", request: 1, loginKey: deviceKey.publicKey });
    const spoilt = new Spoilt(random);
    const otherKey = await crypto.newSigningKey();
    const guest = async () => {
      const address = `192.0.2.${random.between(2, 250)}`;
      return hub.enter("guest", await crypto.newSigningKey(), { address });
    };
    const enter: (() => Speaker | Promise<Speaker>)[] = [
      () => hub.connect(),
      guest,
      () => hub.enter("device", deviceKey),
      () => hub.enter("machine", otherKey),
    ];
    let heard = 0;
    for (; heard < 20_000; ) heard += await talksOn(await random.pick(enter)(), { spoilt, random });
    machine.talk.send({ kind: "ping", token: 4 });
    assert.equal((await machine.talk.next("pong")).token, 4);
    const { connections, channels } = hub.hub.facts();
    assert.deepEqual([connections.machines, connections.devices, connections.guests, channels], [1, 0, 0, 0]);
    assert.deepEqual(
      hub.lines.filter((line) => line.startsWith("broken")),
      [],
    );
  });
});

interface Speaker {
  talk: HubTalk;
  wire: TestWire;
}

/** What any member may say, so that what comes behind it is heard as well. */
const SOUND: readonly Frame[] = [
  { kind: "ping", token: 1 },
  { kind: "data", channel: 7, bytes: new Uint8Array(9) },
  { kind: "credit", channel: 1, bytes: 2 ** 32 - 1 },
  { kind: "close", channel: 9, reason: "done" },
];

/** Until the hub has had enough, or it has said much. How many frames that were. */
async function talksOn(
  { talk, wire }: Speaker,
  { spoilt, random }: { spoilt: Spoilt; random: Random },
): Promise<number> {
  let count = 0;
  while (!wire.isClosed && count < 60) {
    count += 1;
    const isSound = random.next() < 0.8;
    talk.sendBytes(isSound ? encodeFrame(random.pick(SOUND)) : random.oneIn(200) ? TOO_LONG : spoilt.next());
    if (random.oneIn(4)) await new Promise((resolve) => setImmediate(resolve));
  }
  if (wire.isClosed) assert.match(await talk.refusal(), /^(FRAME_(INVALID|FORBIDDEN)|LOGIN_REFUSED|KEY_NOT_KNOWN)$/);
  else wire.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  return count;
}

const TOO_LONG = new Uint8Array(FRAME_BYTES_MAX + 1);

test("parsers: a machine and a device whose hub says anything in the place of frames go on when it stops, and have done all once", async () => {
  await withSeed(async (random) => {
    const steered = await Steered.open();
    await using world = steered.world;
    const honest = world.network.meddle;
    const spoilt = new Spoilt(random);
    let count = 0;
    world.network.meddle = (bytes, about) => {
      if (!random.oneIn(4)) return honest(bytes, about);
      count += 1;
      return random.oneIn(2) ? [spoilt.of(bytes)] : [spoilt.next(), ...honest(bytes, about)];
    };
    for (let number = 0; number < 10; number++) {
      await steered.ask(number % 2);
      await steered.pass(20_000);
    }
    for (let more = 0; count <= 50 && more < 20; more++) await steered.pass(20_000); // few came by chance
    assert.ok(count > 50, `${count}`);
    world.network.meddle = honest;
    await steered.comeTrue();
  });
});
