import type { Client } from "../../client/client.ts";
import type { SubscriptionItem } from "../../client/subscription.ts";
import type { MailMessage } from "../../protocol/mail-units.ts";

/**
 * New messages in the order of the log, each once, through every change of leader. Events only say up to where there are any; the messages are read from the
 * log in windows, so that a flood takes no more memory than one window and one look at a time.
 */

/** Places of the log that are looked at together. */
const WINDOW = 50;

/** Another process leads; `reason` and `gap_ms` as in `leader_changed`. */
export interface Led {
  pid?: number | undefined;
  epoch: number;
  reason?: string | undefined;
  gapMs?: number | undefined;
}

export interface TrafficSink {
  /** From here on, everything is shown. */
  begun(): void;
  /** Resolves when it wants more. */
  show(messages: readonly MailMessage[]): Promise<void>;
  led(leader: Led): void;
}

export class Traffic {
  readonly #client: Client;
  readonly #asked: { as?: string; with?: string };
  #shownSeq: number | undefined;
  #headSeq = 0;
  #epoch: number | undefined;

  constructor(client: Client, asked: { as?: string; with?: string }) {
    this.#client = client;
    this.#asked = asked;
  }

  /** Until `signal` aborts. Rejects when nobody can be found who leads. */
  async follow(sink: TrafficSink, signal: AbortSignal): Promise<void> {
    const failing = new AbortController();
    const both = AbortSignal.any([signal, failing.signal]);
    let failure: unknown;
    let showing: Promise<void> | undefined;
    const showNew = (): void => {
      showing ??= this.#showAll(sink, both)
        .catch((error: unknown) => {
          failure = error;
          failing.abort();
        })
        .finally(() => {
          showing = undefined;
        });
    };
    for await (const item of this.#client.subscribe({ streams: ["mail"] }, both)) {
      await this.#take(item, sink, both);
      showNew();
    }
    await showing;
    if (failure && !signal.aborted) throw failure;
  }

  async #take(item: SubscriptionItem, sink: TrafficSink, signal: AbortSignal): Promise<void> {
    if (item.kind === "event") {
      const { event, data } = item.event;
      if (event === "message_sent") this.#headSeq = Math.max(this.#headSeq, Number(data.seq) || 0);
      if (event === "leader_changed") this.#tellLeader(data, sink);
      return;
    }
    const { log_head } = (await this.#client.request("mail.status", {}, { signal })).status;
    this.#headSeq = Math.max(this.#headSeq, log_head);
    if (this.#shownSeq === undefined) {
      this.#shownSeq = log_head;
      this.#epoch = epochOf(item.snapshot);
      sink.begun();
    } else this.#tellLeader(item.snapshot, sink);
  }

  /** The leader before is told of by nothing: whoever was connected to it is connected to the next one. */
  #tellLeader(said: unknown, sink: TrafficSink): void {
    const { leader, reason, gap_ms } = (said ?? {}) as { leader?: { pid?: number }; reason?: string; gap_ms?: number };
    const epoch = epochOf(said);
    if (epoch === undefined || epoch === this.#epoch) return;
    this.#epoch = epoch;
    sink.led({ pid: leader?.pid, epoch, reason, gapMs: gap_ms });
  }

  async #showAll(sink: TrafficSink, signal: AbortSignal): Promise<void> {
    while (this.#shownSeq !== undefined && this.#headSeq > this.#shownSeq && !signal.aborted) {
      const untilSeq = Math.min(this.#headSeq, this.#shownSeq + WINDOW);
      const messages = await this.#window(this.#shownSeq, untilSeq, signal);
      this.#shownSeq = untilSeq;
      if (messages.length > 0) await sink.show(messages);
    }
  }

  /** Those after `afterSeq` up to `untilSeq`, oldest first. */
  async #window(afterSeq: number, untilSeq: number, signal: AbortSignal): Promise<MailMessage[]> {
    const found: MailMessage[] = [];
    let before = untilSeq + 1;
    for (;;) {
      const asked = { ...this.#asked, limit: WINDOW, before };
      const { messages, has_more } = await this.#client.request("mail.history", asked, { signal });
      const fresh = messages.map(({ message }) => message).filter(({ seq }) => seq > afterSeq);
      found.push(...fresh);
      // A page ends early when its bodies are large.
      if (!has_more || fresh.length < messages.length || fresh.length === 0) return found.toReversed();
      before = fresh.at(-1)!.seq;
    }
  }
}

function epochOf(said: unknown): number | undefined {
  const { epoch, leader } = (said ?? {}) as { epoch?: number; leader?: { epoch?: number } };
  return leader?.epoch ?? epoch;
}
