import { NO_LINK, nextIn } from "../chain.ts";
import type { SealingCrypto } from "../crypto.ts";
import { checkOf } from "../fingerprint.ts";
import { decodeFrame, encodeFrame, type Frame } from "../frames.ts";
import { encodeHeads } from "../heads.ts";
import { decodeLive, encodeLive, type LiveFrame } from "../live.ts";
import { makeLogin, makeWelcome } from "../login.ts";
import { encodeMembers } from "../members.ts";
import { Handshake } from "../noise/handshake.ts";
import { makeOffer, makeProof, rendezvousOf } from "../pairing.ts";
import { encodePairingCode } from "../pairing-code.ts";
import { namesKey, sealPeriod, streamId } from "../period.ts";
import { RECORD_KINDS, recordHash, sealRecord } from "../record.ts";
import { requestHash, shownHash } from "../request.ts";
import { webCrypto } from "../webcrypto.ts";
import { counting, hexOf, withEphemerals } from "./fixed.ts";

/** Every byte format, of fixed keys: the same bytes wherever they are made. Runs in a browser as well. */
export async function makeVectors(): Promise<Record<string, unknown>> {
  const made: Record<string, unknown> = {};
  for (const [name, make] of Object.entries(all)) made[name] = await make();
  return made;
}

const real = webCrypto();
const crypto: SealingCrypto = { ...real, random: (length) => counting(length, 77) };
const [hub, machine, device, signing] = await Promise.all(
  [1, 2, 3, 4].map((first) => crypto.signingKeyOf(counting(32, first))),
);

