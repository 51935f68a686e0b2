import { type FSWatcher, statSync, watch } from "node:fs";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { dropStateOf } from "./dropped.ts";
import { type Positions, pathOf, type RunLogPaths, STREAMS, type Stream } from "./files.ts";
import { OrderWriter } from "./order-writer.ts";

/**
 * Watches a run's two logs and writes their order index. It is never in the data path: it sees that a file grew, looks at both sizes and
 * notes them.
 *
 * Invariants:
 * 1. Bytes that were seen but are not yet recorded belong to one stream. Growth of the other stream first records what is pending, so a reader
 *    finds the streams in the order in which they grew, true to the time that an event takes (1 ms).
 * 2. While only one stream grows, at most one record per RECORD_INTERVAL_MS is written: enough for `--since`.
 * 3. When both grew within one sample, the stream whose event came first goes first; a stream that is paused (4) grew before the one that is not.
 * 4. A flooding stream is not watched for PAUSE_MS, doubled up to PAUSE_MS_MAX while the flood lasts: one that had FLOOD_EVENTS_ALONE events within
 *    FLOOD_WINDOW_MS while the other did not grow, or FLOOD_EVENTS in any case. The other stream is still watched, and each of its events samples both.
 *    So a flood costs 1 to 2 % of a core however many bytes it has, and order suffers only where both streams flood.
 * 5. A sample is taken when the watch begins (what grew while nobody watched counts as stdout first, then stderr) and when it stops.
 *
 * Without inotify (no watch left, a foreign file system) sizes are looked at every POLL_MS.
 */

const RECORD_INTERVAL_MS = 100;
const FLOOD_WINDOW_MS = 20;
const FLOOD_EVENTS_ALONE = 32;
/** More than lines to both streams 100 µs apart make. */
const FLOOD_EVENTS = 128;
const PAUSE_MS = 20;
const PAUSE_MS_MAX = 160;
const POLL_MS = 100;

export interface WatchRunOptions extends RunLogPaths {
  /** Stops the watch; the last sample is then taken. */
  signal: AbortSignal;
  clock?: Clock;
  writer?: OrderWriter;
}

export interface RunWatch {
  /** Resolves when the first sample is taken. Never rejects. */
  armed: Promise<void>;
  /** Resolves after `signal`, when the last sample is on disk. Never rejects: a failing disk makes the order coarser, nothing else. */
  stopped: Promise<void>;
}

export function watchRun(options: WatchRunOptions): RunWatch {
  const sampler = new OrderSampler(options);
  const armed = sampler.start();
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  const stop = () => resolve(armed.then(() => sampler.stop()));
  if (options.signal.aborted) stop();
  else options.signal.addEventListener("abort", stop, { once: true });
  return { armed, stopped };
}

/** One watched stream; `paused` covers a flood (4) and a file that cannot be watched. */
interface Watched {
  path: string;
  watcher: FSWatcher | undefined;
  cancelTimer: (() => void) | undefined;
  windowStartMs: number;
  eventCount: number;
  /** Events since the other stream grew. */
  aloneCount: number;
  /** What the next pause lasts. */
  pauseMs: number;
  /** What a truncating cap took away: added to the file's size to get the absolute offset. */
  baseBytes: number;
  fileBytes: number;
}

export class OrderSampler {
  readonly #writer: OrderWriter;
  readonly #clock: Clock;
  readonly #watched: Record<Stream, Watched>;
  readonly #seen: Positions = { stdout: 0, stderr: 0 };
  #pending: Stream | undefined;
  #recordedAtMs = Number.NEGATIVE_INFINITY;
  #cancelRecord: (() => void) | undefined;
  #state: "opening" | "sampling" | "stopped" = "opening";

