import assert from "node:assert/strict";
import { Client, type Wire, type WireEvents } from "../../src/client/client.ts";
import { HubTalk, logIn } from "../../src/hub/testing/hub-talk.ts";
import { LineSplitter } from "../../src/protocol/lines.ts";
import { concat, utf8 } from "../../src/sealing/bytes.ts";
import type { ExchangeKey, SigningKey } from "../../src/sealing/crypto.ts";
import { checkOf } from "../../src/sealing/fingerprint.ts";
import { decodeFrame, type FrameOf } from "../../src/sealing/frames.ts";
import { decodeLive, encodeLive, isSessionRefused, type LiveFrame, livePrologue } from "../../src/sealing/live.ts";
import { fingerprintOf } from "../../src/sealing/login.ts";
import { Handshake } from "../../src/sealing/noise/handshake.ts";
import type { Transport } from "../../src/sealing/noise/transport.ts";
import { INTRODUCTION, makeProof, type Offer, openOffer, rendezvousOf, VERDICT } from "../../src/sealing/pairing.ts";
import { decodePairingCode, type PairingCode } from "../../src/sealing/pairing-code.ts";
import { webCrypto } from "../../src/sealing/webcrypto.ts";
import { hubSocket } from "./hub-socket.ts";

/** The least that is a device: its keys, the guest's half of a pairing, one session at a time with its streams. For tests of the machine's side. */
const crypto = webCrypto();
const NOTHING = new Uint8Array(0);
const CHANNEL = 1;

type ChannelFrame = FrameOf<"data"> | FrameOf<"close">;

/** What comes on its channel waits for as long as it takes. */
class DeviceTalk extends HubTalk {
  readonly #frames: ChannelFrame[] = [];
  #wake: (() => void) | undefined;
  readonly hangUp: () => void;

  constructor(socket: WebSocket, send: (bytes: Uint8Array) => void) {
    super(send);
    this.hangUp = () => socket.close();
  }

  override hear(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    if (frame.kind !== "data" && frame.kind !== "close") return super.hear(bytes);
    this.#frames.push(frame);
    this.#wake?.();
  }

  override end(): void {
    super.end();
    this.#wake?.();
  }

  /** Undefined when the connection has ended. */
  async ofChannel(): Promise<ChannelFrame | undefined> {
    while (this.#frames.length === 0 && !this.isClosed)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.#frames.shift();
  }
}

export interface Joining {
  check: string;
  offer: Offer;
  /** Whether the machine's person has said yes. Rejects when the channel ends before that. */
  verdict: Promise<boolean>;
  /** The device goes away. */
  leave(): void;
}

export class TestDevice {
  readonly name: string;
  readonly signing: SigningKey;
  readonly exchange: ExchangeKey;
  readonly login: SigningKey;
  readonly #sockets = new Set<WebSocket>();
  hubKey: Uint8Array = NOTHING;
  address = "";
  offer: Offer | undefined;

  static async make(name: string): Promise<TestDevice> {
    return new TestDevice(
      name,
      await crypto.newSigningKey(),
      await crypto.newExchangeKey(),
      await crypto.newSigningKey(),
    );
  }

  private constructor(name: string, signing: SigningKey, exchange: ExchangeKey, login: SigningKey) {
    this.name = name;
    this.signing = signing;
    this.exchange = exchange;
    this.login = login;
  }

  /** Everything up to the person's yes. @throws the reason of the channel's end */
  async join(text: string, change: (code: PairingCode) => PairingCode = (code) => code): Promise<Joining> {
    const code = change(decodePairingCode(text, { nowSeconds: Date.now() / 1_000, isLocal: true }));
    this.address = code.address;
    const { key } = (await (await fetch(`${code.address}/hub/v1/key`)).json()) as { key: string };
    this.hubKey = Buffer.from(key, "hex");
    const { id, psk, prologue } = await rendezvousOf(crypto, code);
    const talk = await this.#enter("guest");
    talk.send({ kind: "meet", channel: CHANNEL, id });
    const channel = dataOf(talk);
    const handshake = await Handshake.start(crypto, {
      pattern: "XKpsk3",
      isInitiator: true,
      prologue,
      own: this.exchange,
      theirs: code.pairingKey,
      psk,
    });
    channel.send(await handshake.write(NOTHING));
    await handshake.read(await channel.next());
    const introduction = { name: this.name, platform: "test", signingKey: this.signing.publicKey };
    channel.send(await handshake.write(INTRODUCTION.encode({ ...introduction, loginKey: this.login.publicKey })));
    const transport = await handshake.transport();
    const { handshakeHash } = transport;
    channel.send(await transport.seal(await makeProof(crypto, this.signing, handshakeHash)));
    const offer = await openOffer(crypto, { text: await transport.open(await channel.next()), handshakeHash });
    assert.ok(offer, "the machine has signed its offer");
    this.offer = offer;
    const verdict = channel.next().then(async (bytes) => VERDICT.decode(await transport.open(bytes)).isJoined);
    verdict.catch(() => {});
    return {
      check: await checkOf(crypto, handshakeHash),
      offer,
      verdict,
      leave: () => talk.send({ kind: "close", channel: CHANNEL, reason: "done" }),
    };
  }

