import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { INTRODUCTION, type Rendezvous } from "../sealing/pairing.ts";
import { counting } from "../sealing/testing/fixed.ts";
import { handshakePair, PROLOGUE, PSK, sidesOf } from "../sealing/testing/noise-pair.ts";
import { webCrypto } from "../sealing/webcrypto.ts";
import type { Channel, ChannelEvents } from "./channel.ts";
import { PairingGuest } from "./pairing-guest.ts";

const crypto = webCrypto();
const NOTHING = new Uint8Array(0);
const LOGIN_KEY = counting(32);

/** A guest who has the code, and the one who waits for guests. */
async function met() {
  const sides = await sidesOf(crypto, "XKpsk3");
  const { initiator: device } = await handshakePair(crypto, sides);
  const rendezvous = { psk: PSK, prologue: PROLOGUE } as unknown as Rendezvous;
  const said: string[] = [];
  const left = Promise.withResolvers<void>();
  const sent: Uint8Array[] = [];
  const answered = Promise.withResolvers<void>();
  let events: ChannelEvents | undefined;
  const channel = {
    loginKey: LOGIN_KEY,
    isClosed: false,
    listen: (given: ChannelEvents) => {
      events = given;
    },
    send: (bytes: Uint8Array) => {
      sent.push(bytes);
      answered.resolve();
    },
    take: () => {},
    close: (reason: string) => void said.push(`closed ${reason}`),
  };
  new PairingGuest({
    channel: channel as unknown as Channel,
    rendezvous,
    pairingKey: sides.responder,
    crypto,
    clock: new HandClock(),
    handshakeMs: 10_000,
    prove: async () => {
      said.push("asked for a proof");
      return undefined;
    },
    events: {
      onCompleted: () => void said.push("completed"),
      onProven: () => void said.push("proven"),
      onFailed: () => void said.push("failed"),
      onLeft: () => left.resolve(),
    },
  });
  events!.onData(await device.write(NOTHING));
  await answered.promise;
  await device.read(sent[0]!);
  const hears = (bytes: Uint8Array): void => events!.onData(bytes);
  /** Resolves when all that it has said was heard. */
  const leaves = (): Promise<void> => {
    events!.onClosed("done");
    return left.promise;
  };
  return { device, said, hears, leaves };
}

const introducing = (loginKey: Uint8Array): Uint8Array =>
  INTRODUCTION.encode({ signingKey: counting(32, 3), loginKey, name: "Pixel", platform: "Android" });

/** Its last message, and its proof in the same piece, as an honest device sends them. */
async function introduced(introduction: Uint8Array): Promise<string[]> {
  const { device, said, hears, leaves } = await met();
  const last = await device.write(introduction);
  const proof = await (await device.transport()).seal(counting(64));
  hears(last);
  hears(proof);
  await leaves();
  return said;
}

test("guest: what comes behind an introduction that is not its own is not looked at", async () => {
  for (const introduction of [introducing(counting(32, 99)), NOTHING])
    assert.deepEqual(await introduced(introduction), ["completed", "failed"]);
});

test("guest: with its own it is asked for a proof", async () => {
  assert.deepEqual(await introduced(introducing(LOGIN_KEY)), ["completed", "asked for a proof", "proven"]);
});