  constructor(options: Omit<WatchRunOptions, "signal">) {
    this.#clock = options.clock ?? systemClock;
    this.#writer = options.writer ?? new OrderWriter(options.indexPath);
    this.#watched = {
      stdout: newWatched(pathOf(options, "stdout")),
      stderr: newWatched(pathOf(options, "stderr")),
    };
  }

  async start(): Promise<void> {
    for (const stream of STREAMS) this.#arm(stream);
    await this.#writer.open();
    for (const stream of STREAMS) {
      this.#watched[stream].baseBytes = (await dropStateOf(this.#watched[stream].path)).baseBytes;
      this.#seen[stream] = this.#writer.last?.[stream] ?? 0;
    }
    this.#state = "sampling";
    this.sample(undefined);
  }

  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    this.sample(undefined);
    this.#record();
    this.#state = "stopped";
    for (const stream of STREAMS) this.#disarm(this.#watched[stream]);
    await this.#writer.close();
  }

  /** Looks at both sizes. `trigger` is the stream whose event asked for it. */
  sample(trigger: Stream | undefined): void {
    if (this.#state !== "sampling") return;
    const other = trigger === "stdout" ? "stderr" : "stdout";
    const otherFirst = trigger === undefined || this.#watched[other].watcher === undefined;
    const first = otherFirst ? other : trigger;
    const sizes = { stdout: this.#sizeOf("stdout"), stderr: this.#sizeOf("stderr") };
    for (const stream of [first, first === "stdout" ? "stderr" : "stdout"] as const) {
      if (sizes[stream] > this.#seen[stream]) this.#grew(stream, sizes[stream]);
    }
  }

  #grew(stream: Stream, size: number): void {
    if (this.#pending !== undefined && this.#pending !== stream) this.#record();
    this.#pending = stream;
    this.#seen[stream] = size;
    this.#watched[stream === "stdout" ? "stderr" : "stdout"].aloneCount = 0;
    const waitMs = this.#recordedAtMs + RECORD_INTERVAL_MS - this.#clock.monotonicMs();
    if (waitMs <= 0) this.#record();
    else this.#cancelRecord ??= this.#clock.timer(waitMs, () => this.#record());
  }

  #record(): void {
    this.#cancelRecord?.();
    this.#cancelRecord = undefined;
    if (this.#pending === undefined) return;
    this.#pending = undefined;
    this.#recordedAtMs = this.#clock.monotonicMs();
    this.#writer.append({ timeMs: this.#clock.wallMs(), ...this.#seen });
  }

  // Synchronous: 0.5 µs on a local file system, and an answer from the thread pool would come after the next event.
  #sizeOf(stream: Stream): number {
    const watched = this.#watched[stream];
    const fileBytes = fileSizeOf(watched.path) ?? watched.fileBytes;
    if (fileBytes < watched.fileBytes) void this.#rebase(stream);
    watched.fileBytes = fileBytes;
    return watched.baseBytes + fileBytes;
  }

  /** The file became shorter: a cap without hole punching cut it, and says by how much. */
  async #rebase(stream: Stream): Promise<void> {
    this.#watched[stream].baseBytes = (await dropStateOf(this.#watched[stream].path)).baseBytes;
    this.sample(undefined);
  }

  #arm(stream: Stream): void {
    const watched = this.#watched[stream];
    this.#beginWindow(watched);
    try {
      watched.watcher = watch(watched.path, () => this.#onEvent(stream));
      watched.watcher.on("error", () => this.#pause(stream, POLL_MS));
    } catch {
      this.#pause(stream, POLL_MS);
    }
  }

  #onEvent(stream: Stream): void {
    const watched = this.#watched[stream];
    this.sample(stream);
    watched.eventCount += 1;
    watched.aloneCount += 1;
    if (watched.aloneCount < FLOOD_EVENTS_ALONE && watched.eventCount < FLOOD_EVENTS) return;
    const isFlood = this.#clock.monotonicMs() - watched.windowStartMs < FLOOD_WINDOW_MS;
    const { pauseMs } = watched;
    watched.pauseMs = isFlood ? Math.min(2 * pauseMs, PAUSE_MS_MAX) : PAUSE_MS;
    this.#beginWindow(watched);
    if (isFlood) this.#pause(stream, pauseMs);
  }

  #beginWindow(watched: Watched): void {
    watched.eventCount = 0;
    watched.aloneCount = 0;
    watched.windowStartMs = this.#clock.monotonicMs();
  }

  /** Stops watching `stream` for a while; watches first and samples after, so that nothing falls between. */
  #pause(stream: Stream, pauseMs: number): void {
    const watched = this.#watched[stream];
    this.#disarm(watched);
    if (this.#state === "stopped") return;
    watched.cancelTimer = this.#clock.timer(pauseMs, () => {
      watched.cancelTimer = undefined;
      this.#arm(stream);
      this.sample(stream);
    });
  }

  #disarm(watched: Watched): void {
    watched.watcher?.close();
    watched.watcher = undefined;
    watched.cancelTimer?.();
    watched.cancelTimer = undefined;
  }
}

/** Undefined for a file that is gone or cannot be looked at: it then counts as not grown. */
function fileSizeOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size;
  } catch {
    return undefined;
  }
}

const newWatched = (path: string): Watched => ({
  path,
  watcher: undefined,
  cancelTimer: undefined,
  windowStartMs: 0,
  eventCount: 0,
  aloneCount: 0,
  pauseMs: PAUSE_MS,
  baseBytes: 0,
  fileBytes: 0,
});
