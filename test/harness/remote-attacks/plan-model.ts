import { isEqual, toHex, utf8 } from "../../../src/sealing/bytes.ts";
import type { AeadKey, SealingCrypto, SigningKey } from "../../../src/sealing/crypto.ts";
import { webCrypto } from "../../../src/sealing/webcrypto.ts";

/**
 * A small model of the plan that was not built: one secret for everything, a login by a challenge that the client picks, messages without counters or context, ids
 * without their server. Only what decides the attacks is in it.
 */
export const crypto: SealingCrypto = webCrypto();

export interface PlanLogin {
  publicKey: Uint8Array;
  challenge: Uint8Array;
  signature: Uint8Array;
}

export interface PlanMessage {
  session: string;
  sealed: Uint8Array;
}

export class PlanServer {
  readonly name: string;
  readonly #tokens = new Map<string, string>();
  readonly messages: PlanMessage[] = [];
  readonly #pairings = new Map<string, Uint8Array>();
  supportsV2 = true;

  constructor(name: string) {
    this.name = name;
  }

  /** Whoever shows a signature by the key over any challenge gets a token that is good for ever. */
  async auth({ publicKey, challenge, signature }: PlanLogin): Promise<string | undefined> {
    if (!(await crypto.verify(publicKey, challenge, signature))) return undefined;
    const token = toHex(crypto.random(16));
    this.#tokens.set(token, toHex(publicKey));
    return token;
  }

  fetch(token: string | undefined): PlanMessage[] | undefined {
    return token !== undefined && this.#tokens.has(token) ? [...this.messages] : undefined;
  }

  /** The first answer counts; it is given to everybody who asks by the key of the code, again and again. */
  answerPairing(codeKey: Uint8Array, answer: Uint8Array): void {
    const name = toHex(codeKey);
    if (!this.#pairings.has(name)) this.#pairings.set(name, answer);
  }

  pollPairing(codeKey: Uint8Array): Uint8Array | undefined {
    return this.#pairings.get(toHex(codeKey));
  }
}

/** Phone and machine have the same secret, and so the same keys. */
export class PlanClient {
  readonly secret: Uint8Array;
  readonly #signing: SigningKey;
  readonly #sealing: AeadKey;
  /** Where a session is: whoever has named it last. */
  readonly serverOf = new Map<string, PlanServer>();
  readonly shown: string[] = [];
  /** A machine: what it has done. */
  readonly done: string[] = [];

  static async make(secret: Uint8Array = crypto.random(32)): Promise<PlanClient> {
    return new PlanClient(secret, await crypto.signingKeyOf(secret), await crypto.aeadKey(secret));
  }

  private constructor(secret: Uint8Array, signing: SigningKey, sealing: AeadKey) {
    this.secret = secret;
    this.#signing = signing;
    this.#sealing = sealing;
  }

  async login(challenge: Uint8Array = crypto.random(32)): Promise<PlanLogin> {
    return { publicKey: this.#signing.publicKey, challenge, signature: await crypto.sign(this.#signing, challenge) };
  }

  async seal(text: string): Promise<Uint8Array> {
    const nonce = crypto.random(12);
    const sealed = await crypto.seal(this.#sealing, utf8(text), { nonce, aad: new Uint8Array(0) });
    return Buffer.concat([nonce, sealed]);
  }

  /** What does not open is null, and nobody minds. */
  async open(bytes: Uint8Array): Promise<string | null> {
    try {
      const nonce = bytes.slice(0, 12);
      const text = await crypto.open(this.#sealing, bytes.slice(12), { nonce, aad: new Uint8Array(0) });
      return new TextDecoder().decode(text);
    } catch {
      return null;
    }
  }

  async show(messages: readonly PlanMessage[]): Promise<void> {
    for (const { session, sealed } of messages) this.shown.push(`${session}: ${await this.open(sealed)}`);
  }

  /** The machine carries out a method, whose name is not sealed, with whatever parameters there are. */
  async call(method: string, params: Uint8Array): Promise<void> {
    this.done.push(`${method} ${await this.open(params)}`);
  }

  told(server: PlanServer, session: string): void {
    this.serverOf.set(session, server);
  }

  /** Scans a code of a terminal; the server says whether the other end takes the weaker answer. */
  pairTerminal(server: PlanServer, codeKey: Uint8Array): void {
    const answer = server.supportsV2 ? crypto.random(32) : this.secret;
    server.answerPairing(codeKey, answer);
  }
}

export const isSame = (a: Uint8Array | undefined, b: Uint8Array): boolean => a !== undefined && isEqual(a, b);
