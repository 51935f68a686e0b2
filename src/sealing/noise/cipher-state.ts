import type { AeadKey, SealingCrypto } from "../crypto.ts";
import { sealBroken } from "../errors.ts";
import { noiseDead, nonceSpent } from "./errors.ts";

/**
 * CipherState (Noise revision 34, §5.1): a key and a counter that is the nonce. Once anything fails it is dead: what came after a message that
 * did not open is never opened (§5.1, "the session is terminated").
 */
export class CipherState {
  readonly #crypto: SealingCrypto;
  readonly #key: AeadKey;
  #counter: number;
  #isDead = false;

  /** @param counter messages before the first, default 0 */
  constructor(crypto: SealingCrypto, key: AeadKey, counter = 0) {
    this.#crypto = crypto;
    this.#key = key;
    this.#counter = counter;
  }

  /** Messages sealed or opened so far. */
  get counter(): number {
    return this.#counter;
  }

  /** EncryptWithAd. Calls may overlap: each takes its nonce at once. @throws NONCE_SPENT, NOISE_DEAD */
  async seal(aad: Uint8Array, text: Uint8Array): Promise<Uint8Array> {
    return this.#crypto.seal(this.#key, text, { nonce: this.#nextNonce(), aad });
  }

  /** DecryptWithAd. @throws SEAL_BROKEN, and NOISE_DEAD ever after; NONCE_SPENT */
  async open(aad: Uint8Array, sealed: Uint8Array): Promise<Uint8Array> {
    const nonce = this.#nextNonce();
    try {
      return await this.#crypto.open(this.#key, sealed, { nonce, aad });
    } catch {
      this.#isDead = true;
      throw sealBroken("message");
    }
  }

  #nextNonce(): Uint8Array {
    if (this.#isDead) throw noiseDead();
    // Noise allows 2^64 - 2; numbers end before, and a session much earlier (see session-age.ts).
    if (this.#counter >= Number.MAX_SAFE_INTEGER) throw nonceSpent();
    return nonceOf(this.#counter++);
  }
}

/** 32 zero bits, then the counter, big-endian (§12.4, AESGCM). */
export function nonceOf(counter: number): Uint8Array {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setUint32(4, Math.floor(counter / 2 ** 32));
  view.setUint32(8, counter % 2 ** 32);
  return nonce;
}
