import net from "node:net";
import tls from "node:tls";
import { messageOf, systemCode } from "../../protocol/errors.ts";
import { type AnswerFraming, type AnswerHead, answerFraming } from "../http/answer-head.ts";
import { BodyReader, type BodySink } from "../http/body-reader.ts";
import { HttpProblem } from "../http/problem.ts";
import type { Context } from "./context.ts";
import { Input } from "./input.ts";
import type { Instance } from "./instance.ts";
import { INTERIM_ANSWERS_MAX, POOL_IDLE_MAX_MS, POOL_IDLE_MS } from "./limits.ts";
import { Output } from "./output.ts";
import type { Tunnel } from "./tunnel.ts";

/** How an exchange lost its connection. `cut`: we were told to. */
export type Loss = "refused" | "reset" | "bad" | "cut";

/** Who is given an answer. */
export interface AnswerReceiver extends BodySink {
  readonly method: string;
  readonly isUpgrade: boolean;
  /** All of the request has been handed over: the connection can take another one. */
  readonly isRequestSent: boolean;
  connected(): void;
  /** Room again after there was none. */
  drained(): void;
  interim(head: AnswerHead): void;
  answer(head: AnswerHead, framing: AnswerFraming): void;
  /** 101. */
  switched(head: AnswerHead): Tunnel;
  /** `hasAnswerBytes`: of an answer something had come. */
  lost(loss: Loss, reason: string, hasAnswerBytes: boolean): void;
}

/**
 * One connection to an instance: sends a request at a time and reads its answer by RFC 9112. Whatever it has not asked for ends it. It tells its exchange what
 * comes and does not know what becomes of it.
 */
export class UpstreamConnection implements BodySink {
  readonly output: Output;
  readonly #instance: Instance;
  readonly #context: Context;
  readonly #socket: net.Socket;
  readonly #input = new Input();
  #exchange: AnswerReceiver | undefined;
  #tunnel: Tunnel | undefined;
  #head: AnswerHead | undefined;
  #body: BodyReader | undefined;
  #isBodyUntilClose = false;
  #interimCount = 0;
  /** Set within a read: the answer's body is whole. */
  #endTrailers: string | undefined;
  #hasAnswerBytes = false;
  #errorText = "";
  isConnected = false;
  idleSinceMs = 0;
  keepUntilMs = 0;

