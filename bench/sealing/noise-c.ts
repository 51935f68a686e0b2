import { createRequire } from "node:module";
import { Handshake } from "../../src/sealing/noise/handshake.ts";
import { webCrypto } from "../../src/sealing/webcrypto.ts";

/**
 * Our Noise_IK_25519_AESGCM_SHA256 against noise-c's, in both roles: every message of the one is read by the other, hashes agree, and messages
 * pass each way. By hand: `npm ci` here, then `node noise-c.ts`. noise-c has no psk modifiers, so XKpsk3 is checked by test/python alone.
 */

const NAME = "Noise_IK_25519_AESGCM_SHA256";
const ROUNDS = 200;

interface NoiseC {
  constants: { NOISE_ROLE_INITIATOR: number; NOISE_ROLE_RESPONDER: number };
  HandshakeState: new (name: string, role: number) => NoiseCHandshake;
}
interface NoiseCHandshake {
  Initialize(prologue: Uint8Array, s: Uint8Array, rs: Uint8Array | null, psk: null): void;
  WriteMessage(payload: Uint8Array): Uint8Array;
  ReadMessage(message: Uint8Array, isPayloadWanted: true): Uint8Array;
  GetHandshakeHash(): Uint8Array;
  Split(): [NoiseCCipher, NoiseCCipher];
}
interface NoiseCCipher {
  EncryptWithAd(aad: Uint8Array, text: Uint8Array): Uint8Array;
  DecryptWithAd(aad: Uint8Array, text: Uint8Array): Uint8Array;
}

const load = createRequire(import.meta.url)("noise-c.wasm") as (ready: (library: NoiseC) => void) => void;
const library = await new Promise<NoiseC>((ready) => load(ready));
const crypto = webCrypto();
const nothing = new Uint8Array(0);

for (let round = 0; round < ROUNDS; round++) {
  const isInitiator = round % 2 === 0;
  const secret = crypto.random(32);
  const [own, peer] = [await crypto.newExchangeKey(), await crypto.exchangeKeyOf(secret)];
  const prologue = crypto.random(round);
  const ours = await Handshake.start(crypto, {
    pattern: "IK",
    isInitiator,
    prologue,
    own,
    ...(isInitiator ? { theirs: peer.publicKey } : {}),
  });
  const { NOISE_ROLE_INITIATOR, NOISE_ROLE_RESPONDER } = library.constants;
  const theirs = new library.HandshakeState(NAME, isInitiator ? NOISE_ROLE_RESPONDER : NOISE_ROLE_INITIATOR);
  theirs.Initialize(prologue, secret, isInitiator ? null : own.publicKey, null);
  for (let index = 0; index < 2; index++) {
    const payload = crypto.random((round * 7) % 300);
    if ((index === 0) === isInitiator) same(theirs.ReadMessage(await ours.write(payload), true), payload);
    else same(await ours.read(theirs.WriteMessage(payload)), payload);
  }
  const hash = theirs.GetHandshakeHash();
  const transport = await ours.transport();
  same(transport.handshakeHash, hash);
  const [sending, receiving] = theirs.Split();
  for (let index = 0; index < 20; index++) {
    const text = crypto.random(index * 40);
    same(receiving.DecryptWithAd(nothing, await transport.seal(text)), text);
    same(await transport.open(sending.EncryptWithAd(nothing, text)), text);
  }
}
console.log(`${NAME}: ${ROUNDS} handshakes and ${ROUNDS * 40} messages agree with noise-c`);

function same(a: Uint8Array, b: Uint8Array): void {
  if (Buffer.compare(a, b) !== 0)
    throw new Error(`${Buffer.from(a).toString("hex")} is not ${Buffer.from(b).toString("hex")}`);
}
