import type { Dial } from "../../client/client.ts";
import { LiveStream, type StreamEvents } from "../../client/remote/live-stream.ts";
import { isPassing, StreamDials } from "../../client/remote/stream-dials.ts";
import type { DialBytes } from "../../client/terminal-world.ts";
import { RetryDelay } from "../../contact/retry-delay.ts";
import { StreamSet } from "../../contact/stream-set.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { decodeLive, encodeLive, type LiveFrame } from "../../sealing/live.ts";
import type { Machine, Way } from "./machine.ts";
import { sendOpen } from "./send-open.ts";

/**
 * This machine, over one WebSocket to `warren web`: the frames of a live session (docs/remote-design.md, Channels) without the seal, which loopback does not need.
 * It connects again by itself for as long as the page is open; streams end with their connection, and whoever dials again gets one of the next.
 */
export interface LoopbackOptions {
  name: string;
  /** Opens the WebSocket. */
  open(): Pick<WebSocket, "send" | "close" | "readyState" | "binaryType" | "addEventListener" | "bufferedAmount">;
  /** 0–1, for the jitter of the delays. */
  random?: () => number;
  timer?: (delayMs: number, task: () => void) => () => void;
}

/** It is this machine: near, and back at once. */
const RETRIES = { retryFirstMs: 200, retryMostMs: 5_000, retryRefusedMs: 5_000 };
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
  readonly #delay: RetryDelay;
  readonly #timer: (delayMs: number, task: () => void) => () => void;
  readonly #watchers = new Set<(way: Way) => void>();
  readonly #streams = new StreamSet<LiveStream>();
  readonly #dials = new StreamDials({
    open: (target, events) => this.#open(target, events),
    refusalOf: (why) => (why && !isPassing(why) ? why : undefined),
  });
  #way: Way = { kind: "connecting" };
  #socket: Socket | undefined;
  #cancelRetry: () => void = () => {};
  #isClosed = false;

  constructor(options: LoopbackOptions) {
    this.#options = options;
    this.name = options.name;
    this.#delay = new RetryDelay(RETRIES, options.random ?? Math.random);
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
    this.#delay.reset();
    this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry();
    this.#socket?.close();
  }

  dialLines(target = "primary"): Dial {
    return this.#dials.lines(target);
  }

  dialBytes(target: string): DialBytes {
    return this.#dials.bytes(target);
  }

  async #open(target: string, events: StreamEvents): Promise<LiveStream> {
    await this.#live();
    const onMore = (): void => this.#pump();
    const options = { target, events, waitingBytesMax: STREAM_WAITING_BYTES_MAX, onMore };
    const stream = this.#streams.open((number) => new LiveStream(number, options));
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
      this.#delay.reset();
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
    if (!this.#streams.hear(frame)) socket.close();
  }

  #lost(socket: Socket, code: number): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#tell({ kind: code === PASS_UNKNOWN ? "refused" : "away" });
    this.#streams.end();
    if (code === PASS_UNKNOWN || this.#isClosed) return;
    this.#cancelRetry = this.#timer(this.#delay.nextMs(false), () => this.#connect());
  }

  #tell(way: Way): void {
    if (way.kind === this.#way.kind) return;
    this.#way = way;
    for (const watcher of [...this.#watchers]) watcher(way);
  }

  /** Each stream keeps to its own credit. */
  #pump(): void {
    if (this.#way.kind !== "live") return;
    for (let frame = this.#streams.take(); frame; frame = this.#streams.take()) this.#send(frame);
  }

  #send(frame: LiveFrame): void {
    if (this.#socket) sendOpen(this.#socket, encodeLive(frame));
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