  constructor(instance: Instance, context: Context) {
    this.#instance = instance;
    this.#context = context;
    const { host, port, isTls } = instance.address;
    const socket = isTls ? secureSocket(instance) : net.connect({ host, port, onread: this.#intoBuffer() });
    socket.setNoDelay(true);
    this.#socket = socket;
    this.output = new Output(socket, context);
    socket.once(isTls ? "secureConnect" : "connect", () => this.#connected());
    if (isTls) socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("drain", () => {
      if (this.#tunnel !== undefined) this.#tunnel.workerDrained();
      else this.#exchange?.drained();
    });
    socket.on("end", () => this.#ended());
    socket.on("error", (error) => {
      const { trust, address } = instance;
      this.#errorText = trust?.reasonOf(error, address.host) ?? systemCode(error) ?? messageOf(error);
    });
    socket.on("close", () => this.#closed());
  }

  get isUsable(): boolean {
    return !this.#socket.destroyed && this.#socket.writable && !this.#socket.readableEnded;
  }

  begin(exchange: AnswerReceiver, text: string): void {
    this.#exchange = exchange;
    this.#hasAnswerBytes = false;
    this.#interimCount = 0;
    this.output.text(text);
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

  /** Its exchange has no use for it any more: nobody is told. */
  abandon(): void {
    this.#exchange = undefined;
    this.destroy();
  }

  /** Ends it and tells its exchange. */
  cut(): void {
    if (this.#tunnel === undefined) this.#lose("cut", "the instance is closed");
  }

  destroy(): void {
    this.#socket.destroy();
    this.#instance.forget(this);
  }

  bodyPart(bytes: Buffer, start: number, end: number): void {
    this.#exchange?.bodyPart(bytes, start, end);
  }

  bodyEnd(trailers: string): void {
    this.#endTrailers = trailers;
  }

  #connected(): void {
    this.isConnected = true;
    this.#exchange?.connected();
  }

  /** Without a buffer, a turn of a stream and an event for each read (net.connect, `onread`). */
  #intoBuffer(): net.OnReadOpts {
    const { readBuffers } = this.#context;
    let buffer = readBuffers.take();
    let readBytes = 0;
    const passOn = (): void => {
      this.#received(buffer.bytes.subarray(0, readBytes));
      this.#input.detach();
    };
    return {
      buffer: () => buffer.bytes,
      callback: (count) => {
        readBytes = count;
        buffer = readBuffers.use(buffer, passOn);
        return true;
      },
    };
  }

  #received(chunk: Buffer): void {
    if (this.#tunnel !== undefined) {
      this.#tunnel.fromWorker(chunk);
      return;
    }
    if (this.#exchange === undefined) {
      this.#instance.trouble.bad++; // bytes that nobody asked for
      this.destroy();
      return;
    }
    this.#hasAnswerBytes = true;
    this.#input.push(chunk);
    try {
      this.#read();
    } catch (error) {
      if (error instanceof HttpProblem) this.#lose("bad", `it sent something that is no answer: ${error.message}`);
      else this.#failed(error);
    }
  }

  /** A bug, here or in a transform: ends this exchange, and not the front. */
  #failed(error: unknown, exchange = this.#exchange): void {
    this.#context.log.error("answer_failed", { error: messageOf(error), stack: (error as Error).stack });
    this.#exchange = exchange;
    this.#lose("cut", "the gateway could not pass the answer on");
  }

  #read(): void {
    const input = this.#input;
    while (input.length > 0 && this.#exchange !== undefined) {
      if (this.#body === undefined) {
        const text = input.head(false);
        if (text === undefined) return;
        const head = this.#context.answers.read(text);
        input.consume(head.length);
        this.#readHead(head, this.#exchange);
      } else {
        const position = this.#body.read(input.bytes, input.start, input.end, this);
        input.consume(position - input.start);
      }
      if (this.#endTrailers !== undefined) this.#finish(this.#endTrailers);
    }
  }

  #readHead(head: AnswerHead, exchange: AnswerReceiver): void {
    if (head.status === 101) {
      this.#switch(head, exchange);
      return;
    }
    if (head.status < 200) {
      if (++this.#interimCount > INTERIM_ANSWERS_MAX) throw new HttpProblem(502, "too many interim answers");
      exchange.interim(head);
      return;
    }
    const framing = answerFraming(head, exchange.method);
    this.#head = head;
    this.#isBodyUntilClose = framing === "close";
    exchange.answer(head, framing);
    if (framing === "none") this.#endTrailers = "";
    else if (framing === "chunked") this.#body = BodyReader.chunked();
    else this.#body = framing === "close" ? BodyReader.untilClose() : BodyReader.ofLength(head.contentLength);
  }

  /** RFC 9110 §7.8: only to what was asked for. */
  #switch(head: AnswerHead, exchange: AnswerReceiver): void {
    if (!exchange.isUpgrade || head.upgrade?.toLowerCase() !== "websocket")
      throw new HttpProblem(502, "a switch that nobody asked for");
    this.#tunnel = exchange.switched(head);
    this.#exchange = undefined;
    const rest = this.#input.takeAll();
    if (rest !== undefined) this.#tunnel.fromWorker(rest);
  }

  /** The exchange is told last: it may ask for this very connection again at once. */
  #finish(trailers: string): void {
    const [exchange, head] = [this.#exchange!, this.#head!];
    this.#exchange = undefined;
    this.#head = undefined;
    this.#body = undefined;
    this.#endTrailers = undefined;
    const hasMore = this.#input.length > 0;
    if (hasMore) this.#instance.trouble.bad++;
    const isKept = head.keepsAlive && !hasMore && !this.#isBodyUntilClose && exchange.isRequestSent && this.isUsable;
    this.#isBodyUntilClose = false;
    if (isKept) this.#keep(head.keepAliveS);
    else this.destroy();
    try {
      exchange.bodyEnd(trailers);
    } catch (error) {
      this.#failed(error, exchange);
    }
  }

  #keep(keepAliveS: number): void {
    const saidMs = Math.min(keepAliveS * 1_000 - 1_000, POOL_IDLE_MAX_MS);
    const keepMs = keepAliveS > 0 ? saidMs : POOL_IDLE_MS;
    if (keepMs <= 0) {
      this.destroy();
      return;
    }
    this.idleSinceMs = this.#context.nowMs;
    this.keepUntilMs = this.idleSinceMs + keepMs;
    this.resume();
    this.#instance.keep(this);
  }

  /** The instance sends nothing more. */
  #ended(): void {
    if (this.#tunnel !== undefined) this.#tunnel.workerEnded();
    else if (this.#exchange !== undefined && this.#isBodyUntilClose) this.#finish("");
    else this.#lose("reset", "it closed the connection");
  }

  #closed(): void {
    this.#instance.forget(this);
    if (this.#tunnel !== undefined) this.#tunnel.workerClosed();
    else this.#lose(this.isConnected ? "reset" : "refused", this.#errorText || "it closed the connection");
  }

  #lose(loss: Loss, reason: string): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.destroy();
    exchange?.lost(loss, reason, this.#hasAnswerBytes);
  }
}

/** Who answers has to prove that it is the host that was configured, whatever the environment says of it. */
function secureSocket({ address: { host, port }, trust }: Instance): net.Socket {
  return tls.connect({
    host,
    port,
    servername: net.isIP(host) === 0 ? host : "",
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: true,
    ...(trust?.context !== undefined && { secureContext: trust.context }),
  });
}
