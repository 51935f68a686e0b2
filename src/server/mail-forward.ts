import type { Client } from "../client/client.ts";
import { MUTATING, type Request } from "../protocol/envelope.ts";
import { WarrenError } from "../protocol/errors.ts";
import type { DataOf } from "../protocol/messages.ts";
import type { EventPeer } from "../serving/subscriptions.ts";

/**
 * What a client of this server asks of the mailbox: passed on to the leader, over a connection of its own for each client, so that a name that one has
 * registered is not another's. A repeat carries the client's own request id, and so gets the first answer, through whatever server it comes.
 *
 * In a home that does not use mail yet, only a message that changes something starts a leader; the rest is refused as the leader's absence (NO_LEADER).
 */
export interface MailForwardOptions {
  /** `randomId` gives the ids of requests. */
  open(options: { mode: () => "start" | "find"; randomId: () => string }): Client;
  /** This home uses mail. */
  isUsed(): boolean;
}

export interface Asking extends EventPeer {
  /** Aborted when it is gone. */
  readonly closed: AbortSignal;
}

type Streams = DataOf<"subscribe">["streams"];

interface Way {
  client: Client;
  mayStart: boolean;
  nextId: string;
  /** Of what it follows. */
  following: AbortController | undefined;
}

export const isMailStream = (stream: string): boolean => stream === "mail" || stream.startsWith("mail/");

export class MailForward {
  readonly #options: MailForwardOptions;
  readonly #ways = new Map<Asking, Way>();

  constructor(options: MailForwardOptions) {
    this.#options = options;
  }

  /** Messages that are not answered, or that somebody follows: nobody is sent away meanwhile. */
  request({ type, payload, request_id }: Request, from: Asking): Promise<object> {
    const way = this.#wayOf(from);
    if (MUTATING.has(type)) way.mayStart = true;
    way.nextId = request_id ?? crypto.randomUUID();
    return way.client.request(type, payload as never, { signal: from.closed });
  }

  /**
   * Follows these streams of the leader; resolves with what they begin with, and `start` then begins the events. What was missed is not sent again: who
   * continues gets a snapshot and `gap`.
   */
  async follow(
    streams: readonly string[],
    since: Record<string, number> | undefined,
    from: Asking,
  ): Promise<{ streams: Streams; start: () => void }> {
    const way = this.#wayOf(from);
    way.following?.abort();
    const following = new AbortController();
    way.following = following;
    const items = way.client.subscribe({ streams: [...streams] }, following.signal);
    const answers: Streams = {};
    for (const _ of streams) {
      const { value, done } = await items.next();
      if (done) throw new WarrenError("ABORTED", "The subscription was given up.");
      if (value.kind !== "snapshot") continue;
      const { stream, seq, snapshot } = value;
      answers[stream] = { seq, snapshot, ...(since?.[stream] === undefined ? {} : { gap: true }) };
    }
    return { streams: answers, start: () => void relay(items, from) };
  }

  unfollow(from: Asking): void {
    this.#ways.get(from)?.following?.abort();
  }

  close(): void {
    for (const { client } of this.#ways.values()) client.close();
    this.#ways.clear();
  }

  #wayOf(from: Asking): Way {
    const known = this.#ways.get(from);
    if (known) return known;
    const { open, isUsed } = this.#options;
    const way: Way = {
      client: open({
        mode: () => (way.mayStart || isUsed() ? "start" : "find"),
        randomId: () => way.nextId,
      }),
      mayStart: false,
      nextId: "",
      following: undefined,
    };
    this.#ways.set(from, way);
    from.closed.addEventListener("abort", () => this.#end(from), { once: true });
    if (from.closed.aborted) this.#end(from);
    return way;
  }

  #end(from: Asking): void {
    this.#ways.get(from)?.client.close();
    this.#ways.delete(from);
  }
}

/** A snapshot in between (a leader that does not know what was before it) is for a new subscription: the client comes back for it. */
async function relay(items: ReturnType<Client["subscribe"]>, to: Asking): Promise<void> {
  try {
    for await (const item of items) {
      if (item.kind === "snapshot") return to.end();
      to.send(item.event);
    }
  } catch {
    to.end(); // nobody leads, and nobody could be started
  }
}
