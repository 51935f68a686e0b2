import assert from "node:assert/strict";
import type { SealingCrypto, SigningKey } from "../../sealing/crypto.ts";
import { decodeFrame, encodeFrame, type Frame, type FrameKind, type FrameOf } from "../../sealing/frames.ts";
import { isWelcomeSigned, makeLogin, type Role } from "../../sealing/login.ts";
import { RECORD_KINDS, type RecordKindName, sealRecord } from "../../sealing/record.ts";

/** The other end of a hub's connection, for tests and benches: frame by frame, with nothing hidden. */
const DEADLINE_MS = 20_000;

export class HubTalk {
  readonly #send: (bytes: Uint8Array) => void;
  readonly #frames: Frame[] = [];
  readonly #waiting: { kinds: readonly FrameKind[]; resolve: (frame: Frame) => void }[] = [];
  readonly closed: Promise<void>;
  #onClosed!: () => void;
  isClosed = false;
  /** Answers the hub's pings; false: a client that hangs. */
  isAnswering = true;

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
  }

  hear(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    if (frame.kind === "ping") {
      if (this.isAnswering) this.send({ kind: "pong", token: frame.token });
      return;
    }
    const at = this.#waiting.findIndex(({ kinds }) => kinds.includes(frame.kind));
    if (at === -1) this.#frames.push(frame);
    else this.#waiting.splice(at, 1)[0]!.resolve(frame);
  }

  end(): void {
    this.isClosed = true;
    this.#onClosed();
  }

  send(frame: Frame): void {
    this.#send(encodeFrame(frame));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#send(bytes);
  }

  /** The next frame of these kinds; others stay. */
  next<Kind extends FrameKind>(...kinds: Kind[]): Promise<FrameOf<Kind>> {
    const at = this.#frames.findIndex(({ kind }) => (kinds as FrameKind[]).includes(kind));
    if (at !== -1) return Promise.resolve(this.#frames.splice(at, 1)[0] as unknown as FrameOf<Kind>);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no ${kinds.join(" or ")} came; there are ${this.#frames.map(({ kind }) => kind)}`)),
        DEADLINE_MS,
      );
      this.#waiting.push({
        kinds,
        resolve: (frame) => {
          clearTimeout(timer);
          resolve(frame as unknown as FrameOf<Kind>);
        },
      });
    });
  }

  /** What has come and was not asked for. */
  has(kind: FrameKind): boolean {
    return this.#frames.some((frame) => frame.kind === kind);
  }

  /** The answer to a request. */
  async answer(frame: Frame & { request: number }): Promise<"done" | FrameOf<"failed">> {
    this.send(frame);
    const answer = (await this.next("done", "failed")) as FrameOf<"done"> | FrameOf<"failed">;
    assert.equal(answer.request, frame.request);
    return answer.kind === "done" ? "done" : answer;
  }

  async refusal(): Promise<string> {
    const { code, sentence, fix } = await this.next("refused");
    assert.ok(sentence.endsWith(".") && fix.length > 0, `${code}: ${sentence} / ${fix}`);
    return code;
  }
}

export interface Login {
  crypto: SealingCrypto;
  hubKey: Uint8Array;
  key: SigningKey;
  role: Role;
  cursor?: number;
  isNew?: boolean;
  invitation?: Uint8Array;
}

/** Logs in, and checks that the hub is the one. Answers what was missed, or the refusal's code. */
export async function logIn(
  talk: HubTalk,
  { crypto, hubKey, cursor = 0, ...wanted }: Login,
): Promise<{ head: number; floor: number } | "nothing missed" | { refused: string }> {
  const { nonce: hubNonce } = await talk.next("hello");
  const { login, facts } = await makeLogin(crypto, { hubKey, hubNonce, cursor, ...wanted });
  talk.send({ kind: "login", ...login });
  const answer = (await talk.next("welcome", "refused")) as FrameOf<"welcome"> | FrameOf<"refused">;
  if (answer.kind === "refused") return { refused: answer.code };
  assert.ok(await isWelcomeSigned(crypto, { welcome: answer, facts, cursor }), "the welcome is by the hub");
  return answer.missed ?? "nothing missed";
}

export interface TestRecord {
  kind: RecordKindName;
  space: Uint8Array;
  sender: Uint8Array;
  seq: number;
  stream?: number;
  period?: number;
  text?: string | Uint8Array;
}

/** A whole record, under some period key: the hub cannot look into it anyway. */
export async function testRecord(
  crypto: SealingCrypto,
  { kind, space, sender, seq, stream = 1, period = 1, text = "" }: TestRecord,
): Promise<Uint8Array> {
  const { bytes } = await sealRecord(crypto, {
    head: {
      kind: RECORD_KINDS[kind],
      space,
      sender,
      seq,
      stream: new Uint8Array(8).fill(stream),
      period,
      prev: new Uint8Array(32),
      atMs: 1,
    },
    text: typeof text === "string" ? new TextEncoder().encode(text) : text,
    keys: { hub: new Uint8Array(16), periodKey: new Uint8Array(32).fill(7) },
    signer: await crypto.newSigningKey(),
  });
  return bytes;
}
