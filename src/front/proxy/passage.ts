import { messageOf } from "../../protocol/errors.ts";
import type { AnswerFraming, AnswerHead } from "../http/answer-head.ts";
import { fieldIn, withEdits } from "../http/field-lines.ts";
import { type AnswerStream, writeChunk } from "./answer-stream.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Context } from "./context.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import type { Instance } from "./instance.ts";
import { BODY_RATE_WINDOW_MS, QUEUED_BYTES_MARK, STALLED_READER_MS } from "./limits.ts";
import type { BodyTransform, ExchangeFailure, Transform } from "./responder.ts";
import { Tunnel } from "./tunnel.ts";
import type { AnswerReceiver, Loss, UpstreamConnection } from "./upstream-connection.ts";

/** How a passage ended without an answer to pass on. */
export interface PassageLoss {
  loss: Loss;
  reason: string;
  /** The connection was never made, so that nothing of the request can have been read. */
  isUnread: boolean;
  hasAnswerBytes: boolean;
}

/** Whose request it is. */
export interface PassageOwner {
  connected(): void;
  /** The answer is whole and handed over. */
  passed(): void;
  lost(loss: PassageLoss): void;
  /** Given up by us. */
  failed(code: ExchangeFailure["code"], reason: string): void;
  /** Its WebSocket has closed. */
  tunnelClosed(): void;
}

export interface PassageOptions {
  client: ClientConnection;
  context: Context;
  request: IncomingRequest;
  answer: AnswerStream;
  instance: Instance;
  transform: Transform | undefined;
  owner: PassageOwner;
}

/** What it waits for: more of the body, the answer's head, the rest of the answer. */
type Phase = "body" | "answer" | "end";

/**
 * One attempt to have a request answered by an instance: hands over its body, and the answer to the client, each no faster than the other side takes it. It is
 * counted at the instance from before the first byte is sent until the answer is whole or given up. Nothing of a body is taken from the client before there
 * is a connection, so that a request whose connection is refused is still whole.
 */
export class Passage implements AnswerReceiver {
  readonly #client: ClientConnection;
  readonly #context: Context;
  readonly #request: IncomingRequest;
  readonly #answer: AnswerStream;
  readonly #transform: Transform | undefined;
  readonly #owner: PassageOwner;
  readonly instance: Instance;
  #upstream: UpstreamConnection | undefined;
  #phase: Phase;
  /** When what it waits for last came a step nearer. */
  #progressMs: number;
  /** The body is measured since then, and had brought so much by then. */
  #measuredSinceMs: number;
  #measuredBytes = 0;
  /** Of the answer's body, when a step was last seen by its being taken: once so much has gone, there has been another one. */
  #owedBytes = 0;
  #awaits100: boolean;
  #isCounted = true;
  isRequestSent: boolean;
  /** More of the body can be handed over. */
  takesBody = false;
  bytesIn = 0;

  constructor({ client, context, request, answer, instance, transform, owner }: PassageOptions) {
    this.#client = client;
    this.#context = context;
    this.#request = request;
    this.#answer = answer;
    this.#transform = transform;
    this.#owner = owner;
    this.instance = instance;
    this.isRequestSent = !request.hasBody;
    this.#awaits100 = request.head.expectsContinue;
    this.#phase = this.isRequestSent || this.#awaits100 ? "answer" : "body";
    this.#progressMs = this.#measuredSinceMs = context.nowMs;
  }

  get method(): string {
    return this.#request.head.method;
  }

  get isUpgrade(): boolean {
    return this.#request.head.isUpgrade;
  }

