import { settledWithin } from "../../platform/grace.ts";
import type { Log } from "../../platform/log.ts";
import { type Failure, MAIL_LINE_BYTES_MAX, PROTOCOL, type Request } from "../../protocol/envelope.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import { messages, type PayloadOf } from "../../protocol/messages.ts";
import { failureOf } from "../../serving/failure.ts";
import { GreetingGate } from "../../serving/greeting-gate.ts";
import { idOf, parseRequest } from "../../serving/parse-request.ts";
import { forbidden, lineTooLong } from "../../serving/request-errors.ts";
import type { Subscriptions } from "../../serving/subscriptions.ts";
import * as errors from "./errors.ts";
import { type MailContext, type MailHandled, mailHandlers } from "./mail-handlers.ts";
import type { Peer } from "./peer.ts";

/**
 * From a line to its answer. What changes the log goes to it in the order of the lines of a connection, and at once: requests of many clients share a
 * commit. A repeat is answered by the log.
 */
export interface MailDispatcherOptions {
  subscriptions: Subscriptions;
  log: Log;
  context: (peer: Peer, request: Request, signal: AbortSignal) => MailContext;
}

export class MailDispatcher {
  readonly #options: MailDispatcherOptions;
  readonly #greetings = new GreetingGate<Peer>({ protocol: (theirs) => errors.protocolMismatch(PROTOCOL, theirs) });
  readonly #inHand = new Set<Promise<unknown>>();
  /** Ends what waits when the lead is handed over. */
  readonly #draining = new AbortController();
  /** The log takes nothing any more: what is in hand is repeated elsewhere. */
  #isLost = false;

  constructor(options: MailDispatcherOptions) {
    this.#options = options;
  }

  async onLine(line: string, peer: Peer): Promise<void> {
    let id: { id?: number | string } = {};
    const { connection } = peer;
    try {
      const request = parseRequest(line);
      id = request.id === undefined ? {} : { id: request.id };
      this.#greetings.check(request, peer);
      const { scope } = messages[request.type];
      if (!connection.scopes.has(scope)) throw forbidden(request.type, scope);
      if (this.#draining.signal.aborted && request.type !== "hello") throw errors.handingOver();
      if (request.type === "subscribe") {
        const wanted = request.payload as PayloadOf<"subscribe">;
        return this.#options.subscriptions.subscribe(
          connection,
          { ...wanted, streams: wanted.streams ?? ["mail"] },
          (data) => connection.send({ ...id, success: true, data }),
        );
      }
      if (request.type === "unsubscribe") this.#options.subscriptions.unsubscribe(connection);
      const data = request.type === "unsubscribe" ? {} : await this.#call(request, peer);
      if (this.#isLost) return;
      connection.send({ ...id, success: true, data });
    } catch (error) {
      if (this.#isLost || isWarrenError(error, "MAIL_FENCED") || isWarrenError(error, "MAIL_CLOSED")) return;
      connection.send({ ...idOf(error), ...id, ...this.#failure(error) });
    }
  }

  onTooLong({ connection }: Peer): void {
    connection.send(this.#failure(lineTooLong(MAIL_LINE_BYTES_MAX)));
    connection.refuse();
  }

  /** Refuses what comes from now on, ends the waits, and resolves when everything else is answered, or after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#draining.abort();
    await settledWithin(graceMs, [...this.#inHand]);
  }

  /** Says nothing any more. */
  lose(): void {
    this.#isLost = true;
    this.#draining.abort();
  }

  async #call(request: Request, peer: Peer): Promise<object> {
    const { type } = request;
    if (!Object.hasOwn(mailHandlers, type)) throw errors.notOfMailbox(type);
    if (type === "hello") peer.greeted(request.payload as PayloadOf<"hello">);
    const isWait = type === "mail.wait" || type === "mail.fetch";
    const signal = isWait ? AbortSignal.any([peer.connection.closed, this.#draining.signal]) : peer.connection.closed;
    const handle = mailHandlers[type as MailHandled] as (payload: unknown, context: MailContext) => object;
    const answered = Promise.resolve(handle(request.payload, this.#options.context(peer, request, signal)));
    if (type === "mail.yield") return answered; // it is what is being waited for
    this.#inHand.add(answered);
    try {
      return await answered;
    } finally {
      this.#inHand.delete(answered);
    }
  }

  #failure(error: unknown): Omit<Failure, "id"> {
    return failureOf(error, { log: this.#options.log, internal: errors.internal });
  }
}
