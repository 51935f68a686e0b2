import type { Dial, Wire } from "../../client/client.ts";
import { closeError, LiveStream, type StreamEvents } from "../../client/remote/live-stream.ts";
import type { ByteWire, DialBytes } from "../../client/terminal-world.ts";
import { isWarrenError, WarrenError } from "../../protocol/errors.ts";
import { LineSplitter } from "../../protocol/lines.ts";
import { decodeLive, encodeLive, type LiveFrame } from "../../sealing/live.ts";
import type { Machine, Way } from "./machine.ts";

/**
 * This machine, over one WebSocket to `warren web`: the frames of a live session (docs/remote-design.md, Channels) without the seal, which loopback does not need.
 * It connects again by itself for as long as the page is open; streams end with their connection, and whoever dials again gets one of the next.
 */
export interface LoopbackOptions {
  name: string;
  /** Opens the WebSocket. */
  open(): Pick<WebSocket, "send" | "close" | "binaryType" | "addEventListener" | "bufferedAmount">;
  /** 0–1, for the jitter of the delays. */
  random?: () => number;
  timer?: (delayMs: number, task: () => void) => () => void;
}

const RETRY_FIRST_MS = 200;
const RETRY_MOST_MS = 5_000;
/** How long a dial waits for the way. */
const WAIT_MS = 10_000;
const STREAM_WAITING_BYTES_MAX = 8 * 1024 * 1024;
/** `warren web` closes so when it does not know the pass. */
const PASS_UNKNOWN = 4401;

type Socket = ReturnType<LoopbackOptions["open"]>;

export class Loopback implements Machine {
  readonly id = "local";
  readonly name: string;
  readonly #options: LoopbackOptions;
  readonly #random: () => number;
  readonly #timer: (delayMs: number, task: () => void) => () => void;
  readonly #watchers = new Set<(way: Way) => void>();
  readonly #streams = new Map<number, LiveStream>();
  #way: Way = { kind: "connecting" };
  #socket: Socket | undefined;
  #nextStream = 1;
  #attempt = 0;
  #cancelRetry: () => void = () => {};
  #isClosed = false;

  constructor(options: LoopbackOptions) {
    this.#options = options;
    this.name = options.name;
    this.#random = options.random ?? Math.random;
    this.#timer = options.timer ?? pageTimer;
    this.#connect();
  }

  watch(listener: (way: Way) => void): () => void {
    this.#watchers.add(listener);
    listener(this.#way);
    return () => this.#watchers.delete(listener);
  }

  hurry(): void {
    if (this.#way.kind !== "away") return;
    this.#cancelRetry();
    this.#attempt = 0;
    this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry();
    this.#socket?.close();
  }

  dialLines(target = "primary"): Dial {
    return this.#dialling(target, ({ onLine, onClose }) => {
      const splitter = new LineSplitter(Number.POSITIVE_INFINITY);
      return {
        onBytes: (bytes) => {
          for (const line of splitter.push(bytes)) onLine(line);
        },
        onClose,
        wireOf: (stream): Wire => ({
          send: (line) => stream.send(new TextEncoder().encode(`${line}\n`)),
          close: () => stream.close(),
        }),
      };
    });
  }

