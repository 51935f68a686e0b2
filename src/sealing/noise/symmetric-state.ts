import { concat, utf8 } from "../bytes.ts";
import type { SealingCrypto } from "../crypto.ts";
import { CipherState } from "./cipher-state.ts";

const NOTHING = new Uint8Array(0);
const HASH_BYTES = 32;

/** SymmetricState (Noise revision 34, §5.2): the chaining key, the hash of all that was said, and the cipher of the moment. */
export class SymmetricState {
  readonly #crypto: SealingCrypto;
  #chainingKey: Uint8Array;
  #hash: Uint8Array;
  #cipher: CipherState | undefined;

  /** @param hash the protocol name, as §5.2's InitializeSymmetric makes it 32 bytes */
  private constructor(crypto: SealingCrypto, hash: Uint8Array) {
    this.#crypto = crypto;
    this.#hash = hash;
    this.#chainingKey = hash;
  }

  static async start(crypto: SealingCrypto, protocolName: string): Promise<SymmetricState> {
    const name = utf8(protocolName);
    const hash = name.length > HASH_BYTES ? await crypto.sha256(name) : new Uint8Array(HASH_BYTES);
    if (name.length <= HASH_BYTES) hash.set(name);
    return new SymmetricState(crypto, hash);
  }

  /** What both ends agree on when the handshake is over (§11.2). */
  get handshakeHash(): Uint8Array {
    return this.#hash.slice();
  }

  get hasKey(): boolean {
    return this.#cipher !== undefined;
  }

  async mixHash(data: Uint8Array): Promise<void> {
    this.#hash = await this.#crypto.sha256(concat(this.#hash, data));
  }

  async mixKey(secret: Uint8Array): Promise<void> {
    const [chainingKey, key] = await this.#derive(secret, 2);
    await this.#become(chainingKey!, key!);
  }

  /** §9: for pre-shared keys. */
  async mixKeyAndHash(secret: Uint8Array): Promise<void> {
    const [chainingKey, hash, key] = await this.#derive(secret, 3);
    await this.mixHash(hash!);
    await this.#become(chainingKey!, key!);
  }

  async encryptAndHash(text: Uint8Array): Promise<Uint8Array> {
    const sealed = this.#cipher === undefined ? text : await this.#cipher.seal(this.#hash, text);
    await this.mixHash(sealed);
    return sealed;
  }

  async decryptAndHash(sealed: Uint8Array): Promise<Uint8Array> {
    const text = this.#cipher === undefined ? sealed : await this.#cipher.open(this.#hash, sealed);
    await this.mixHash(sealed);
    return text;
  }

  /** The ciphers of the initiator's messages, and of the responder's. */
  async split(): Promise<[CipherState, CipherState]> {
    const [first, second] = await this.#derive(NOTHING, 2);
    return [await this.#cipherOf(first!), await this.#cipherOf(second!)];
  }

  async #become(chainingKey: Uint8Array, key: Uint8Array): Promise<void> {
    this.#chainingKey = chainingKey;
    this.#cipher = await this.#cipherOf(key);
  }

  #cipherOf = async (key: Uint8Array): Promise<CipherState> =>
    new CipherState(this.#crypto, await this.#crypto.aeadKey(key));

  /** HKDF of §4.3, which is RFC 5869's with the chaining key as salt and no info. */
  async #derive(secret: Uint8Array, count: 2 | 3): Promise<Uint8Array[]> {
    const length = count * HASH_BYTES;
    const all = await this.#crypto.hkdf({ secret, salt: this.#chainingKey, info: NOTHING, length });
    return Array.from({ length: count }, (_, index) => all.slice(index * HASH_BYTES, (index + 1) * HASH_BYTES));
  }
}
