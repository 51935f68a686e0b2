import { messageOf } from "../../protocol/errors.ts";
import { AnswerStream } from "./answer-stream.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Context } from "./context.ts";
import { failureAnswer, failureOf, textAnswer } from "./failure-answer.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import type { Instance } from "./instance.ts";
import { SENDS_MAX } from "./limits.ts";
import { beginOwn, OwnAnswer } from "./own-answer.ts";
import { Passage, type PassageLoss, type PassageOwner } from "./passage.ts";
import type { Places } from "./places.ts";
import type { Answer, ExchangeFailure, Responder, SessionTarget, Target, WorkerTarget } from "./responder.ts";
import { sentHead } from "./sent-head.ts";
import type { Waiting, WorkerEntry } from "./worker-entry.ts";

/**
 * One request and its answer, from its head to its end: where it goes, whether it waits, how often it is sent, and what the client gets when that fails.
 *
 * A request is sent again only if nothing of it can have been read, since the connection was never made: whatever its method, to other instances first, and
 * after them it waits. Or if it has no effect (GET, HEAD, OPTIONS), no body, and not a byte of an answer had come: once; and once more, behind a wait, when both
 * were lost at one instance, since whoever is killed may take a connection while it dies. Any other gets one 502. Once an answer's head has gone to the client,
 * a loss cuts the client's connection, so that it sees that something is missing.
 */
export class Exchange implements PassageOwner, Waiting {
  readonly request: IncomingRequest;
  readonly number: number;
  readonly #client: ClientConnection;
  readonly #context: Context;
  readonly #places: Places;
  readonly #answer: AnswerStream;
  readonly #startedAtMs: number;
  #isDone = false;
  #target: WorkerTarget | SessionTarget | undefined;
  #workerName: string | undefined;
  /** The worker that it goes to or waits for. */
  #entry: WorkerEntry | undefined;
  #isWaiting = false;
  #waitingSinceMs: number | undefined;
  #passage: Passage | undefined;
  #own: OwnAnswer | undefined;
  /** Instances that took no connection, or lost two. */
  #tried: Instance[] | undefined;
  /** Why the last of them took none. */
  #refusal = "";
  #sendCount = 0;
  /** Where a connection that had been made was lost last. */
  #lostAt: Instance | undefined;

  constructor(client: ClientConnection, request: IncomingRequest, context: Context, places: Places) {
    this.request = request;
    this.#client = client;
    this.#context = context;
    this.#places = places;
    this.#answer = new AnswerStream(client.output, request.head);
    this.#startedAtMs = context.record === undefined ? 0 : context.clock.monotonicMs();
    this.number = context.requestCount++;
  }

  /** More of the request's body can be handed over. */
  get takesBody(): boolean {
    return this.#passage?.takesBody === true;
  }

