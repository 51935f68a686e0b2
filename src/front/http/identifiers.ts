/** Request ids and W3C trace context: what came is kept if it is sane, else made. */

/** Up to 128 characters that mean nothing in a log, a shell or a page. */
export const isSaneRequestId = (id: string): boolean => id.length <= 128 && /^[A-Za-z0-9._:+=@/-]+$/.test(id);

/** Trace Context, level 1, §3.2: version, trace-id, parent-id, flags; later versions may be longer. */
export function isTraceparent(text: string): boolean {
  if (!/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/.test(text) || text.startsWith("ff")) return false;
  if (text.length > 55 && text.startsWith("00")) return false;
  return !text.startsWith("00000000000000000000000000000000", 3) && !text.startsWith("0000000000000000", 36);
}

/** Unlike any other: a random start for each process, and a count. Not a secret. */
export class Identifiers {
  readonly #start: string;
  readonly #traceStart: string;
  #count = 0;
  #high = 0;

  /** `randomHex`: at least 24 hexadecimal digits, not all zero. */
  constructor(randomHex: string) {
    this.#start = randomHex.slice(0, 8);
    this.#traceStart = randomHex.slice(8, 24);
  }

  /** 16 hexadecimal digits. */
  next(): string {
    this.#count = (this.#count + 1) >>> 0;
    if (this.#count === 0) this.#high++;
    return this.#start + (this.#count + 0x1_0000_0000).toString(16).slice(1);
  }

  /** Of the request with this id, which is one of ours: they are found by each other. Not sampled. */
  traceparent(id: string): string {
    const high = this.#high === 0 ? "" : this.#high.toString(16);
    return `00-${this.#traceStart.slice(high.length)}${high}${id}-${id}-00`;
  }
}
