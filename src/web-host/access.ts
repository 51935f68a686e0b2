import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * Who may use the app. A **token** stands in the link that `warren web` prints, behind the `#`, which no browser sends anywhere; it is exchanged once for a **pass**, which the
 * page keeps. Both are 32 random bytes, live as long as this process, and are kept here as hashes. There is no cookie: nothing that a browser would send by itself lets anybody in.
 */
export interface AccessOptions {
  random?: (bytes: number) => Uint8Array;
}

const BYTES = 32;
/** Browsers that were let in; past it the first one is forgotten, and has to be given a new link. */
const PASSES_MAX = 64;

export class Access {
  readonly #random: (bytes: number) => Uint8Array;
  #token: Buffer | undefined;
  readonly #passes: Buffer[] = [];

  constructor({ random = randomBytes }: AccessOptions = {}) {
    this.#random = random;
  }

  /** The token of the next link; one that was not used is worth nothing from now on. */
  newToken(): string {
    const text = this.#text();
    this.#token = hashOf(text);
    return text;
  }

  /** A pass for a token, once; undefined for any other. */
  exchange(token: string): string | undefined {
    if (!this.#token || !timingSafeEqual(hashOf(token), this.#token)) return undefined;
    this.#token = undefined;
    const pass = this.#text();
    this.#passes.push(hashOf(pass));
    if (this.#passes.length > PASSES_MAX) this.#passes.shift();
    return pass;
  }

  isPass(text: string): boolean {
    const hash = hashOf(text);
    return this.#passes.some((pass) => timingSafeEqual(pass, hash));
  }

  #text(): string {
    return Buffer.from(this.#random(BYTES)).toString("base64url");
  }
}

const hashOf = (text: string): Buffer => createHash("sha256").update(text).digest();
