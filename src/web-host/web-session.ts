import type { WebSocket } from "ws";
import { StreamSet } from "../contact/stream-set.ts";
import { WarrenError } from "../protocol/errors.ts";
import type { StreamGreeting } from "../remote/greeting.ts";
import type { ConnectUnit } from "../remote/network.ts";
import { StreamBridge } from "../remote/stream-bridge.ts";
import { decodeLive, encodeLive, type LiveFrame } from "../sealing/live.ts";

/**
 * One page: streams to the servers of this home, in the frames of a live session (docs/remote-design.md, Channels), each a message of the WebSocket. Nothing is sealed: both ends are
 * this machine. A page that breaks the form or the credit is cut off.
 */
export interface WebSessionOptions {
  socket: WebSocket;
  greeting: StreamGreeting;
  connect: ConnectUnit;
}

/** Past it a stream is closed with STREAMS_FULL. */
const STREAMS_MAX = 64;
/** What a page has not read yet; no stream is asked for more until it is less. */
const UNSENT_BYTES_MAX = 1024 * 1024;

export class WebSession {
  readonly #options: WebSessionOptions;
  readonly #streams = new StreamSet<StreamBridge>();

  constructor(options: WebSessionOptions) {
    this.#options = options;
    const { socket } = options;
    socket.on("error", () => {}); // a close follows
    socket.on("message", (data, isBinary) => this.#hear(data as Buffer, isBinary));
    socket.on("close", () => this.#streams.end());
  }

  #hear(bytes: Buffer, isBinary: boolean): void {
    try {
      if (!isBinary) throw new WarrenError("FORM_INVALID", "Text is no frame.");
      this.#onFrame(decodeLive(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)));
    } catch (error) {
      if (!(error instanceof WarrenError)) throw error;
      this.#options.socket.close(1002, error.code);
    }
  }

  #onFrame(frame: LiveFrame): void {
    switch (frame.kind) {
      case "ping":
        return this.#send({ kind: "pong", token: frame.token });
      case "pong":
        return;
      case "open":
        return this.#open(frame.stream, frame.target);
    }
    if (!this.#streams.hear(frame)) this.#options.socket.close(1002, "CREDIT_EXCEEDED");
  }

  #open(stream: number, target: string): void {
    const { greeting, connect, socket } = this.#options;
    if (this.#streams.has(stream)) return socket.close(1002, "STREAM_TAKEN");
    if (this.#streams.size >= STREAMS_MAX) {
      const sentence = `This page has ${STREAMS_MAX} streams open already.`;
      return this.#send({ kind: "close", stream, code: "STREAMS_FULL", sentence });
    }
    this.#streams.add(stream, new StreamBridge({ stream, target, greeting, connect, onMore: () => this.#pump() }));
  }

  #send(frame: LiveFrame): void {
    this.#options.socket.send(encodeLive(frame), { binary: true }, () => this.#pump());
  }

  /** As far as there is room; streams take turns. */
  #pump(): void {
    const { socket } = this.#options;
    if (socket.readyState !== socket.OPEN) return;
    while (socket.bufferedAmount < UNSENT_BYTES_MAX) {
      const frame = this.#streams.take();
      if (!frame) return;
      this.#send(frame);
    }
  }
}