  dialBytes(target: string): DialBytes {
    return this.#dialling(target, ({ onBytes, onClose }) => ({
      onBytes,
      onClose,
      wireOf: (stream): ByteWire => ({
        send: (bytes) => stream.send(bytes),
        pause: () => stream.pause(),
        resume: () => stream.resume(),
        close: () => stream.close(),
      }),
    }));
  }

  /** What ended a stream before it said anything is said at the next dial: it would be the same again. */
  #dialling<Events, W>(
    target: string,
    kindOf: (events: Events) => { onBytes(bytes: Uint8Array): void; onClose(): void; wireOf(stream: LiveStream): W },
  ): (events: Events) => Promise<W> {
    let refusal: WarrenError | undefined;
    return async (events) => {
      const known = refusal;
      refusal = undefined;
      if (known) throw known;
      await this.#live();
      const { onBytes, onClose, wireOf } = kindOf(events);
      let hasSpoken = false;
      const stream = this.#open(target, {
        onBytes: (bytes) => {
          hasSpoken = true;
          onBytes(bytes);
        },
        onClosed: (why) => {
          if (!hasSpoken && why && !isWarrenError(why, "TARGET_GONE")) refusal = why;
          onClose();
        },
      });
      return wireOf(stream);
    };
  }

  #open(target: string, events: StreamEvents): LiveStream {
    const number = this.#nextStream++;
    const stream = new LiveStream({
      number,
      target,
      events: {
        onBytes: events.onBytes,
        onClosed: (why) => {
          this.#streams.delete(number);
          events.onClosed(why);
        },
      },
      waitingBytesMax: STREAM_WAITING_BYTES_MAX,
      onMore: () => this.#pump(),
    });
    this.#streams.set(number, stream);
    this.#pump();
    return stream;
  }

  /** Resolves when the way stands. @throws CONNECTION_LOST, PASS_UNKNOWN */
  #live(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cancel = this.#timer(WAIT_MS, () => reject(unreachable()));
    const unwatch = this.watch(({ kind }) => {
      if (kind === "live") resolve();
      else if (kind === "refused") reject(passUnknown());
    });
    return promise.finally(() => {
      cancel();
      unwatch();
    });
  }

  #connect(): void {
    if (this.#isClosed) return;
    const socket = this.#options.open();
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.addEventListener("open", () => {
      if (this.#socket !== socket) return;
      this.#attempt = 0;
      this.#tell({ kind: "live" });
    });
    socket.addEventListener("message", ({ data }: MessageEvent<ArrayBuffer>) => this.#hear(socket, data));
    socket.addEventListener("close", ({ code }: CloseEvent) => this.#lost(socket, code));
  }

  #hear(socket: Socket, data: ArrayBuffer): void {
    if (this.#socket !== socket) return;
    const frame = decodeLive(new Uint8Array(data));
    if (frame.kind === "ping") return this.#send({ kind: "pong", token: frame.token });
    if (frame.kind === "pong" || frame.kind === "open") return;
    const stream = this.#streams.get(frame.stream);
    if (!stream) return; // it has just been closed here
    if (frame.kind === "credit") return stream.credited(frame.bytes);
    if (frame.kind === "close") return stream.ended(closeError(frame));
    if (!stream.hear(frame.bytes)) socket.close();
  }

  #lost(socket: Socket, code: number): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#tell({ kind: code === PASS_UNKNOWN ? "refused" : "away" });
    for (const stream of [...this.#streams.values()]) stream.ended(undefined);
    if (code === PASS_UNKNOWN || this.#isClosed) return;
    const wholeMs = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** Math.min(this.#attempt, 10));
    this.#attempt += 1;
    this.#cancelRetry = this.#timer(wholeMs * (0.5 + this.#random() / 2), () => this.#connect());
  }

  #tell(way: Way): void {
    if (way.kind === this.#way.kind) return;
    this.#way = way;
    for (const watcher of [...this.#watchers]) watcher(way);
  }

  /** Streams take turns; each keeps to its own credit. */
  #pump(): void {
    if (this.#way.kind !== "live") return;
    for (let hasMore = true; hasMore; ) {
      hasMore = false;
      for (const stream of [...this.#streams.values()]) {
        const frame = stream.take();
        if (!frame) continue;
        hasMore = true;
        this.#send(frame);
      }
    }
  }

  #send(frame: LiveFrame): void {
    this.#socket?.send(encodeLive(frame) as Uint8Array<ArrayBuffer>);
  }
}

function pageTimer(delayMs: number, task: () => void): () => void {
  const handle = setTimeout(task, delayMs);
  return () => clearTimeout(handle);
}

const unreachable = (): WarrenError =>
  new WarrenError("CONNECTION_LOST", "warren web does not answer.", { fix: "warren web" });

const passUnknown = (): WarrenError =>
  new WarrenError("PASS_UNKNOWN", "This browser is not let in any more: warren web was started anew.", {
    fix: "warren web",
  });