  start(): void {
    if (this.request.head.contentLength > this.#context.limits.bodyBytesMax)
      this.failed("BODY_TOO_LARGE", "The body is larger than this gateway takes.");
    else this.#route();
  }

  /** What it waited for may have changed. */
  released(): void {
    this.#isWaiting = false;
    this.#tried = undefined;
    this.#route();
  }

  shed(): void {
    this.#isWaiting = false;
    this.failed("TOO_MANY_WAIT", "Too many requests wait for this worker; the oldest gives way.");
  }

  requestPart(bytes: Buffer, start: number, end: number): void {
    this.#passage?.requestPart(bytes, start, end);
  }

  requestEnd(trailers: string): void {
    this.#passage?.requestEnd(trailers);
  }

  clientDrained(): void {
    this.#passage?.clientDrained();
    this.#own?.drained();
  }

  clientGone(): void {
    if (this.#isDone || this.#answer.status === 101) return;
    this.#isDone = true;
    this.#leaveQueue();
    this.#passage?.abandon();
    this.#own?.clientGone();
    this.#record();
  }

  sweep(nowMs: number): void {
    if (this.#passage !== undefined) this.#passage.sweep(nowMs);
    else if (this.#own !== undefined) this.#own.sweep(nowMs);
    else if (this.#isWaiting && nowMs - this.#waitingSinceMs! >= this.#entry!.waitMs)
      this.failed("WAITED_TOO_LONG", this.#entry!.worker.reason ?? `The worker ${this.#workerName} is not ready yet.`);
  }

  /** The rest of the request is no good, or stays away. */
  refuse(status: number, reason: string): void {
    this.#leaveQueue();
    this.#passage?.abandon();
    if (this.#answer.hasBegun) this.#finish(true);
    else this.#sendOwn(textAnswer(status, reason));
  }

  connected(): void {
    this.#sendCount++;
    this.#entry?.succeeded(this);
  }

  passed(): void {
    this.#finish();
  }

  tunnelClosed(): void {
    this.#isDone = true;
    this.#record();
  }

  lost({ loss, reason, isUnread, hasAnswerBytes }: PassageLoss): void {
    const { instance } = this.#passage!;
    if (this.#answer.hasBegun) {
      this.#finish(true);
      return;
    }
    if (!isUnread && loss === "reset") instance.distrust();
    const isLostTwice = !isUnread && this.#losesAgain(instance);
    if (isUnread || isLostTwice) {
      this.#tried ??= [];
      this.#tried.push(instance);
      this.#refusal = reason;
    }
    const mayRepeat = this.request.isRepeatable && !hasAnswerBytes && this.#sendCount < SENDS_MAX + Number(isLostTwice);
    if (isUnread || mayRepeat) this.#sendAgain();
    else if (loss === "bad") this.failed("BAD_ANSWER", `The worker's answer cannot be used: ${reason}.`);
    else this.failed("CONNECTION_LOST", `The worker's connection was lost before it answered: ${reason}.`);
  }

  /** Where there are others, or will be a successor: it is left alone for a time. */
  #losesAgain(instance: Instance): boolean {
    const isAgain = instance === this.#lostAt;
    this.#lostAt = instance;
    return isAgain && this.#target?.kind === "worker" && this.#entry?.worker.kind !== "url";
  }

  /** Answers with a failure, or cuts where an answer has begun. */
  failed(code: ExchangeFailure["code"], reason: string): void {
    if (this.#isDone) return;
    this.#leaveQueue();
    this.#passage?.abandon();
    if (this.#answer.hasBegun) this.#finish(true);
    else this.#sendOwn(failureAnswer(this.#context, this.request, failureOf(code, this.#workerName, reason)));
  }

  #route(): void {
    let target: Target;
    try {
      target = this.#context.resolve(this.request);
    } catch (error) {
      this.#context.log.error("resolve_failed", { path: this.request.path, error: messageOf(error) });
      this.failed("INTERNAL", "The gateway could not find the way of this request.");
      return;
    }
    if (target.kind !== "worker" || target.worker !== this.#entry?.worker.name) this.#leaveQueue();
    switch (target.kind) {
      case "answer":
        this.#workerName = target.worker;
        this.#sendOwn(target.answer);
        break;
      case "responder":
        this.#workerName = target.worker;
        this.#respond(target.respond);
        break;
      case "worker":
        this.#workerName = target.worker;
        this.#target = target;
        this.#toWorker(target.worker);
        break;
      case "session":
        this.#target = target;
        this.#send(this.#places.session(target));
        break;
    }
  }

  #toWorker(name: string): void {
    const entry = this.#places.worker(name);
    if (entry === undefined) {
      this.failed("WORKER_UNKNOWN", `There is no worker ${name}.`);
      return;
    }
    this.#entry = entry;
    const { state, reason, failure, kind } = entry.worker;
    if (state === "gone") this.failed("WORKER_GONE", reason ?? `The worker ${name} takes no requests now.`);
    else if (state === "failed") this.failed("WORKER_FAILED", failure?.message ?? `The worker ${name} has failed.`);
    else if (entry.isBlocked && !entry.isTrying(this)) this.#wait(entry);
    else {
      const instance = entry.pick(this.#tried);
      if (instance !== undefined) this.#send(instance);
      else if (kind === "url")
        this.failed("CONNECT_FAILED", `The worker ${name} takes no connection: ${this.#refusal}.`);
      else this.#wait(entry);
    }
  }

  #wait(entry: WorkerEntry): void {
    this.#waitingSinceMs ??= this.#context.nowMs;
    this.#isWaiting = true;
    this.#passage = undefined;
    entry.wait(this);
  }

  #leaveQueue(): void {
    if (this.#entry === undefined) return;
    if (this.#isWaiting || this.#entry.isTrying(this)) this.#entry.leave(this);
    this.#isWaiting = false;
  }

  #send(instance: Instance): void {
    const { request } = this;
    const target = this.#target!;
    const isElsewhere = target.kind === "worker" && this.#entry?.worker.kind === "url";
    const text = sentHead({
      request,
      target,
      instance,
      isElsewhere,
      forwarding: this.#client.forwarding(request.head),
    });
    if (typeof text !== "string") {
      this.failed(text.code, text.reason);
      return;
    }
    const passage = new Passage({
      client: this.#client,
      context: this.#context,
      request,
      answer: this.#answer,
      instance,
      transform: target.kind === "worker" ? target.transform : undefined,
      owner: this,
    });
    this.#passage = passage;
    passage.start(text);
  }

  #sendAgain(): void {
    const target = this.#target!;
    if (target.kind === "worker") this.#toWorker(target.worker);
    else this.#sendToSession(target);
  }

  /** It is one program, at one of two addresses; nobody starts it, so it is not waited for. */
  #sendToSession(target: SessionTarget): void {
    const triedCount = this.#tried?.length ?? 0;
    if (triedCount === 0) this.#send(this.#places.session(target));
    else if (triedCount === 1 && target.otherHost !== undefined)
      this.#send(this.#places.session({ ...target, host: target.otherHost }));
    else this.failed("SESSION_SILENT", sessionSilent(target));
  }

  #sendOwn(answer: Answer): void {
    const body = typeof answer.body === "string" ? Buffer.from(answer.body) : answer.body;
    beginOwn(this.#answer, this.request, this.#context, { ...answer, lengthBytes: body.length });
    this.#answer.part(body, 0, body.length);
    this.#answer.end("");
    this.#finish();
  }

  #respond(respond: Responder): void {
    this.#own = new OwnAnswer(this.#client, this.#context, this.#answer, {
      begin: (head) => beginOwn(this.#answer, this.request, this.#context, head),
      finish: (isWhole) => this.#finish(!isWhole),
      failed: (reason) => {
        this.#context.log.error("responder_failed", { path: this.request.path, error: reason });
        this.failed("INTERNAL", "The gateway could not answer this request.");
      },
    });
    this.#own.run(respond, this.request);
  }

  #finish(isCut = false): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#passage?.abandon();
    this.#record();
    if (isCut) this.#client.cut(this.#answer.isEndedByClose);
    else this.#client.exchangeDone(this.#answer.keepsAlive);
  }

  #record(): void {
    const { record, clock } = this.#context;
    if (record === undefined) return;
    const { request } = this;
    record({
      requestId: request.requestId,
      remoteAddress: request.remoteAddress,
      method: request.method,
      isSecure: request.peer.isSecure,
      host: request.host,
      target: request.target,
      worker: this.#workerName,
      instance: this.#passage?.instance.id,
      status: this.#answer.status,
      bytesIn: this.#passage?.bytesIn ?? 0,
      bytesOut: this.#answer.bodyBytes,
      durationMs: clock.monotonicMs() - this.#startedAtMs,
    });
  }
}

const sessionSilent = ({ name, port }: SessionTarget): string =>
  `The session ${name} runs, and nothing listens on its port ${port}. Start a server in it that listens on $PORT.`;
