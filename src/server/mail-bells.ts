import type { Client } from "../client/client.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { messageOf } from "../protocol/errors.ts";

/**
 * Rings when there may be mail for a name: one subscription for all agents of a server, to the stream `mail/NAME` of each. A bell says that somebody should look,
 * and nothing more: it rings once for each name when the subscription begins, and again after anything that may have been missed.
 */
export interface MailBellsOptions {
  /** Its one subscription is the bells'. */
  client: Client;
  clock: Clock;
  log: Log;
}

/** After a failure it is subscribed again. */
const AGAIN_MS = 2_000;
const STREAM = "mail/";

export class MailBells {
  readonly #options: MailBellsOptions;
  readonly #ringers = new Map<string, Set<() => void>>();
  #following: AbortController | undefined;
  #willFollow = false;
  #isClosed = false;
  #cancelAgain = (): void => {};

  constructor(options: MailBellsOptions) {
    this.#options = options;
  }

  /** The answer ends it. */
  listen(name: string, ring: () => void): () => void {
    const known = this.#ringers.get(name);
    const ringers = known ?? new Set();
    ringers.add(ring);
    if (!known) {
      this.#ringers.set(name, ringers);
      this.#followSoon();
    }
    return () => {
      ringers.delete(ring);
      if (ringers.size > 0 || this.#ringers.get(name) !== ringers) return;
      this.#ringers.delete(name); // what is still told of it, nobody hears
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelAgain();
    this.#following?.abort();
  }

  /** Of many that come at once, one subscription. */
  #followSoon(): void {
    if (this.#willFollow) return;
    this.#willFollow = true;
    setImmediate(() => {
      this.#willFollow = false;
      if (!this.#isClosed) void this.#follow();
    });
  }

  async #follow(): Promise<void> {
    const { client, clock, log } = this.#options;
    this.#cancelAgain();
    this.#following?.abort();
    const following = new AbortController();
    this.#following = following;
    const streams = [...this.#ringers.keys()].map((name) => `${STREAM}${name}`);
    if (streams.length === 0) return;
    try {
      for await (const item of client.subscribe({ streams }, following.signal)) {
        if (following.signal.aborted) return;
        if (item.kind === "snapshot") this.#ring(item.stream);
        else if (item.event.event === "message_queued") this.#ring(item.event.stream);
      }
    } catch (error) {
      if (following.signal.aborted) return;
      log.warn("mail_not_followed", { error: messageOf(error) });
      this.#cancelAgain = clock.timer(AGAIN_MS, () => this.#followSoon());
    }
  }

  #ring(stream: string): void {
    for (const ring of [...(this.#ringers.get(stream.slice(STREAM.length)) ?? [])]) ring();
  }
}
