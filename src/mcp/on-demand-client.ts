import type { Client, RequestOptions } from "../client/client.ts";
import type { Clock } from "../platform/clock.ts";
import type { DataOf, MessageType, PayloadOf } from "../protocol/messages.ts";

/** A connection counts as somebody who looks on, and a server with such a one does not end; so an agent that thinks for an hour holds none. */
const UNUSED_MS = 30_000;

/** A client that is opened for the first request and closed when none was in hand for half a minute. */
export class OnDemandClient {
  readonly #open: () => Client;
  readonly #clock: Clock;
  #client: Client | undefined;
  #inHand = 0;
  #cancelClose = (): void => {};

  constructor(open: () => Client, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
  }

  /** As Client.request. */
  async request<T extends MessageType>(
    type: T,
    payload: PayloadOf<T>,
    options: RequestOptions = {},
  ): Promise<DataOf<T>> {
    this.#cancelClose();
    this.#client ??= this.#open();
    this.#inHand += 1;
    try {
      return await this.#client.request(type, payload, options);
    } finally {
      this.#inHand -= 1;
      if (this.#inHand === 0) this.#cancelClose = this.#clock.timer(UNUSED_MS, () => this.close());
    }
  }

  close(): void {
    this.#cancelClose();
    this.#client?.close();
    this.#client = undefined;
  }
}
