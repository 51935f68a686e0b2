import type { Clock } from "../../../platform/clock.ts";
import type { Log } from "../../../platform/log.ts";
import { Backoff } from "../../../protocol/backoff.ts";
import { messageOf } from "../../../protocol/errors.ts";
import type { Directory, ReceivedPacket, Shelf, Transport, TransportState } from "../transport.ts";
import { isConflict, problemOf } from "./nats-errors.ts";
import { NatsSession } from "./nats-session.ts";
import type { NatsSettings } from "./nats-settings.ts";

/**
 * Packets through NATS JetStream. One connection after the other, each with all that it needs made anew; while there is none, nothing is published, and it dials again
 * after a while, twice as long each time.
 */
const REDIAL_MS = 250;
const REDIAL_MS_MAX = 15_000;
/** Whether the stream is still there is looked at so often. */
const LOOK_MS = 15_000;

export interface NatsTransportOptions {
  settings: NatsSettings;
  machine: string;
  clock: Clock;
  log: Log;
  random?: () => number;
}

export class NatsTransport implements Transport {
  readonly directory: Directory;
  readonly #options: NatsTransportOptions;
  readonly #end = new AbortController();
  readonly #running: Promise<void>;
  #state: TransportState = { kind: "connecting" };
  #session: NatsSession | undefined;
  #onState: (state: TransportState) => void = () => {};
  #streamMade: string | undefined;
  #cancelLook = (): void => {};

  constructor(options: NatsTransportOptions) {
    this.#options = options;
    this.directory = new NatsDirectory(() => this.#connected());
    this.#running = this.#run();
  }

  get state(): TransportState {
    return this.#state;
  }

  onState(listener: (state: TransportState) => void): void {
    this.#onState = listener;
  }

  receive(machine: string, onPacket: (packet: ReceivedPacket) => void): void {
    const session = this.#session;
    session
      ?.receive(machine, onPacket, (why) => this.#lose(session, why))
      .catch((error) => this.#lose(session, messageOf(error)));
  }

  publish(machine: string, packet: Uint8Array, id: string): Promise<void> {
    return this.#session
      ? this.#session.publish(this.#options.machine, machine, packet, id)
      : Promise.reject(new Error("not connected"));
  }

  async close(): Promise<void> {
    this.#end.abort();
    this.#cancelLook();
    if (!this.#session) return; // one that is being dialled is closed when it comes
    await this.#session.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { random = Math.random } = this.#options;
    const backoff = new Backoff({ firstMs: REDIAL_MS, maxMs: REDIAL_MS_MAX, random });
    while (!this.#end.signal.aborted) {
      const wasServed = await this.#serve();
      if (wasServed) backoff.reset();
      await this.#pause(backoff.nextMs());
    }
  }

  /** One connection. Whether there was one. */
  async #serve(): Promise<boolean> {
    const { settings, machine, log, clock } = this.#options;
    let session: NatsSession;
    try {
      session = await NatsSession.open(settings, machine);
    } catch (error) {
      this.#tell({ kind: "connecting", ...problemOf(error) });
      return false;
    }
    if (this.#end.signal.aborted) {
      await session.close();
      return false;
    }
    const isFresh = this.#streamMade !== undefined && this.#streamMade !== session.streamMade;
    this.#streamMade = session.streamMade;
    this.#session = session;
    log.info("machines_connected", { fresh: isFresh });
    this.#tell({ kind: "connected", sinceMs: clock.wallMs(), isFresh });
    this.#planLook(session);
    const ended = await session.closed;
    this.#cancelLook();
    this.#session = undefined;
    if (this.#end.signal.aborted) return true;
    const problem = ended instanceof Error ? problemOf(ended).problem : "the connection ended";
    log.warn("machines_disconnected", { problem });
    this.#tell({ kind: "connecting", problem });
    return true;
  }

  /** It has forgotten something that we need: all is made anew with the next connection. */
  #lose(session: NatsSession, why: string): void {
    if (session !== this.#session || this.#end.signal.aborted) return;
    this.#options.log.warn("machines_stream_lost", { why });
    void session.close();
  }

  #planLook(session: NatsSession): void {
    this.#cancelLook = this.#options.clock.timer(LOOK_MS, () => {
      session.isWhole().then(
        (isWhole) => (isWhole ? this.#planLook(session) : this.#lose(session, "another stream")),
        (error) => this.#lose(session, messageOf(error)),
      );
    });
  }

  #tell(state: TransportState): void {
    this.#state = state;
    if (!this.#end.signal.aborted) this.#onState(state);
  }

  #connected(): NatsSession {
    if (!this.#session) throw new Error("not connected");
    return this.#session;
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#end;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const cancel = this.#options.clock.timer(ms, done);
      signal.addEventListener("abort", done, { once: true });
      function done(): void {
        cancel();
        signal.removeEventListener("abort", done);
        resolve();
      }
    });
  }
}

class NatsDirectory implements Directory {
  readonly #session: () => NatsSession;

  constructor(session: () => NatsSession) {
    this.#session = session;
  }

  async get(shelf: Shelf, key: string): Promise<{ value: string; revision: number } | undefined> {
    const entry = await this.#session().buckets[shelf].get(key);
    if (!entry || entry.operation !== "PUT") return undefined;
    return { value: entry.string(), revision: entry.revision };
  }

  async put(shelf: Shelf, key: string, value: string, expected?: number): Promise<boolean> {
    const bucket = this.#session().buckets[shelf];
    try {
      if (expected === undefined) await bucket.put(key, value);
      else if (expected === 0) await bucket.create(key, value);
      else await bucket.update(key, value, expected);
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  async remove(shelf: Shelf, key: string): Promise<void> {
    await this.#session().buckets[shelf].delete(key);
  }

  async watch(shelf: Shelf, onFact: (key: string, value: string | undefined) => void): Promise<void> {
    const entries = await this.#session().buckets[shelf].watch();
    const read = async (): Promise<void> => {
      for await (const entry of entries) onFact(entry.key, entry.operation === "PUT" ? entry.string() : undefined);
    };
    void read().catch(() => undefined); // it ends with the connection
  }
}
