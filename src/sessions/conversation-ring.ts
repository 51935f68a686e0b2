import type { ConversationEvent } from "../protocol/conversation.ts";

/** The newest events of a conversation, for who comes back and wants to go on after a `seq`. */
export class ConversationRing {
  readonly #events: ConversationEvent[] = [];
  #bytes = 0;
  /** Of the event before the oldest that is kept. */
  #before: number;

  constructor(seq: number) {
    this.#before = seq;
  }

  push(event: ConversationEvent): void {
    this.#events.push(event);
    this.#bytes += bytesOf(event);
    if (this.#events.length > EVENTS_MAX + DROP_BATCH || this.#bytes > BYTES_MAX) this.#drop();
  }

  /** The next events after `seq`, at most `limit`; undefined when they are not kept any more, or are of a future that was lost. */
  after(seq: number, limit: number): ConversationEvent[] | undefined {
    const last = this.#events.at(-1)?.seq ?? this.#before;
    if (seq < this.#before || seq > last) return undefined;
    const first = seq - this.#before; // each is one more than the one before
    return this.#events.slice(first, first + limit);
  }

  #drop(): void {
    let count = Math.max(0, this.#events.length - EVENTS_MAX);
    for (let bytes = this.#bytes; bytes > BYTES_MAX / 2 && count < this.#events.length; count++) {
      bytes -= bytesOf(this.#events[count]!);
    }
    for (const event of this.#events.splice(0, count)) {
      this.#bytes -= bytesOf(event);
      this.#before = event.seq;
    }
  }
}

/** Of events that are kept; past either, the oldest go, and who is that far behind gets a snapshot. */
const EVENTS_MAX = 5_000;
const BYTES_MAX = 8 * 1024 * 1024;
const DROP_BATCH = 100;
/** What an event costs besides its text. */
const EVENT_BYTES = 200;

/** About; what weighs is text. */
function bytesOf(event: ConversationEvent): number {
  if (event.type === "text_delta") return EVENT_BYTES + 2 * event.delta.length;
  return EVENT_BYTES + (event.type === "item" ? weightOf(event.item) : 0);
}

function weightOf(value: unknown): number {
  if (typeof value === "string") return 2 * value.length;
  if (typeof value !== "object" || value === null) return 8;
  let weight = 8;
  for (const part of Object.values(value)) weight += weightOf(part);
  return weight;
}
