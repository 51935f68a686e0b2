import type { Clock } from "../platform/clock.ts";
import { timestamp } from "../platform/clock.ts";
import type { StreamEvent } from "../protocol/envelope.ts";
import type { RemoteEvents, RemoteEventType } from "../protocol/remote-units.ts";

/**
 * The events of the stream `remote`, the last of them kept for whoever comes back. Numbers begin at the clock, so that those of an earlier server are
 * not taken for ours.
 */
const KEPT_EVENTS = 256;

export class RemoteLog {
  readonly #clock: Clock;
  readonly #publish: (event: StreamEvent) => void;
  readonly #events: StreamEvent[] = [];
  #seq: number;

  constructor(clock: Clock, publish: (event: StreamEvent) => void) {
    this.#clock = clock;
    this.#publish = publish;
    this.#seq = Math.floor(clock.wallMs());
  }

  get seq(): number {
    return this.#seq;
  }

  tell<T extends RemoteEventType>(type: T, data: RemoteEvents[T]): void {
    this.#seq += 1;
    const event: StreamEvent = {
      event: type,
      stream: "remote",
      seq: this.#seq,
      at: timestamp(this.#clock.wallMs()),
      data: { ...data },
    };
    this.#events.push(event);
    if (this.#events.length > KEPT_EVENTS) this.#events.shift();
    this.#publish(event);
  }

  /** Undefined when what follows `seq` is gone, or is not ours. */
  after(seq: number, limit: number): StreamEvent[] | undefined {
    const first = this.#seq - this.#events.length;
    if (seq < first || seq > this.#seq) return undefined;
    return this.#events.slice(seq - first, seq - first + limit);
  }
}
