import { timestamp } from "../../platform/clock.ts";
import type { EventSource, EventSources, RoutedEvent } from "../../serving/subscriptions.ts";
import { EVENTS_KEPT } from "./limits.ts";

/**
 * The streams `mail` (what happens, without bodies) and `mail/<name>` (what happens to one participant). Their events are kept in memory alone: each epoch
 * counts on from a number of its own, so that whoever goes on at another leader is told that it has a gap, and looks for itself. Nobody is connected yet when a
 * leader begins, so what `leader_changed` said stands in the snapshot too. Until somebody has followed one of
 * them, nobody can have missed anything, and they are only counted.
 */
const STREAM = "mail";
const OF_NAME = `${STREAM}/`;
/** Events of one epoch; far more than one leader sends, and epochs stay countable. */
const SEQ_PER_EPOCH = 2 ** 32;

export class MailEvents implements EventSources {
  readonly #epoch: number;
  readonly #nowMs: () => number;
  readonly #publish: (routed: RoutedEvent) => void;
  readonly #events: RoutedEvent[] = [];
  #seq: number;
  #isFollowed = false;
  #leaderChanged: Record<string, unknown> = {};

  constructor({
    epoch,
    nowMs,
    publish,
  }: { epoch: number; nowMs: () => number; publish: (routed: RoutedEvent) => void }) {
    this.#epoch = epoch;
    this.#nowMs = nowMs;
    this.#publish = publish;
    this.#seq = epoch * SEQ_PER_EPOCH;
  }

  /** On `mail`. */
  tell(event: string, data: Record<string, unknown>): void {
    if (event === "leader_changed") this.#leaderChanged = data;
    this.#add(STREAM, event, data);
  }

  /** On the stream of this participant. */
  tellOne(name: string, event: string, data: Record<string, unknown>): void {
    this.#add(`${OF_NAME}${name}`, event, data);
  }

  get(stream: string): EventSource | undefined {
    if (stream !== STREAM && !(stream.startsWith(OF_NAME) && stream.length > OF_NAME.length)) return undefined;
    return {
      snapshot: () => {
        this.#isFollowed = true;
        return { seq: this.#seq, snapshot: { epoch: this.#epoch, ...this.#leaderChanged } };
      },
      after: (seq, limit) => this.#after(stream, seq, limit),
    };
  }

  #after(stream: string, seq: number, limit: number): RoutedEvent[] | undefined {
    const oldest = this.#events[0]?.event.seq ?? this.#seq + 1;
    if (seq > this.#seq || seq < oldest - 1) return undefined;
    const found: RoutedEvent[] = [];
    for (const routed of this.#events) {
      if (found.length >= limit) break;
      if (routed.event.seq > seq && routed.event.stream === stream) found.push(routed);
    }
    return found;
  }

  #add(stream: string, event: string, data: Record<string, unknown>): void {
    this.#seq += 1;
    if (!this.#isFollowed) return;
    const routed = { workdir: "", event: { event, stream, seq: this.#seq, at: timestamp(this.#nowMs()), data } };
    this.#events.push(routed);
    if (this.#events.length >= 2 * EVENTS_KEPT) this.#events.splice(0, EVENTS_KEPT);
    this.#publish(routed);
  }
}
