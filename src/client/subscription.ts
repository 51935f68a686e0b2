import type { StreamEvent } from "../protocol/envelope.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import type { EventQueue } from "./event-queue.ts";

export interface SubscribeFilter {
  streams?: string[];
  workdir?: string;
  job_ids?: string[];
  types?: string[];
  since?: Record<string, number>;
}

/** What a subscription yields: first a snapshot of each stream, then events; after a gap a snapshot again. */
export type SubscriptionItem =
  | { kind: "snapshot"; stream: string; seq: number; snapshot: unknown; gap: boolean }
  | { kind: "event"; event: StreamEvent };

/**
 * Where a subscription is in each of its streams, over however many wires: each event after a snapshot is given on once and in order, and what is asked of the next
 * wire is what follows the last `seq` that was seen.
 */
export class Subscription {
  readonly queue: EventQueue<SubscriptionItem>;
  answerId = -1;
  readonly #filter: SubscribeFilter;
  readonly #seen: Record<string, number>;
  /** Events that came before the answer: cannot happen on one wire, but a late event of the wire before can. */
  #answered = false;

  constructor(filter: SubscribeFilter, queue: EventQueue<SubscriptionItem>) {
    this.#filter = filter;
    this.queue = queue;
    this.#seen = { ...filter.since };
  }

  payload(): PayloadOf<"subscribe"> {
    this.#answered = false;
    const { since: _, ...filter } = this.#filter;
    return { ...filter, ...(Object.keys(this.#seen).length > 0 ? { since: { ...this.#seen } } : {}) };
  }

  onAnswer(data: DataOf<"subscribe">): void {
    this.#answered = true;
    for (const [stream, { seq, snapshot, gap }] of Object.entries(data.streams)) {
      if (snapshot === null && this.#seen[stream] !== undefined) continue; // continues after what we saw
      this.#seen[stream] = seq;
      this.queue.push({ kind: "snapshot", stream, seq, snapshot, gap: gap === true });
    }
  }

  onEvent(event: StreamEvent): void {
    if (!this.#answered || event.seq <= (this.#seen[event.stream] ?? 0)) return;
    this.#seen[event.stream] = event.seq;
    this.queue.push({ kind: "event", event });
  }
}
