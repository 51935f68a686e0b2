import type { StreamEvent } from "../protocol/envelope.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import { unknownStream } from "./request-errors.ts";

/**
 * Fans events out to subscribers. A stream's owner gives a snapshot and its `seq` in one synchronous step, so nothing falls between them and the
 * first event. One line is serialised once for all.
 *
 * A subscriber that continues after a place far back is given what it missed as fast as it reads, from the source, and gets live events only when it
 * has caught up; otherwise what it missed would itself be more than may be queued for it, and it could never come back.
 */
export interface EventSource {
  /** What is so now, and the seq of the last event that led to it. */
  snapshot(filter: Filter): { seq: number; snapshot: unknown };
  /** The next events after `seq`, at most `limit`, or undefined when they are gone. */
  after(seq: number, limit: number): RoutedEvent[] | undefined;
  /** Somebody follows it from now on; the answer ends that. */
  joined?(): () => void;
}

/** Missed events are read from their source in steps of this many. */
const CATCH_UP_STEP = 100;
/** More than this is not queued for a subscriber that catches up. */
const CATCH_UP_BYTES_MAX = 1024 * 1024;

export interface RoutedEvent {
  event: StreamEvent;
  workdir: string;
}

export type Filter = Pick<PayloadOf<"subscribe">, "workdir" | "job_ids" | "types">;

/** Which streams there are may change: each is looked up by its name when it is needed. */
export interface EventSources {
  get(stream: string): EventSource | undefined;
}

/** A connection, as far as it is told events. */
export interface EventPeer {
  readonly queuedBytes: number;
  write(line: string): void;
  send(message: object): void;
  drained(): Promise<void>;
  end(): void;
  cutOff(): void;
}

interface Subscriber {
  connection: EventPeer;
  streams: ReadonlySet<string>;
  filter: Filter;
  /** Streams in which it still catches up, and the seq that it has been given there. */
  behind: Map<string, number>;
  /** Tell the sources that it is gone. */
  leaves: (() => void)[];
}

export class Subscriptions {
  readonly #sources: EventSources;
  readonly #subscribers = new Map<EventPeer, Subscriber>();

  constructor(sources: EventSources) {
    this.#sources = sources;
  }

  get subscriberCount(): number {
    return this.#subscribers.size;
  }

  isFollowed(stream: string): boolean {
    for (const { streams } of this.#subscribers.values()) if (streams.has(stream)) return true;
    return false;
  }

  /** What it follows. */
  streamsOf(connection: EventPeer): string[] {
    return [...(this.#subscribers.get(connection)?.streams ?? [])];
  }

  /** A second subscription of a connection takes the place of the first. `answer` is called before the first event is sent. */
  subscribe(connection: EventPeer, payload: PayloadOf<"subscribe">, answer: (data: DataOf<"subscribe">) => void): void {
    const streams = payload.streams ?? ["jobs"];
    const answers: DataOf<"subscribe">["streams"] = {};
    const behind = new Map<string, number>();
    const joining: EventSource[] = [];
    for (const stream of new Set(streams)) {
      const source = this.#sources.get(stream);
      if (!source) throw unknownStream(stream);
      joining.push(source);
      const since = payload.since?.[stream];
      const continues = since !== undefined && source.after(since, 1) !== undefined;
      const { seq, snapshot } = source.snapshot(payload);
      if (continues) behind.set(stream, since);
      answers[stream] = {
        seq,
        snapshot: continues ? null : snapshot,
        ...(since !== undefined && !continues ? { gap: true } : {}),
      };
    }
    this.unsubscribe(connection);
    const leaves = joining.flatMap((source) => source.joined?.() ?? []);
    const subscriber: Subscriber = { connection, streams: new Set(streams), filter: payload, behind, leaves };
    this.#subscribers.set(connection, subscriber);
    answer({ message: "subscribed", streams: answers });
    for (const stream of [...behind.keys()]) {
      // The source may be closed meanwhile: the next generation goes on.
      this.#catchUp(subscriber, stream).catch(() => connection.cutOff());
    }
  }

  unsubscribe(connection: EventPeer): void {
    const leaves = this.#subscribers.get(connection)?.leaves ?? [];
    this.#subscribers.delete(connection);
    for (const leave of leaves) leave();
  }

  /** Closes the connections that follow it, after what is queued for them: it goes on at another server. */
  close(stream: string): void {
    for (const { connection, streams } of this.#subscribers.values()) if (streams.has(stream)) connection.end();
  }

  publish(routed: RoutedEvent): void {
    let line: string | undefined;
    for (const subscriber of this.#subscribers.values()) {
      if (subscriber.behind.has(routed.event.stream) || !wants(subscriber, routed)) continue;
      line ??= JSON.stringify(routed.event);
      subscriber.connection.write(line);
    }
  }

  /** Runs without a pause for one that reads, so that it is live again before the next event. */
  async #catchUp(subscriber: Subscriber, stream: string): Promise<void> {
    const { connection, behind } = subscriber;
    while (this.#subscribers.get(connection) === subscriber) {
      const events = this.#sources.get(stream)?.after(behind.get(stream) ?? 0, CATCH_UP_STEP);
      if (!events) return connection.cutOff(); // what it needs next is gone: it comes back and gets a snapshot
      if (events.length === 0) {
        behind.delete(stream);
        return;
      }
      for (const routed of events) {
        if (wants(subscriber, routed)) connection.send(routed.event);
        behind.set(stream, routed.event.seq);
        if (connection.queuedBytes > CATCH_UP_BYTES_MAX) break;
      }
      if (connection.queuedBytes > CATCH_UP_BYTES_MAX) await connection.drained();
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