  /** `text`: the request's head as the instance reads it. */
  start(text: string): void {
    this.instance.begin();
    const upstream = this.instance.connection(this.#request.isRepeatable);
    this.#upstream = upstream;
    upstream.begin(this, text);
    if (upstream.isConnected) this.connected();
  }

  connected(): void {
    this.#owner.connected();
    this.drained();
  }

  drained(): void {
    this.#progressMs = this.#context.nowMs;
    if (this.isRequestSent || this.takesBody) return;
    this.takesBody = true;
    this.#measure();
    this.#client.pumpBody();
  }

  /** Of the client's body. */
  requestPart(bytes: Buffer, start: number, end: number): void {
    const output = this.#upstream!.output;
    this.bytesIn += end - start;
    this.#awaits100 = false;
    this.#progressMs = this.#context.nowMs;
    if (this.#phase === "answer") this.#phase = "body";
    if (!this.#request.head.isChunked) output.bytes(bytes, start, end);
    else if (this.bytesIn <= this.#context.limits.bodyBytesMax) writeChunk(output, bytes, start, end);
    else {
      this.#owner.failed("BODY_TOO_LARGE", "The body is larger than this gateway takes.");
      return;
    }
    if (output.queuedBytes > QUEUED_BYTES_MARK) this.takesBody = false;
  }

  requestEnd(trailers: string): void {
    if (this.#request.head.isChunked) this.#upstream?.output.text(`0\r\n${trailers}\r\n`);
    this.isRequestSent = true;
    this.takesBody = false;
    this.#awaits100 = false;
    if (this.#phase === "body") this.#phase = "answer";
    this.#progressMs = this.#context.nowMs;
  }

  interim(head: AnswerHead): void {
    if (head.status === 100) {
      if (this.#awaits100) this.#phase = "body"; // from now on it is the client's turn
      this.#awaits100 = false;
      this.#progressMs = this.#context.nowMs;
    }
    this.#answer.interim(head.statusText, head.lines);
  }

  answer(head: AnswerHead, framing: AnswerFraming): void {
    if (head.status >= 500) this.instance.trouble.failed++;
    const transform = framing === "none" ? undefined : this.#transformOf(head);
    this.#phase = "end";
    this.#progressMs = this.#context.nowMs;
    const { status, statusText, contentLength } = head;
    const lines = transform?.edits === undefined ? head.lines : withEdits(head.lines, transform.edits);
    // An answer that comes before the request's end closes the connection: what still comes of the body is nobody's.
    const mayKeepAlive = this.#request.head.keepsAlive && this.isRequestSent && !this.#context.isEnding;
    this.#answer.begin({ status, statusText, lines, framing, contentLength, transform }, mayKeepAlive);
  }

  bodyPart(bytes: Buffer, start: number, end: number): void {
    this.#answer.part(bytes, start, end);
    if (this.#client.output.queuedBytes > QUEUED_BYTES_MARK) this.#upstream?.pause();
  }

  bodyEnd(trailers: string): void {
    this.#answer.end(trailers);
    this.#leave();
    this.#owner.passed();
  }

  switched(head: AnswerHead): Tunnel {
    const client = this.#client;
    const lines = `connection: Upgrade\r\nupgrade: websocket\r\n${head.lines}`;
    this.#answer.status = 101;
    client.output.text(`HTTP/1.1 ${head.statusText}\r\n${lines}\r\n`);
    const tunnel = new Tunnel(client, this.#upstream!, (bytesIn, bytesOut) => {
      this.instance.tunnels.delete(tunnel);
      this.bytesIn = bytesIn;
      this.#answer.bodyBytes = bytesOut;
      this.#leave();
      this.#owner.tunnelClosed();
    });
    this.instance.tunnels.add(tunnel);
    this.takesBody = false;
    client.becomeTunnel(tunnel);
    return tunnel;
  }

  lost(loss: Loss, reason: string, hasAnswerBytes: boolean): void {
    const isUnread = this.#upstream?.isConnected === false;
    if (loss !== "cut") this.instance.trouble[loss]++;
    this.#leave();
    this.#owner.lost({ loss, reason, isUnread, hasAnswerBytes });
  }

  clientDrained(): void {
    this.#progressMs = this.#context.nowMs;
    this.#upstream?.resume();
  }

  /** There is no use for it any more: its connection ends. Safe to call after its end. */
  abandon(): void {
    this.#upstream?.abandon();
    this.#leave();
  }

  sweep(nowMs: number): void {
    const { bodyIdleMs, answerMs } = this.#context.limits;
    if (this.#phase === "end") this.#lookWhatIsTaken(nowMs);
    const idleMs = nowMs - this.#progressMs;
    if (this.#phase === "end") {
      if (idleMs >= STALLED_READER_MS && this.#client.output.queuedBytes > 0)
        this.#owner.failed("TOO_LATE", "The client does not read.");
    } else if (this.#phase === "body" && this.takesBody) {
      if (idleMs >= bodyIdleMs) this.#client.refuse(408, "the body does not come");
      else if (this.#isTooSlow(nowMs)) this.#client.refuse(408, "the body comes too slowly");
    } else if (idleMs >= answerMs) {
      this.instance.trouble.late++;
      this.#owner.failed("TOO_LATE", `The worker has not begun to answer within ${answerMs / 1_000} s.`);
    }
  }

  /** A queue that is short is never said to have drained, and one that is always filled anew, as over TLS, is never seen empty. */
  #lookWhatIsTaken(nowMs: number): void {
    const { bodyBytes } = this.#answer;
    if (bodyBytes - this.#client.output.queuedBytes < this.#owedBytes) return;
    this.#owedBytes = bodyBytes;
    this.#progressMs = nowMs;
  }

  #measure(): void {
    this.#measuredSinceMs = this.#context.nowMs;
    this.#measuredBytes = this.bytesIn;
  }

  #isTooSlow(nowMs: number): boolean {
    if (nowMs - this.#measuredSinceMs < BODY_RATE_WINDOW_MS) return false;
    const bytes = this.bytesIn - this.#measuredBytes;
    this.#measure();
    return bytes < (this.#context.limits.bodyBytesPerS * BODY_RATE_WINDOW_MS) / 1_000;
  }

  #transformOf(head: AnswerHead): BodyTransform | undefined {
    try {
      return this.#transform?.(this.#request, { status: head.status, field: (name) => fieldIn(head.lines, name) });
    } catch (error) {
      this.#context.log.error("transform_failed", { path: this.#request.path, error: messageOf(error) });
      return undefined;
    }
  }

  #leave(): void {
    this.#upstream = undefined;
    this.takesBody = false;
    if (!this.#isCounted) return;
    this.#isCounted = false;
    this.instance.finish();
  }
}