const all: Record<string, () => Promise<unknown>> = {
  async frames() {
    const frames: Frame[] = [
      { kind: "hello", nonce: counting(16) },
      {
        kind: "login",
        role: "device",
        key: counting(16),
        nonce: counting(16, 1),
        signature: counting(64),
        cursor: 258,
      },
      {
        kind: "login",
        role: "machine",
        key: counting(32),
        nonce: counting(16, 1),
        signature: counting(64),
        cursor: 0,
        invitation: counting(16, 9),
      },
      { kind: "welcome", signature: counting(64) },
      { kind: "welcome", signature: counting(64), missed: { head: 9, floor: 4 } },
      { kind: "refused", code: "SPACE_FULL", sentence: "It is full.", fix: "" },
      { kind: "done", request: 7 },
      { kind: "failed", request: 7, code: "SPACE_FULL", sentence: "It is full.", fix: "wait" },
      { kind: "ping", token: 1 },
      { kind: "pong", token: 1 },
      { kind: "admit", request: 8, loginKey: counting(32) },
      { kind: "expel", request: 9, loginKey: counting(32) },
      { kind: "presence", space: counting(32), isPresent: true },
      { kind: "open", channel: 1, space: counting(32) },
      { kind: "opened", channel: 2, loginKey: counting(32) },
      { kind: "data", channel: 1, bytes: counting(5) },
      { kind: "close", channel: 1, reason: "too_slow" },
      { kind: "credit", channel: 1, bytes: 65_536 },
      { kind: "put", request: 10, record: counting(3) },
      { kind: "record", place: 2 ** 40, record: counting(3) },
      { kind: "took", place: 2 ** 40 },
      { kind: "rendezvous", request: 11, id: counting(16), expires: 1_800_000_000 },
      { kind: "meet", channel: 3, id: counting(16) },
      { kind: "met", channel: 4, id: counting(16), loginKey: counting(32) },
    ];
    return frames.map((frame) => `${decodeFrame(encodeFrame(frame)).kind} ${hexOf(encodeFrame(frame))}`);
  },
  async session() {
    const frames: LiveFrame[] = [
      { kind: "open", stream: 1, target: "primary" },
      { kind: "data", stream: 1, bytes: counting(4) },
      { kind: "close", stream: 1, code: "NO_UNIT", sentence: "There is none." },
      { kind: "credit", stream: 1, bytes: 9 },
      { kind: "ping", token: 5 },
      { kind: "pong", token: 5 },
    ];
    return frames.map((frame) => `${decodeLive(encodeLive(frame)).kind} ${hexOf(encodeLive(frame))}`);
  },
  async login() {
    const wanted = {
      hubKey: hub!.publicKey,
      hubNonce: counting(16),
      key: machine!,
      role: "machine" as const,
      cursor: 4,
    };
    const { login, facts } = await makeLogin(crypto, { ...wanted, invitation: counting(16, 5) });
    const welcomes = [4, 6].map((head) => makeWelcome(crypto, { hubKey: hub!, facts, cursor: 4, head, floor: 2 }));
    const [short, long] = await Promise.all(welcomes);
    return [login, short!, long!].map((one) => hexOf(one.signature)).concat(hexOf(login.invitation!));
  },
  async record() {
    const keys = { hub: counting(16), periodKey: counting(32, 40) };
    const names = await namesKey(crypto, keys.periodKey);
    const head = {
      kind: RECORD_KINDS.item,
      space: machine!.publicKey,
      stream: await streamId(crypto, names, "unit/blazing"),
      sender: device!.publicKey,
      period: 3,
      ...nextIn(NO_LINK),
      atMs: 1_800_000_000_123,
    };
    const record = await sealRecord(crypto, { head, text: counting(70), keys, signer: signing! });
    return [hexOf(record.bytes), hexOf(await recordHash(crypto, record))];
  },
  async period() {
    const reader = await crypto.exchangeKeyOf(counting(32, 60));
    const context = { hub: counting(16), space: machine!.publicKey, period: 3 };
    const readers = [{ loginKey: device!.publicKey, exchangeKey: reader.publicKey }];
    const fixed = withEphemerals(crypto, counting(32, 61));
    return hexOf(await sealPeriod(fixed, { context, key: counting(32, 40), readers }));
  },
  async members() {
    const phone = { loginKey: device!.publicKey, signingKey: signing!.publicKey, scopes: ["view", "approve"] as const };
    const away = { loginKey: counting(32), signingKey: counting(32, 9), scopes: ["view"] as const };
    return hexOf(
      encodeMembers([
        { ...phone, name: "Pixel 9 ü", platform: "android" },
        { ...away, name: "", platform: "" },
      ]),
    );
  },
  async heads() {
    const heads = [2, 1].map((stream) => ({ stream: counting(8, stream), seq: stream, hash: counting(32, stream) }));
    return (await encodeHeads(crypto, heads)).map(hexOf);
  },
  async pairing() {
    const pairingKey = await crypto.exchangeKeyOf(counting(32, 70));
    const code = {
      hub: counting(16),
      pairingKey: pairingKey.publicKey,
      secret: counting(16, 8),
      expires: 1_800_000_000,
      scopes: ["view", "approve"] as const,
    };
    const { id, psk, prologue } = await rendezvousOf(crypto, code);
    const offer = {
      signingKey: signing!.publicKey,
      exchangeKey: counting(32),
      space: machine!.publicKey,
      name: "laptop",
      words: "anna@laptop",
      scopes: code.scopes,
    };
    return {
      texts: encodePairingCode({ ...code, address: "https://home.example" }),
      rendezvous: [id, psk, prologue].map(hexOf),
      proof: hexOf(await makeProof(crypto, signing!, counting(32))),
      offer: hexOf(await makeOffer(crypto, { offer, key: signing!, handshakeHash: counting(32) })),
      check: await checkOf(crypto, counting(32)),
    };
  },
  async noise() {
    const said: Record<string, string[]> = {};
    for (const pattern of ["IK", "XKpsk3"] as const) {
      const [own, theirs] = [
        await crypto.exchangeKeyOf(counting(32, 80)),
        await crypto.exchangeKeyOf(counting(32, 81)),
      ];
      const common = { pattern, prologue: counting(10), ...(pattern === "XKpsk3" ? { psk: counting(32, 84) } : {}) };
      const initiator = await Handshake.start(withEphemerals(crypto, counting(32, 82)), {
        ...common,
        isInitiator: true,
        own,
        theirs: theirs.publicKey,
      });
      const responder = await Handshake.start(withEphemerals(crypto, counting(32, 83)), {
        ...common,
        isInitiator: false,
        own: theirs,
      });
      const messages: string[] = [];
      for (let index = 0; !initiator.isOver; index++) {
        const [from, to] = index % 2 === 0 ? [initiator, responder] : [responder, initiator];
        const message = await from.write(counting(index));
        await to.read(message);
        messages.push(hexOf(message));
      }
      const [a, b] = [await initiator.transport(), await responder.transport()];
      said[pattern] = [
        ...messages,
        hexOf(a.handshakeHash),
        hexOf(await a.seal(counting(3))),
        hexOf(await b.seal(counting(3))),
      ];
    }
    return said;
  },
  async requests() {
    return [
      await requestHash(crypto, counting(5)),
      await shownHash(crypto, { tool: "bash", input: { b: 1, a: ["ü"] }, directory: "/home/a" }),
    ];
  },
};
