import assert from "node:assert/strict";
import { test } from "node:test";
import { Channel } from "../contact/channel.ts";
import { silentLog } from "../platform/log.ts";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { livePrologue } from "../sealing/live.ts";
import { Handshake } from "../sealing/noise/handshake.ts";
import type { Scope } from "../sealing/scopes.ts";
import { webCrypto } from "../sealing/webcrypto.ts";
import { REMOTE_LIMITS } from "./limits.ts";
import { LiveSession } from "./live-session.ts";
import type { RosterDevice } from "./roster.ts";

const crypto = webCrypto();
const withScopes = (...scopes: Scope[]): RosterDevice => ({
  name: "phone",
  platform: "test",
  signing_key: "3".repeat(64),
  fingerprint: "b".repeat(32),
  exchange_key: "4".repeat(64),
  logins: {},
  scopes,
  added_at: "2026-11-01T00:00:00.000Z",
});

test("live session: scopes that are taken away during the handshake are not the session's", async () => {
  const [machine, phone] = [await crypto.newExchangeKey(), await crypto.newExchangeKey()];
  const [hub, space, loginKey] = [crypto.random(16), crypto.random(32), crypto.random(32)];
  const channel = new Channel({ number: 1, loginKey, send() {}, onGone() {}, held: { total: 0 } });
  const looks = [withScopes("view", "type", "admin"), withScopes("view")];
  const opened = Promise.withResolvers<LiveSession>();
  new LiveSession({
    channel,
    hub,
    space,
    own: machine,
    crypto,
    clock: new HandClock(),
    log: silentLog,
    limits: REMOTE_LIMITS,
    connect: () => assert.fail("no stream is opened"),
    deviceOf: () => looks.shift(),
    headsDigest: async () => new Uint8Array(32),
    onOpen: opened.resolve,
    onClosed: () => opened.reject(new Error("it was refused")),
  });
  const prologue = livePrologue({ hub, space, loginKey });
  const theirs = machine.publicKey;
  const handshake = await Handshake.start(crypto, { pattern: "IK", isInitiator: true, prologue, own: phone, theirs });
  channel.hear(await handshake.write(new Uint8Array(0)));
  assert.deepEqual((await opened.promise).device?.scopes, ["view"]);
  channel.close();
});
