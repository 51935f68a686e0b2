import type { StreamEvent } from "../protocol/envelope.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import type { Connection } from "./connection.ts";
import * as errors from "./errors.ts";

/**
 * Fans events out to subscribers. A stream's owner gives a snapshot and its `seq` in one synchronous step, so nothing falls between them and the
 * first event. One line is serialised once for all.
 */
export interface EventSource {
  /** What is so now, and the seq of the last event that led to it. */
  snapshot(filter: Filter): { seq: number; snapshot: unknown };
  /** Events after `seq`, or undefined when they are gone. */
  after(seq: number): RoutedEvent[] | undefined;
}

export interface RoutedEvent {
  event: StreamEvent;
  workdir: string;
}

export type Filter = Pick<PayloadOf<"subscribe">, "workdir" | "job_ids" | "types">;

interface Subscriber {
  connection: Connection;
  streams: ReadonlySet<string>;
  filter: Filter;
}

export class EventHub {
  readonly #sources: ReadonlyMap<string, EventSource>;
  readonly #subscribers = new Map<Connection, Subscriber>();

  constructor(sources: ReadonlyMap<string, EventSource>) {
    this.#sources = sources;
  }

  get subscriberCount(): number {
    return this.#subscribers.size;
  }

  /** A second subscription of a connection takes the place of the first. `answer` is called before the first event is sent. */
  subscribe(
    connection: Connection,
    payload: PayloadOf<"subscribe">,
    answer: (data: DataOf<"subscribe">) => void,
  ): void {
    const streams = payload.streams ?? ["jobs"];
    const answers: DataOf<"subscribe">["streams"] = {};
    const missed: RoutedEvent[] = [];
    for (const stream of streams) {
      const source = this.#sources.get(stream);
      if (!source) throw errors.unknownStream(stream);
      const since = payload.since?.[stream];
      const events = since === undefined ? undefined : source.after(since);
      const { seq, snapshot } = source.snapshot(payload);
      if (events) missed.push(...events);
      answers[stream] = {
        seq,
        snapshot: events ? null : snapshot,
        ...(since !== undefined && !events ? { gap: true } : {}),
      };
    }
    const subscriber: Subscriber = { connection, streams: new Set(streams), filter: payload };
    this.#subscribers.set(connection, subscriber);
    answer({ message: "subscribed", streams: answers });
    for (const routed of missed) if (wants(subscriber, routed)) connection.send(routed.event);
  }

  unsubscribe(connection: Connection): void {
    this.#subscribers.delete(connection);
  }

  publish(routed: RoutedEvent): void {
    let line: string | undefined;
    for (const subscriber of this.#subscribers.values()) {
      if (!wants(subscriber, routed)) continue;
      line ??= JSON.stringify(routed.event);
      subscriber.connection.write(line);
    }
  }
}

function wants({ streams, filter }: Subscriber, { event, workdir }: RoutedEvent): boolean {
  return (
    streams.has(event.stream) &&
    (filter.workdir === undefined || filter.workdir === workdir) &&
    (filter.job_ids === undefined || (event.job_id !== undefined && filter.job_ids.includes(event.job_id))) &&
    (filter.types === undefined || filter.types.includes(event.event))
  );
}
