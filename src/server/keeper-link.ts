import { findKeeper } from "../local/ensure-server.ts";
import type { KeeperConnection } from "../local/keeper-client.ts";
import type { Places } from "../platform/paths.ts";
import type { ChannelExit, KeeperAnswers, KeeperCall } from "../protocol/keeper-calls.ts";
import { decodeJournalEnd, decodeReply, FRAME, type Frame } from "../protocol/keeper-frames.ts";
import { keeperUnreachable } from "../sessions/errors.ts";
import type { ChannelEvents, ChannelWrite, KeeperPort } from "../sessions/keeper-port.ts";

/**
 * The server's line to its keeper for sessions: one connection for its life. When the keeper goes, the control line says so as well, and the server ends; when the connection
 * alone goes, nothing is heard of any session any more, and the next generation opens another.
 */
export class KeeperLink implements KeeperPort {
  readonly #places: Places;
  readonly #onLost: () => void;
  #isClosed = false;
  readonly #listeners = new Map<number, ChannelEvents>();
  /** What came for a channel before anybody listened: its program may have ended at once. */
  readonly #early = new Map<number, Frame[]>();
  /** Calls that are not answered. */
  readonly #waiting = new Set<KeeperCall["call"][]>();
  #connecting: Promise<KeeperConnection> | undefined;
  #connection: KeeperConnection | undefined;

  /** @param onLost it was closed, and not by us: the keeper has gone, or does not want it any more */
  constructor(places: Places, onLost: () => void) {
    this.#places = places;
    this.#onLost = onLost;
  }

  async call<C extends KeeperCall>(call: C): Promise<KeeperAnswers[C["call"]]> {
    const waiting = [call.call];
    this.#waiting.add(waiting);
    try {
      this.#connecting ??= this.#connect();
      return await (await this.#connecting).call(call);
    } finally {
      this.#waiting.delete(waiting);
    }
  }

  /** What the keeper has been asked and has not answered. */
  get waitsFor(): string[] {
    return [...this.#waiting].flat();
  }

  write(channel: number, write: ChannelWrite): void {
    this.#connection?.write(channel, write);
  }

  listen(channel: number, events: ChannelEvents): void {
    this.#listeners.set(channel, events);
    const early = this.#early.get(channel) ?? [];
    this.#early.delete(channel);
    if (early.length > 0) {
      queueMicrotask(() => {
        for (const frame of early) this.#pass(frame);
      });
    }
  }

  forget(channel: number): void {
    this.#listeners.delete(channel);
    this.#early.delete(channel);
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.close();
  }

  async #connect(): Promise<KeeperConnection> {
    const connection = await findKeeper(this.#places);
    if (!connection) throw keeperUnreachable();
    connection.listen({ onFrame: (frame) => this.#pass(frame), onClose: () => this.#isClosed || this.#onLost() });
    this.#connection = connection;
    return connection;
  }

  #pass(frame: Frame): void {
    const events = this.#listeners.get(frame.channel);
    if (!events) {
      const early = this.#early.get(frame.channel) ?? [];
      this.#early.set(frame.channel, [...early.slice(-EARLY_FRAMES_MAX), frame]);
      // The last words of a channel that was forgotten are never asked for.
      if (this.#early.size > EARLY_CHANNELS_MAX) this.#early.delete(this.#early.keys().next().value!);
      return;
    }
    const { type, payload } = frame;
    const bytes = Number(frame.offset);
    switch (type) {
      case FRAME.output:
        return events.onOutput({ output: bytes, ...decodeJournalEnd(payload) });
      case FRAME.exit:
        return events.onExit(JSON.parse(Buffer.from(payload).toString()) as ChannelExit);
      case FRAME.ack:
        return events.onAck(decodeReply(payload).source, bytes);
      case FRAME.refused: {
        const { source, refusal } = decodeReply(payload);
        return events.onRefused(source, bytes, refusal?.code ?? "REFUSED");
      }
    }
  }
}

/** A doorbell and an end are enough. */
const EARLY_FRAMES_MAX = 8;
/** Programs are started and taken up by the hundred at most. */
const EARLY_CHANNELS_MAX = 1_000;
