import type net from "node:net";
import { messageOf } from "../../protocol/errors.ts";
import { BodyReader, type BodySink } from "../http/body-reader.ts";
import { forwardingLines, type Peer, plainAddress, type TrustedProxies } from "../http/forwarding.ts";
import { HttpProblem } from "../http/problem.ts";
import { leadingLineLength, type RequestHead } from "../http/request-head.ts";
import type { Context } from "./context.ts";
import { Exchange } from "./exchange.ts";
import { recordRefusal, refusalText } from "./failure-answer.ts";
import { IncomingRequest } from "./incoming-request.ts";
import { Input } from "./input.ts";
import { LINGER_BYTES_MAX, LINGER_MS, QUEUED_BYTES_MARK, READ_AHEAD_BYTES, STALLED_READER_MS } from "./limits.ts";
import { Output } from "./output.ts";
import type { Places } from "./places.ts";
import type { Tunnel, TunnelEnd } from "./tunnel.ts";

/**
 * `idle`: no byte of a request has come. `head`: some have. `exchange`: a request is being answered. `tunnel`: it has become a WebSocket. `lingering`: its
 * last answer has been written, and what still comes is thrown away until the client closes.
 */
type State = "idle" | "head" | "exchange" | "tunnel" | "lingering" | "closed";

/**
 * A client's connection: reads one request after the other by RFC 9112, and begins the next when the answer before it has been written. A client that closes
 * its side is taken for gone: there is no other sign of an abort.
 */
export class ClientConnection implements BodySink, TunnelEnd {
  readonly output: Output;
  readonly peer: Peer;
  readonly #socket: net.Socket;
  /** What the socket lies on where it is a secure one; else the socket. */
  readonly #transport: net.Socket;
  readonly #context: Context;
  readonly #places: Places;
  readonly #onClosed: (connection: ClientConnection) => void;
  readonly #input = new Input();
  #state: State = "idle";
  /** When it came into this state; of a head, when its first byte came; without a request, when the last answer was seen to have gone. */
  #sinceMs: number;
  /** In this state something was queued still when it was looked at last. */
  #wasQueued = false;
  #exchange: Exchange | undefined;
  /** The rest of the request's body. */
  #body: BodyReader | undefined;
  #tunnel: Tunnel | undefined;
  #isAdvancing = false;
  #hasSkippedLine = false;
  #lingeredBytes = 0;
  /** Forwarding lines for this host: nearly all requests of a connection have the same. */
  #forwardedHost: string | undefined;
  #forwardingText = "";

