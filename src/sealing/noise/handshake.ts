import { concat } from "../bytes.ts";
import { type ExchangeKey, KEY_BYTES, type SealingCrypto, TAG_BYTES } from "../crypto.ts";
import { formInvalid } from "../errors.ts";
import { noiseDead, outOfTurn } from "./errors.ts";
import { SymmetricState } from "./symmetric-state.ts";
import { NOISE_MESSAGE_BYTES_MAX, Transport } from "./transport.ts";

/**
 * HandshakeState (Noise revision 34, §5.3) for the two patterns that there are here:
 *
 *     XKpsk3  ← s | → e es | ← e ee | → s se psk     pairing: the code names the machine's key, and the psk
 *     IK      ← s | → e es s ss | ← e ee se          live sessions: both know each other
 *
 * Messages alternate, the initiator's first. Any failure makes it dead: a handshake is never tried again with the same keys.
 */

type Token = "e" | "s" | "ee" | "es" | "se" | "ss" | "psk";

const PATTERNS = {
  XKpsk3: {
    name: "Noise_XKpsk3_25519_AESGCM_SHA256",
    messages: [
      ["e", "es"],
      ["e", "ee"],
      ["s", "se", "psk"],
    ],
  },
  IK: {
    name: "Noise_IK_25519_AESGCM_SHA256",
    messages: [
      ["e", "es", "s", "ss"],
      ["e", "ee", "se"],
    ],
  },
} as const satisfies Record<string, { name: string; messages: readonly (readonly Token[])[] }>;

export interface HandshakeOptions {
  pattern: keyof typeof PATTERNS;
  isInitiator: boolean;
  /** What both ends have to agree on before anything is said. */
  prologue: Uint8Array;
  /** The own static key. */
  own: ExchangeKey;
  /** The responder's static public key; the initiator has to know it. */
  theirs?: Uint8Array;
  /** 32 bytes, for XKpsk3. */
  psk?: Uint8Array;
}

export class Handshake {
  readonly #crypto: SealingCrypto;
  readonly #options: HandshakeOptions;
  readonly #symmetric: SymmetricState;
  #ephemeral: ExchangeKey | undefined;
  #theirEphemeral: Uint8Array | undefined;
  #theirStatic: Uint8Array | undefined;
  #done = 0;
  #state: "idle" | "busy" | "dead" = "idle";

  private constructor(crypto: SealingCrypto, options: HandshakeOptions, symmetric: SymmetricState) {
    this.#crypto = crypto;
    this.#options = options;
    this.#symmetric = symmetric;
    this.#theirStatic = options.theirs;
  }

  static async start(crypto: SealingCrypto, options: HandshakeOptions): Promise<Handshake> {
    const { pattern, isInitiator, prologue, own, theirs, psk } = options;
    if (isInitiator !== (theirs !== undefined)) throw formInvalid("handshake", "the initiator alone names a key");
    if ((pattern === "XKpsk3") !== (psk?.length === KEY_BYTES))
      throw formInvalid("handshake", "its psk is not 32 bytes");
    const symmetric = await SymmetricState.start(crypto, PATTERNS[pattern].name);
    await symmetric.mixHash(prologue);
    await symmetric.mixHash(theirs ?? own.publicKey);
    return new Handshake(crypto, options, symmetric);
  }

  /** The other end's static key, once a message has brought it; whoever it names has then shown that they hold it. */
  get theirStatic(): Uint8Array | undefined {
    return this.#theirStatic;
  }

  get isOver(): boolean {
    return this.#done === this.#messages.length;
  }

  /** The next message, which is ours. @throws NOISE_OUT_OF_TURN, NOISE_DEAD, KEY_REFUSED */
  write(payload: Uint8Array): Promise<Uint8Array> {
    return this.#step(true, async (tokens) => {
      const parts: Uint8Array[] = [];
      for (const token of tokens) parts.push(await this.#writeToken(token));
      parts.push(await this.#symmetric.encryptAndHash(payload));
      const message = concat(...parts);
      if (message.length > NOISE_MESSAGE_BYTES_MAX) throw formInvalid("handshake message", "it is too long");
      return message;
    });
  }