  /** A live session; undefined where the machine lets it not in. @throws the hub's refusal, or the channel's end; nothing stays open then */
  async attach({ asLogin = this.login }: { asLogin?: SigningKey } = {}): Promise<TestSession | undefined> {
    const talk = await this.#enter("device", asLogin);
    try {
      const transport = await this.#shakeHands(talk, asLogin);
      if (transport) return new TestSession(talk, transport);
    } catch (error) {
      talk.hangUp();
      throw error;
    }
    talk.hangUp();
    return undefined;
  }

  async #shakeHands(talk: DeviceTalk, { publicKey: loginKey }: SigningKey): Promise<Transport | undefined> {
    const { space, exchangeKey: theirs } = this.offer!;
    talk.send({ kind: "open", channel: CHANNEL, space });
    const prologue = livePrologue({ hub: await fingerprintOf(crypto, this.hubKey), space, loginKey });
    const handshake = await Handshake.start(crypto, {
      pattern: "IK",
      isInitiator: true,
      prologue,
      own: this.exchange,
      theirs,
    });
    const channel = dataOf(talk);
    channel.send(await handshake.write(NOTHING));
    const answer = await channel.next();
    if (isSessionRefused(answer)) return undefined;
    await handshake.read(answer);
    return handshake.transport();
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  async #enter(role: "guest" | "device", key = this.login): Promise<DeviceTalk> {
    const { talk, socket } = await hubSocket(this.address, (socket, send) => new DeviceTalk(socket, send));
    this.#sockets.add(socket);
    const missed = await logIn(talk, { crypto, hubKey: this.hubKey, key, role, isNew: true });
    if (typeof missed === "object" && "refused" in missed) throw new Error(missed.refused);
    return talk;
  }
}

/** The bytes of the one channel; its end rejects with its reason. */
function dataOf(talk: DeviceTalk) {
  return {
    send: (bytes: Uint8Array) => talk.send({ kind: "data", channel: CHANNEL, bytes }),
    async next(): Promise<Uint8Array> {
      const frame = await talk.ofChannel();
      if (frame?.kind !== "data") throw new Error(frame ? frame.reason : "connection lost");
      return frame.bytes.slice();
    },
  };
}

interface StreamEvents {
  onBytes(bytes: Uint8Array): void;
  onClosed(code: string): void;
}

export class TestSession {
  readonly #talk: DeviceTalk;
  readonly #transport: Transport;
  readonly #streams = new Map<number, StreamEvents>();
  #last: Promise<void> = Promise.resolve();
  #nextStream = 1;
  /** Why it ended. */
  readonly ended: Promise<string>;
  /** Gives credit for what comes. */
  isReading = true;
  receivedBytes = 0;
  readonly #pongs = new Map<number, () => void>();

  constructor(talk: DeviceTalk, transport: Transport) {
    this.#talk = talk;
    this.#transport = transport;
    this.ended = this.#read();
  }

  say(frame: LiveFrame): Promise<void> {
    this.#last = this.#last.then(async () => {
      const bytes = await this.#transport.seal(encodeLive(frame));
      this.#talk.send({ kind: "data", channel: CHANNEL, bytes });
    });
    return this.#last;
  }

  /** As bytes. */
  stream(target: string, events: StreamEvents): { stream: number; send(bytes: Uint8Array): Promise<void> } {
    const stream = this.#nextStream++;
    this.#streams.set(stream, events);
    void this.say({ kind: "open", stream, target });
    return { stream, send: (bytes) => this.say({ kind: "data", stream, bytes }) };
  }

  /** As lines, for the typed client. */
  wire(target: string, events: WireEvents): Wire {
    const splitter = new LineSplitter(Number.POSITIVE_INFINITY);
    const { stream, send } = this.stream(target, {
      onBytes: (bytes) => {
        for (const line of splitter.push(bytes)) events.onLine(line);
      },
      onClosed: () => events.onClose(),
    });
    return {
      send: (line) => void send(concat(utf8(line), utf8("\n"))),
      close: () => void this.say({ kind: "close", stream, code: "", sentence: "" }),
    };
  }

  client(target = "primary"): Client {
    return new Client({
      dial: async (events) => this.wire(target, events),
      name: "test-device",
      version: "0",
      randomId: () => globalThis.crypto.randomUUID(),
      redialCountMax: 1,
    });
  }

  async ping(): Promise<void> {
    const token = Math.floor(Math.random() * 1e9);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pongs.set(token, resolve);
    await this.say({ kind: "ping", token });
    await promise;
  }

  async #read(): Promise<string> {
    for (;;) {
      const frame = await this.#talk.ofChannel();
      if (frame?.kind !== "data") {
        for (const { onClosed } of this.#streams.values()) onClosed("session");
        return frame ? frame.reason : "connection lost";
      }
      const live = decodeLive(await this.#transport.open(frame.bytes));
      this.#talk.send({ kind: "credit", channel: CHANNEL, bytes: frame.bytes.length });
      if (live.kind === "pong") this.#pongs.get(live.token)?.();
      if (live.kind === "data") this.#onData(live);
      if (live.kind === "close") {
        this.#streams.get(live.stream)?.onClosed(live.code);
        this.#streams.delete(live.stream);
      }
    }
  }

  #onData({ stream, bytes }: Extract<LiveFrame, { kind: "data" }>): void {
    this.receivedBytes += bytes.length;
    this.#streams.get(stream)?.onBytes(bytes.slice());
    if (this.isReading) void this.say({ kind: "credit", stream, bytes: bytes.length });
  }
}