  constructor(
    socket: net.Socket,
    transport: net.Socket,
    context: Context,
    places: Places,
    trusted: TrustedProxies,
    onClosed: (connection: ClientConnection) => void,
  ) {
    this.#socket = socket;
    this.#transport = transport;
    this.#context = context;
    this.#places = places;
    this.#onClosed = onClosed;
    this.#sinceMs = context.nowMs;
    this.output = new Output(socket, context);
    const address = plainAddress(socket.remoteAddress ?? "");
    this.peer = { address, isSecure: socket !== transport, isTrusted: trusted.has(address) };
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("drain", () => this.#drained());
    socket.on("end", () => this.#ended());
    socket.on("error", () => {}); // a close follows
    socket.on("close", () => this.#closed());
  }

  /** Nothing of a request has come, and the last answer has gone; it can be closed without anybody's loss. */
  get isIdle(): boolean {
    return this.#state === "idle" && this.output.queuedBytes === 0;
  }

  setTrusted(trusted: TrustedProxies): void {
    this.peer.isTrusted = trusted.has(this.peer.address);
  }

  /** What the worker is told of where the request came from. */
  forwarding(head: RequestHead): string {
    if (head.received !== undefined) return forwardingLines(this.peer, head.host, head.received);
    if (this.#forwardingText === "" || this.#forwardedHost !== head.host) {
      this.#forwardedHost = head.host;
      this.#forwardingText = forwardingLines(this.peer, head.host, undefined);
    }
    return this.#forwardingText;
  }

  /** The exchange takes more of the body. */
  pumpBody(): void {
    if (!this.#isAdvancing) this.#advance();
  }

  /** The answer has been written. `isKept`: another request may follow. */
  exchangeDone(isKept: boolean): void {
    this.#exchange = undefined;
    if (!isKept || this.#body !== undefined) {
      this.#linger();
      return;
    }
    this.#become("idle");
    if (!this.#isAdvancing) this.#advance();
  }

  /** The request is no good, or stays away: says so, and ends the connection. */
  refuse(status: number, reason: string): void {
    this.#context.refusedCount++;
    if (this.#exchange !== undefined) {
      this.#exchange.refuse(status, reason);
      return;
    }
    this.output.text(refusalText(status, reason, this.#context.dateLine()));
    recordRefusal(this.#context, this.peer, status);
    this.#linger();
  }

  becomeTunnel(tunnel: Tunnel): void {
    this.#exchange = undefined;
    this.#tunnel = tunnel;
    this.#become("tunnel");
    this.#transport.setKeepAlive(true, TUNNEL_KEEP_ALIVE_MS);
    const rest = this.#input.takeAll();
    if (rest !== undefined) tunnel.fromClient(rest);
    this.resume();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  end(): void {
    this.output.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends it amid an answer. `isByReset`: where the end of the connection would be taken for that of the answer. */
  cut(isByReset: boolean): void {
    this.#exchange = undefined;
    if (isByReset) this.#transport.resetAndDestroy();
    else this.#linger();
  }

  bodyPart(bytes: Buffer, start: number, end: number): void {
    this.#exchange?.requestPart(bytes, start, end);
  }

  bodyEnd(trailers: string): void {
    this.#exchange?.requestEnd(trailers);
  }

  sweep(nowMs: number): void {
    const { idleMs, headMs } = this.#context.limits;
    switch (this.#state) {
      case "idle":
        if (this.#hasRested(idleMs, nowMs)) this.#linger();
        break;
      case "head":
        if (nowMs - this.#sinceMs >= headMs) this.refuse(408, "the head does not come");
        break;
      case "exchange":
        this.#exchange?.sweep(nowMs);
        break;
      case "lingering":
        if (this.#hasRested(LINGER_MS, nowMs)) this.destroy();
        break;
    }
  }

  /** For so long since all that was queued has gone. Until then the client may take its time, as amid an answer; one that takes none is cut off. */
  #hasRested(restMs: number, nowMs: number): boolean {
    const isQueued = this.output.queuedBytes > 0;
    if (this.#wasQueued && !isQueued) this.#sinceMs = nowMs;
    this.#wasQueued = isQueued;
    if (!isQueued) return nowMs - this.#sinceMs >= restMs;
    if (nowMs - this.#sinceMs >= STALLED_READER_MS) this.destroy();
    return false;
  }

  #received(chunk: Buffer): void {
    if (this.#state === "tunnel") this.#tunnel!.fromClient(chunk);
    else if (this.#state === "lingering") {
      this.#lingeredBytes += chunk.length;
      if (this.#lingeredBytes > LINGER_BYTES_MAX) this.destroy();
    } else {
      this.#input.push(chunk);
      this.#advance();
    }
  }

  /** Goes as far as what has come allows. */
  #advance(): void {
    this.#isAdvancing = true;
    try {
      while (this.#step());
    } catch (error) {
      if (error instanceof HttpProblem) this.refuse(error.status, error.message);
      else this.#failed(error);
    } finally {
      this.#isAdvancing = false;
    }
    this.#readOrPause();
  }

  /** A bug, here or in what the exchange called: ends this connection, and not the front. What it has counted is counted back when it closes. */
  #failed(error: unknown): void {
    this.#context.log.error("connection_failed", { error: messageOf(error), stack: (error as Error).stack });
    this.destroy();
  }

  /** False: nothing more can be done now. */
  #step(): boolean {
    if (this.#input.length === 0) return false;
    if (this.#state === "idle" || this.#state === "head") return this.#stepHead();
    if (this.#state !== "exchange" || this.#body === undefined || !this.#exchange!.takesBody) return false;
    const { bytes, start, end } = this.#input;
    const body = this.#body;
    const position = body.read(bytes, start, end, this);
    if (this.#body !== body) return false; // it was given up meanwhile, and what has come thrown away
    if (body.isDone) this.#body = undefined;
    this.#input.consume(position - start);
    return true;
  }

  #stepHead(): boolean {
    const input = this.#input;
    if (this.output.queuedBytes > QUEUED_BYTES_MARK) return false; // it asks and does not read
    if (this.#state === "idle") {
      const skipped = this.#hasSkippedLine ? 0 : leadingLineLength(input.bytes, input.start, input.end);
      if (skipped < 0) return false;
      if (skipped > 0) {
        this.#hasSkippedLine = true;
        input.consume(skipped);
        return true;
      }
      this.#become("head");
    }
    const text = input.head(true);
    if (text === undefined) return false;
    const head = this.#context.requests.read(text, this.peer.isTrusted);
    input.consume(head.length);
    this.#begin(head);
    return true;
  }

  #begin(head: RequestHead): void {
    if (head.isChunked) this.#body = BodyReader.chunked();
    else if (head.contentLength > 0) this.#body = BodyReader.ofLength(head.contentLength);
    this.#hasSkippedLine = false;
    this.#become("exchange");
    const request = new IncomingRequest(head, this.peer, this.#context.identifiers);
    this.#exchange = new Exchange(this, request, this.#context, this.#places);
    this.#exchange.start();
  }

  /** Reading goes on where something becomes of it, and a little beyond, since only a connection that is read shows that it has been closed. */
  #readOrPause(): void {
    if (this.#state === "tunnel" || this.#state === "closed") return;
    const isFull = this.#state === "exchange" && this.#input.length >= READ_AHEAD_BYTES;
    const isUnread =
      this.#state === "head" || this.#state === "idle" ? this.output.queuedBytes > QUEUED_BYTES_MARK : false;
    if (isFull || isUnread) this.pause();
    else this.resume();
  }

  #drained(): void {
    if (this.#state === "tunnel") this.#tunnel!.clientDrained();
    else if (this.#state === "exchange") this.#exchange?.clientDrained();
    else if (this.#state !== "lingering") this.#advance();
  }

  #linger(): void {
    if (this.#state === "lingering" || this.#state === "closed") return;
    this.#exchange = undefined;
    this.#body = undefined;
    this.#input.clear();
    this.#become("lingering");
    this.output.end();
    this.resume();
  }

  #ended(): void {
    if (this.#state === "tunnel") this.#tunnel!.clientEnded();
    else if (this.#state === "exchange" || this.#state === "head") this.destroy();
    else this.output.end();
  }

  #closed(): void {
    const [exchange, tunnel] = [this.#exchange, this.#tunnel];
    this.#become("closed");
    this.#exchange = undefined;
    this.#input.clear();
    exchange?.clientGone();
    tunnel?.clientClosed();
    this.#onClosed(this);
  }

  #become(state: State): void {
    this.#state = state;
    this.#sinceMs = this.#context.nowMs;
    this.#wasQueued = false;
  }
}

/** A peer that has vanished is noticed by the system. */
const TUNNEL_KEEP_ALIVE_MS = 60_000;
