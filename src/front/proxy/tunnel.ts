import { QUEUED_BYTES_MARK, TUNNEL_END_MS } from "./limits.ts";
import type { Output } from "./output.ts";
import { closeFrame, FrameTracker } from "./websocket-frames.ts";

/** One end of a tunnel. */
export interface TunnelEnd {
  readonly output: Output;
  pause(): void;
  resume(): void;
  /** Sends nothing more. */
  end(): void;
  destroy(): void;
}

/** What a tunnel tells when both ends have closed. */
export type TunnelClosed = (bytesIn: number, bytesOut: number) => void;

/**
 * A WebSocket: bytes both ways as they come, after a switch of protocols. It follows the frames, so that it can end one politely: with a close frame 1012
 * between two frames of the worker's, after which nothing of the worker's goes on, and the connection closes once the client has answered with its own
 * (RFC 6455 §7.1). The worker is told 1001 in the same way.
 */
export class Tunnel {
  readonly #client: TunnelEnd;
  readonly #worker: TunnelEnd;
  readonly #onClosed: TunnelClosed;
  readonly #toClient = new FrameTracker();
  readonly #toWorker = new FrameTracker();
  #isClosing = false;
  /** Our close frame has gone out; what comes for that side is thrown away. */
  #isClientTold = false;
  #isWorkerTold = false;
  #openEnds = 2;
  #bytesIn = 0;
  #bytesOut = 0;
  #cutAtMs = Number.POSITIVE_INFINITY;
  #isEnding = false;
  /** When it is to be ended politely; set from outside. */
  closeAtMs = Number.POSITIVE_INFINITY;

  constructor(client: TunnelEnd, worker: TunnelEnd, onClosed: TunnelClosed) {
    this.#client = client;
    this.#worker = worker;
    this.#onClosed = onClosed;
  }

  fromWorker(chunk: Buffer): void {
    if (this.#isClientTold) return;
    const end = this.#toClient.advance(chunk, 0, this.#isClosing);
    this.#bytesOut += end;
    this.#client.output.bytes(chunk, 0, end);
    if (this.#isClosing) this.#tellClient();
    if (this.#client.output.queuedBytes > QUEUED_BYTES_MARK) this.#worker.pause();
  }

  fromClient(chunk: Buffer): void {
    if (this.#isWorkerTold) {
      // It is looked at all the same: the client's own close frame ends the connection.
      this.#toWorker.advance(chunk, 0, false);
    } else {
      const end = this.#toWorker.advance(chunk, 0, this.#isClosing);
      this.#bytesIn += end;
      this.#worker.output.bytes(chunk, 0, end);
      if (this.#isClosing) this.#tellWorker();
      if (end < chunk.length) this.#toWorker.advance(chunk, end, false);
      if (this.#worker.output.queuedBytes > QUEUED_BYTES_MARK) this.#client.pause();
    }
    if (this.#isClientTold && this.#toWorker.hasClosed) this.#client.end();
  }

  clientDrained(): void {
    this.#worker.resume();
  }

  workerDrained(): void {
    this.#client.resume();
  }

  clientEnded(): void {
    this.#isEnding = true;
    this.#worker.end();
  }

  workerEnded(): void {
    this.#isEnding = true;
    if (!this.#isClientTold) this.#client.end();
  }

  clientClosed(): void {
    this.#worker.end();
    this.#closed();
  }

  workerClosed(): void {
    if (!this.#isClientTold) this.#client.end();
    this.#closed();
  }

  sweep(nowMs: number): void {
    if (nowMs >= this.closeAtMs && !this.#isClosing) this.#close();
    if (!this.#isEnding && !this.#isClosing) return;
    if (this.#cutAtMs === Number.POSITIVE_INFINITY) this.#cutAtMs = nowMs + TUNNEL_END_MS;
    else if (nowMs >= this.#cutAtMs) this.destroy();
  }

  destroy(): void {
    this.#client.destroy();
    this.#worker.destroy();
  }

  #close(): void {
    this.#isClosing = true;
    this.#tellClient();
    this.#tellWorker();
  }

  #tellClient(): void {
    if (this.#isClientTold || !this.#toClient.isAtBoundary) return;
    this.#isClientTold = true;
    if (!this.#toClient.hasClosed) sendWhole(this.#client.output, closeFrame(SERVICE_RESTART, false));
    this.#worker.resume(); // its end is to be seen
    if (this.#toWorker.hasClosed) this.#client.end();
  }

  #tellWorker(): void {
    if (this.#isWorkerTold || !this.#toWorker.isAtBoundary) return;
    this.#isWorkerTold = true;
    if (!this.#toWorker.hasClosed) sendWhole(this.#worker.output, closeFrame(GOING_AWAY, true));
    this.#client.resume();
  }

  #closed(): void {
    this.#isEnding = true;
    if (--this.#openEnds === 0) this.#onClosed(this.#bytesIn, this.#bytesOut);
  }
}

const SERVICE_RESTART = 1012;
const GOING_AWAY = 1001;

const sendWhole = (output: Output, frame: Buffer): void => output.bytes(frame, 0, frame.length);
