import { type Clock, systemClock } from "../../platform/clock.ts";
import type { FrontTable, FrontWorker } from "../../protocol/front-messages.ts";

/**
 * Who looks at which worker's pages, and when they have to be loaded again. Each page carries a mark of what it was made by: this front, how many reloads of
 * its worker there had been, and the version that served it. A browser is told the present state when it connects and whenever the server asks for a
 * reload; it compares, so it neither misses a change that came between page and connection, nor reloads a page that is new already.
 */
export interface LiveState {
  /** Of this front's process: counts of another one say nothing. */
  front: string;
  /** Reloads that had nothing to do with a new version: public files. */
  count: number;
  /** What serves now; "" where it is not known (held, or nothing has versions). */
  version: string;
}

/** One browser's stream of server-sent events. */
export interface LiveStream {
  /** Events are whole in one text. False when the client does not read: it is dropped, and comes again. */
  write(text: string): boolean;
  end(): void;
}

/** One more than that many gets 503: a browser needs one for each page that it shows. */
export const LIVE_CLIENTS_MAX = 1_000;
/** A comment this often finds out who has gone, and keeps what is between us from closing. */
const HEARTBEAT_MS = 15_000;
const RETRY_MS = 500;
/** From the first answer after a failure to when the server has said that it is a new version, if it is one. */
const FAILURE_END_MS = 250;

interface WorkerState {
  version: string;
  /** That pages have been asked to load. */
  toldVersion: string;
  count: number;
  cancelTelling?: (() => void) | undefined;
}

export class LivePages {
  readonly #front: string;
  readonly #clock: Clock;
  readonly #streams = new Map<LiveStream, string>();
  readonly #workers = new Map<string, WorkerState>();
  #cancelHeartbeat: (() => void) | undefined;
  #isClosed = false;

  /** `front`: a word that no other front of this project has. */
  constructor(front: string, clock: Clock = systemClock) {
    this.#front = front;
    this.#clock = clock;
  }

  get clientCount(): number {
    return this.#streams.size;
  }

  get isFull(): boolean {
    return this.#streams.size >= LIVE_CLIENTS_MAX;
  }

  applyTable({ workers }: Pick<FrontTable, "workers">): void {
    const names = new Set(workers.map(({ name }) => name));
    for (const [name, { cancelTelling }] of this.#workers)
      if (!names.has(name)) {
        cancelTelling?.();
        this.#workers.delete(name);
      }
    for (const worker of workers) this.applyWorker(worker);
  }

  applyWorker(worker: FrontWorker): void {
    const version = versionOf(worker);
    const known = this.#workers.get(worker.name);
    if (known === undefined) this.#workers.set(worker.name, { version, toldVersion: version, count: 0 });
    else if (version !== "" && version !== known.version) this.#changed(worker.name, known, version);
  }

  /**
   * A page about a failure comes by itself, and goes by itself, also when what failed was taken back and the version before serves on: nobody asks for a
   * reload then. For a version that is new the server does, as soon as it is in force; so a failure's end is told a moment later, if that has not come.
   */
  #changed(name: string, known: WorkerState, version: string): void {
    const wasFailed = isFailed(known.version);
    known.version = version;
    known.cancelTelling?.();
    known.cancelTelling = undefined;
    if (isFailed(version)) this.#tellVersion(name, known);
    else if (wasFailed)
      known.cancelTelling = this.#clock.timer(FAILURE_END_MS, () => {
        known.cancelTelling = undefined;
        if (known.version !== known.toldVersion) this.#tellVersion(name, known);
      });
  }

  #tellVersion(name: string, known: WorkerState): void {
    known.toldVersion = known.version;
    this.#tell(name, eventText("state", this.stateOf(name)));
  }

  stateOf(worker: string): LiveState {
    const { count, version } = this.#workers.get(worker) ?? { count: 0, version: "" };
    return { front: this.#front, count, version };
  }

  /** False when there are too many, or this front takes no more. */
  add(worker: string, stream: LiveStream): boolean {
    if (this.isFull || this.#isClosed) return false;
    this.#streams.set(stream, worker);
    this.#cancelHeartbeat ??= this.#clock.timer(HEARTBEAT_MS, () => this.#beat());
    this.#send(stream, `retry: ${RETRY_MS}\n${eventText("state", this.stateOf(worker))}`);
    return true;
  }

  remove(stream: LiveStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#cancelHeartbeat?.();
    this.#cancelHeartbeat = undefined;
  }

  /** A reload for a version that is new since the last one leaves pages of that very version alone; any other is for all. */
  reload(workers: readonly string[], css?: readonly string[]): void {
    for (const name of workers) {
      const state = this.#workers.get(name);
      if (state === undefined) continue;
      const isNewVersion = state.version !== state.toldVersion;
      state.toldVersion = state.version;
      if (!isNewVersion) state.count++;
      const text =
        isNewVersion || css === undefined
          ? eventText("state", this.stateOf(name))
          : eventText("css", { ...this.stateOf(name), paths: css });
      this.#tell(name, text);
    }
  }

  /** Ends every stream: this front takes no more, and the browsers find the next one, also those that ask once more on a connection that they have. */
  close(): void {
    this.#isClosed = true;
    for (const { cancelTelling } of this.#workers.values()) cancelTelling?.();
    for (const stream of [...this.#streams.keys()]) {
      this.remove(stream);
      stream.end();
    }
  }

  #tell(name: string, text: string): void {
    for (const [stream, worker] of this.#streams) if (worker === name) this.#send(stream, text);
  }

  #beat(): void {
    this.#cancelHeartbeat = this.#clock.timer(HEARTBEAT_MS, () => this.#beat());
    for (const stream of [...this.#streams.keys()]) this.#send(stream, ":\n\n");
  }

  #send(stream: LiveStream, text: string): void {
    if (stream.write(text)) return;
    this.remove(stream);
    stream.end();
  }
}

const FAILED = "failed ";
const isFailed = (version: string): boolean => version.startsWith(FAILED);

function versionOf({ state, instances, failure }: FrontWorker): string {
  if (state === "failed") return FAILED + (failure?.at ?? "");
  return state === "serving" ? (instances[0]?.version ?? "") : "";
}

/** HTML Standard §9.2.6; JSON has no line break in it. */
const eventText = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