  /** The payload of their next message. @throws FORM_INVALID, SEAL_BROKEN, KEY_REFUSED, and NOISE_DEAD ever after. */
  read(message: Uint8Array): Promise<Uint8Array> {
    return this.#step(false, async (tokens) => {
      if (message.length > NOISE_MESSAGE_BYTES_MAX) throw formInvalid("handshake message", "it is too long");
      let rest = message;
      const take = (length: number): Uint8Array => {
        if (rest.length < length) throw formInvalid("handshake message", "it is cut");
        const taken = rest.slice(0, length);
        rest = rest.subarray(length);
        return taken;
      };
      for (const token of tokens) await this.#readToken(token, take);
      return await this.#symmetric.decryptAndHash(rest);
    });
  }

  /** What the handshake was for; once. @throws NOISE_OUT_OF_TURN */
  async transport(): Promise<Transport> {
    if (this.#state === "dead") throw noiseDead();
    if (!this.isOver) throw outOfTurn("its end");
    this.#state = "dead";
    const [initiators, responders] = await this.#symmetric.split();
    const { isInitiator } = this.#options;
    return new Transport({
      sending: isInitiator ? initiators : responders,
      receiving: isInitiator ? responders : initiators,
      handshakeHash: this.#symmetric.handshakeHash,
      theirStatic: this.#theirStatic!,
    });
  }

  get #messages(): readonly (readonly Token[])[] {
    return PATTERNS[this.#options.pattern].messages;
  }

  /** One message at a time, in turn; whatever fails ends it all. */
  async #step(isWrite: boolean, work: (tokens: readonly Token[]) => Promise<Uint8Array>): Promise<Uint8Array> {
    if (this.#state === "dead") throw noiseDead();
    const isOurs = this.#done % 2 === (this.#options.isInitiator ? 0 : 1);
    if (this.isOver || this.#state === "busy" || isWrite !== isOurs)
      throw outOfTurn(isWrite ? "our message" : "their message");
    this.#state = "busy";
    try {
      const result = await work(this.#messages[this.#done]!);
      this.#done++;
      this.#state = "idle";
      return result;
    } catch (error) {
      this.#state = "dead";
      throw error;
    }
  }

  async #writeToken(token: Token): Promise<Uint8Array> {
    const nothing = new Uint8Array(0);
    if (token === "e") {
      this.#ephemeral = await this.#crypto.newExchangeKey();
      await this.#mixEphemeral(this.#ephemeral.publicKey);
      return this.#ephemeral.publicKey;
    }
    if (token === "s") return this.#symmetric.encryptAndHash(this.#options.own.publicKey);
    await this.#mix(token);
    return nothing;
  }

  async #readToken(token: Token, take: (length: number) => Uint8Array): Promise<void> {
    if (token === "e") {
      this.#theirEphemeral = take(KEY_BYTES);
      await this.#mixEphemeral(this.#theirEphemeral);
    } else if (token === "s") {
      const sealed = take(KEY_BYTES + (this.#symmetric.hasKey ? TAG_BYTES : 0));
      this.#theirStatic = await this.#symmetric.decryptAndHash(sealed);
    } else await this.#mix(token);
  }

  /** With a psk, ephemerals go into the key as well (§9.2), so that it is never used without fresh randomness. */
  async #mixEphemeral(publicKey: Uint8Array): Promise<void> {
    await this.#symmetric.mixHash(publicKey);
    if (this.#options.pattern === "XKpsk3") await this.#symmetric.mixKey(publicKey);
  }

  async #mix(token: Exclude<Token, "e" | "s">): Promise<void> {
    if (token === "psk") return this.#symmetric.mixKeyAndHash(this.#options.psk!);
    // The first letter is the initiator's key, the second the responder's.
    const [mine, yours] = this.#options.isInitiator ? [token[0], token[1]] : [token[1], token[0]];
    const own = mine === "e" ? this.#ephemeral! : this.#options.own;
    const theirs = yours === "e" ? this.#theirEphemeral! : this.#theirStatic!;
    await this.#symmetric.mixKey(await this.#crypto.exchange(own, theirs));
  }
}
