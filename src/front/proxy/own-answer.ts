import { messageOf } from "../../protocol/errors.ts";
import { linesOf } from "../http/field-lines.ts";
import { statusText } from "../http/status-text.ts";
import type { AnswerStream } from "./answer-stream.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Context } from "./context.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { QUEUED_BYTES_MARK, STALLED_READER_MS } from "./limits.ts";
import type { HeadField, RequestFacts, Responder, ResponseWriter } from "./responder.ts";

export interface OwnHead {
  status: number;
  headers: readonly HeadField[];
  /** -1: not known. */
  lengthBytes: number;
}

export interface OwnAnswerOwner {
  begin(head: OwnHead): void;
  finish(isWhole: boolean): void;
  /** The responder threw. */
  failed(reason: string): void;
}

/** What a responder writes its answer with. */
export class OwnAnswer implements ResponseWriter {
  readonly #client: ClientConnection;
  readonly #context: Context;
  readonly #answer: AnswerStream;
  readonly #owner: OwnAnswerOwner;
  #isOpen = true;
  #abortion: AbortController | undefined;
  #ready: PromiseWithResolvers<void> | undefined;
  #progressMs: number;

  constructor(client: ClientConnection, context: Context, answer: AnswerStream, owner: OwnAnswerOwner) {
    this.#client = client;
    this.#context = context;
    this.#answer = answer;
    this.#owner = owner;
    this.#progressMs = context.nowMs;
  }

  run(respond: Responder, request: RequestFacts): void {
    try {
      const result = respond(request, this);
      if (result !== undefined) result.catch((error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get queuedBytes(): number {
    return this.#client.output.queuedBytes;
  }

  get signal(): AbortSignal {
    this.#abortion ??= new AbortController();
    if (!this.#isOpen && !this.#answer.hasEnded) this.#abortion.abort();
    return this.#abortion.signal;
  }

  head(status: number, headers: readonly HeadField[]): void {
    if (!this.#isOpen) return;
    if (this.#answer.hasBegun) throw new Error("an answer has one head");
    const length = headers.find(([name]) => name === "content-length")?.[1];
    this.#owner.begin({ status, headers, lengthBytes: length === undefined ? -1 : Number(length) });
  }

  write(chunk: string | Buffer): boolean {
    if (!this.#isOpen) return false;
    if (!this.#answer.hasBegun) throw new Error("an answer begins with its head");
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    this.#progressMs = this.#context.nowMs;
    if (!this.#answer.part(bytes, 0, bytes.length)) this.#close(false);
    return this.#isOpen && this.queuedBytes <= QUEUED_BYTES_MARK;
  }

  ready(): Promise<void> {
    if (!this.#isOpen || this.queuedBytes <= QUEUED_BYTES_MARK) return Promise.resolve();
    this.#ready ??= Promise.withResolvers<void>();
    return this.#ready.promise;
  }

  end(chunk?: string | Buffer): void {
    if (chunk !== undefined) this.write(chunk);
    if (!this.#isOpen) return;
    if (!this.#answer.hasBegun) throw new Error("an answer begins with its head");
    this.#close(this.#answer.end(""));
  }

  abort(): void {
    if (this.#isOpen) this.#close(false);
  }

  drained(): void {
    this.#progressMs = this.#context.nowMs;
    this.#settleReady();
  }

  clientGone(): void {
    this.#isOpen = false;
    this.#abortion?.abort();
    this.#settleReady();
  }

  sweep(nowMs: number): void {
    if (nowMs - this.#progressMs >= STALLED_READER_MS && this.queuedBytes > 0) this.abort();
  }

  #close(isWhole: boolean): void {
    this.#isOpen = false;
    if (!isWhole) this.#abortion?.abort();
    this.#settleReady();
    this.#owner.finish(isWhole);
  }

  #failed(error: unknown): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#abortion?.abort();
    this.#settleReady();
    this.#owner.failed(messageOf(error));
  }

  #settleReady(): void {
    this.#ready?.resolve();
    this.#ready = undefined;
  }
}

/** Begins an answer that is ours; what a request brings of a body is not read, so the connection ends with it. */
export function beginOwn(answer: AnswerStream, request: IncomingRequest, context: Context, own: OwnHead): void {
  const { status, headers, lengthBytes } = own;
  const { head, hasBody } = request;
  const hasNoBody = status === 204 || status === 304;
  const isBodiless = hasNoBody || head.method === "HEAD" || lengthBytes === 0;
  answer.begin(
    {
      status,
      statusText: statusText(status),
      lines: linesOf(headers.filter(isForResponders)) + context.dateLine(),
      framing: isBodiless ? "none" : lengthBytes < 0 ? "close" : "length",
      contentLength: hasNoBody ? -1 : lengthBytes,
      transform: undefined,
    },
    head.keepsAlive && !hasBody && !context.isEnding,
  );
}

/** Fields that are ours to say in an answer of our own. */
const OURS = new Set(["content-length", "transfer-encoding", "connection", "keep-alive", "date", "upgrade"]);
const isForResponders = ([name]: HeadField): boolean => !OURS.has(name);
