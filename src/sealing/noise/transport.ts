import { TAG_BYTES } from "../crypto.ts";
import { formInvalid } from "../errors.ts";
import type { CipherState } from "./cipher-state.ts";

/** Noise revision 34, §3: no message is longer. */
export const NOISE_MESSAGE_BYTES_MAX = 65_535;
/** What fits into one. */
export const NOISE_TEXT_BYTES_MAX = NOISE_MESSAGE_BYTES_MAX - TAG_BYTES;

/** A session's owner makes it anew after so many messages, in either direction. */
export const SESSION_MESSAGES_MAX = 2 ** 20;
/** … or after so long. */
export const SESSION_AGE_MS_MAX = 60 * 60 * 1000;

const NOTHING = new Uint8Array(0);

/**
 * What a handshake ends in: one cipher in each direction (Noise revision 34, §5.3 Split). Calls may overlap; they are answered in the order in
 * which they were made, so whoever sends what `seal` gives as it comes keeps the order that the other end counts on. After a message that did
 * not open nothing more is opened.
 */
export class Transport {
  /** The same at both ends, and of this session alone: what signatures and checks are made over. */
  readonly handshakeHash: Uint8Array;
  /** The other end's static key, which the handshake has proven. */
  readonly theirStatic: Uint8Array;
  readonly #sending: CipherState;
  readonly #receiving: CipherState;
  #lastSealed: Promise<unknown> = Promise.resolve();
  #lastOpened: Promise<unknown> = Promise.resolve();

  constructor(parts: {
    sending: CipherState;
    receiving: CipherState;
    handshakeHash: Uint8Array;
    theirStatic: Uint8Array;
  }) {
    this.#sending = parts.sending;
    this.#receiving = parts.receiving;
    this.handshakeHash = parts.handshakeHash;
    this.theirStatic = parts.theirStatic;
  }

  get sealedCount(): number {
    return this.#sending.counter;
  }

  get openedCount(): number {
    return this.#receiving.counter;
  }

  /** Whether it is time for a new session; both times are of one monotonic clock. */
  isSpent({ openedAtMs, nowMs }: { openedAtMs: number; nowMs: number }): boolean {
    return (
      Math.max(this.sealedCount, this.openedCount) >= SESSION_MESSAGES_MAX || nowMs - openedAtMs >= SESSION_AGE_MS_MAX
    );
  }

  /** @throws FORM_INVALID: over {@link NOISE_TEXT_BYTES_MAX}; nothing was sealed, and it goes on. */
  async seal(text: Uint8Array): Promise<Uint8Array> {
    if (text.length > NOISE_TEXT_BYTES_MAX) throw formInvalid("message", `it has ${text.length} bytes`);
    const sealed = inOrder(this.#lastSealed, this.#sending.seal(NOTHING, text));
    this.#lastSealed = sealed;
    return await sealed;
  }

  /** @throws SEAL_BROKEN, NOISE_DEAD */
  async open(message: Uint8Array): Promise<Uint8Array> {
    const opened = inOrder(this.#lastOpened, this.#receiving.open(NOTHING, message));
    this.#lastOpened = opened;
    return await opened;
  }
}

/** What `work` gives, once `before` is over; its error instead where that has failed. */
async function inOrder<T>(before: Promise<unknown>, work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  await before;
  return await work;
}
