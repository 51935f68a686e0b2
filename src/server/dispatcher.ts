import { settledWithin } from "../platform/grace.ts";
import { KeptAnswers } from "../platform/kept-answers.ts";
import type { Log } from "../platform/log.ts";
import { type Failure, LINE_BYTES_MAX, MUTATING, PROTOCOL, type Request } from "../protocol/envelope.ts";
import { isWarrenError } from "../protocol/errors.ts";
import { messages, type PayloadOf } from "../protocol/messages.ts";
import { failureOf } from "../serving/failure.ts";
import { GreetingGate } from "../serving/greeting-gate.ts";
import { idOf, parseRequest } from "../serving/parse-request.ts";
import { forbidden, lineTooLong } from "../serving/request-errors.ts";
import type { Subscriptions } from "../serving/subscriptions.ts";
import type { Connection } from "./connection.ts";
import type { Faults } from "./debug/faults.ts";
import * as errors from "./errors.ts";
import { type Handled, type HandlerContext, handlers } from "./handlers.ts";
import { isMailStream, type MailForward } from "./mail-forward.ts";
import type { OpenRemote } from "./open-remote.ts";
import type { OwnEnvironment } from "./own-environment.ts";
import { remoteHandlers } from "./remote-handlers.ts";

/**
 * From a line to its answer: parse, check the scope, answer a repeat from what is stored, else call the handler.
 *
 * A mutating request that is repeated while the first is still in hand joins it; the client may have lost its connection in between.
 */
export interface DispatcherOptions {
  subscriptions: Subscriptions;
  log: Log;
  context: () => Pick<HandlerContext, "jobs" | "gateways" | "sessions" | "server" | "mail" | "usage">;
  /** The way of the messages `mail.*` and their streams. */
  forward: MailForward;
  /** Devices, hubs and pairings: of the primary; undefined in any other. */
  remote?: () => OpenRemote | undefined;
  /** For clients that are not on this machine. */
  own?: OwnEnvironment;
  /** Of a server that is to commit some. */
  faults?: Faults | undefined;
}

/** Those in which a client says who it is: a device is who its greeting said. */
const SPOKEN_BY: ReadonlySet<string> = new Set(["session.prompt", "session.answer"]);

/** What does something each time, and is written down by nobody: a repeat at this server gets the first answer. */
const ONCE: ReadonlySet<string> = new Set(["session.signal", "session.cancel"]);

/** What needs no jobs; the rest goes to the primary. */
const isForAnyServer = (type: string): boolean =>
  /^(session|server|mail)\./.test(type) || ["hello", "ping", "version", "status", "doctor", "shutdown"].includes(type);

/** Told by the primary alone. */
const isOfPrimary = (stream: string): boolean => stream === "jobs" || stream === "gateway";

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #inHand = new Map<string, Promise<object>>();
  readonly #once = new KeptAnswers<object>();
  readonly #greetings: GreetingGate<Connection>;
  #isDraining = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#greetings = new GreetingGate({
      protocol: (theirs) => errors.protocolMismatch(options.context().server.name, PROTOCOL, theirs),
      build: (meant) => {
        const { server } = options.context();
        return server.build === meant ? undefined : errors.otherBuild(server.name, server.build, meant);
      },
    });
  }

  async onLine(line: string, connection: Connection): Promise<void> {
    let id: { id?: number | string } = {};
    try {
      const request = parseRequest(line);
      id = request.id === undefined ? {} : { id: request.id };
      this.#greetings.check(request, connection);
      limit(request, connection);
      this.#checkScope(request, connection);
      if (this.#isDraining) throw errors.draining();
      const { faults } = this.#options;
      if (faults?.onReceived(request.type)) return connection.cutOff();
      if (request.type === "subscribe") return await this.#subscribe(request as Request<"subscribe">, connection);
      if (request.type === "session.attach")
        return await this.#attach(request as Request<"session.attach">, connection);
      if (request.type === "unsubscribe") this.#unsubscribe(connection);
      let data = request.type === "unsubscribe" ? {} : await this.#perform(request, connection);
      if (request.type === "hello") data = greeted(connection, request.payload as PayloadOf<"hello">, data);
      if (faults && (await faults.onDone(request.type))) return connection.cutOff();
      connection.send({ ...id, success: true, data });
    } catch (error) {
      // The next generation goes on with the agent, and the client asks it.
      const told = this.#isDraining && isWarrenError(error, "AGENT_DETACHED") ? errors.draining() : error;
      connection.send({ ...idOf(error), ...id, ...this.#failure(told) });
    }
  }

  onTooLong(connection: Connection): void {
    connection.send(this.#failure(lineTooLong(LINE_BYTES_MAX)));
    connection.refuse();
  }

  /** Refuses what comes from now on, and resolves when what changes something has been answered, or after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#isDraining = true;
    await settledWithin(graceMs, this.#inHand.values());
  }

  /** Takes requests again: the server stays after it has given something up. */
  goOn(): void {
    this.#isDraining = false;
  }

  /** Requests that change something and are not answered. */
  get inHandCount(): number {
    return this.#inHand.size;
  }

  /** From the answer on, the connection speaks terminal frames. */
  async #attach({ id, payload }: Request<"session.attach">, connection: Connection): Promise<void> {
    const { sessions } = this.#options.context();
    const { scopes, by } = connection;
    if (!payload!.view && !scopes.has("type"))
      throw by === undefined
        ? forbidden("session.attach", "type")
        : errors.scopeMissing({ type: "session.attach", scope: "type", scopes, by });
    const { data, attachment } = await sessions.attach(payload!, connection.stream());
    connection.meter.attached = {
      session: data.session.name,
      role: payload!.view ? "viewer" : "client",
      ...(payload!.label === undefined ? {} : { label: payload!.label }),
    };
    connection.send({ ...(id === undefined ? {} : { id }), success: true, data });
    attachment.start();
  }

  /** The streams of the mailbox are the leader's; the others are ours, and begin at once. */
  async #subscribe({ id, payload = {} }: Request<"subscribe">, connection: Connection): Promise<void> {
    const { subscriptions, forward, context } = this.#options;
    const { server, jobs } = context();
    const answer = (data: object): void =>
      connection.send({ ...(id === undefined ? {} : { id }), success: true, data });
    if (!jobs && (payload.streams ?? ["jobs"]).some(isOfPrimary)) await server.claimJobs();
    if (payload.streams?.includes("remote")) await (await this.#remoteHere()).get();
    const ofMail = payload.streams?.filter(isMailStream) ?? [];
    if (ofMail.length === 0) {
      forward.unfollow(connection);
      return subscriptions.subscribe(connection, payload, answer);
    }
    const followed = await forward.follow(ofMail, payload.since, connection);
    const streams = payload.streams!.filter((stream) => !isMailStream(stream));
    subscriptions.subscribe(connection, { ...payload, streams }, (data) =>
      answer({ ...data, streams: { ...followed.streams, ...data.streams } }),
    );
    followed.start();
  }

  #unsubscribe(connection: Connection): void {
    this.#options.subscriptions.unsubscribe(connection);
    this.#options.forward.unfollow(connection);
  }

  async #perform(request: Request, connection: Connection): Promise<object> {
    const key = request.request_id;
    if (key === undefined || !MUTATING.has(request.type)) return this.#call(request, connection);
    const running = this.#inHand.get(key);
    if (running) return running;
    const first = this.#repeatOrCall(key, request, connection);
    this.#inHand.set(key, first);
    try {
      return await first;
    } finally {
      this.#inHand.delete(key);
    }
  }

  async #repeatOrCall(key: string, request: Request, connection: Connection): Promise<object> {
    const stored = this.#once.of(key) ?? (await this.#options.context().jobs?.answerTo(key));
    if (stored) return stored;
    const data = await this.#call(request, connection);
    return ONCE.has(request.type) ? this.#once.keep(key, data) : data;
  }

  async #call(request: Request, connection: Connection): Promise<object> {
    if (request.type.startsWith("mail.")) return this.#options.forward.request(request, connection);
    if (request.type.startsWith("remote.")) return this.#askRemote(request, connection);
    const type = request.type as Handled;
    const { request_id } = request;
    const { server, jobs } = this.#options.context();
    if (!jobs && !isForAnyServer(type)) await server.claimJobs();
    const context: HandlerContext = {
      ...this.#options.context(),
      requestId: request_id,
      receipt: request_id !== undefined && MUTATING.has(type) ? { id: request_id, type } : undefined,
      signal: connection.closed,
      own: connection.by === undefined ? undefined : this.#options.own,
    };
    return (handlers[type] as (payload: unknown, context: HandlerContext) => Promise<object>)(request.payload, context);
  }

  async #askRemote({ type, payload }: Request, connection: Connection): Promise<object> {
    const here = await this.#remoteHere();
    if (type === "remote.settings") return here.settings((payload as PayloadOf<"remote.settings">).settings);
    const remote = await here.get();
    const handler = remoteHandlers[type as keyof typeof remoteHandlers];
    const ask = handler as (payload: unknown, ...rest: unknown[]) => Promise<object>;
    return ask(payload, remote, connection.closed, connection.by);
  }

  /** @throws NOT_PRIMARY */
  async #remoteHere(): Promise<OpenRemote> {
    const { server } = this.#options.context();
    if (!this.#options.remote?.()) await server.claimJobs();
    const remote = this.#options.remote?.();
    if (!remote) throw errors.notPrimary(server.name, server.primaryName());
    return remote;
  }

  #checkScope({ type, id }: Request, { scopes, by }: Connection): void {
    const { scope } = messages[type];
    if (scopes.has(scope)) return;
    throw Object.assign(by === undefined ? forbidden(type, scope) : errors.scopeMissing({ type, scope, scopes, by }), {
      id,
    });
  }

  #failure(error: unknown): Omit<Failure, "id"> {
    return failureOf(error, { log: this.#options.log, internal: errors.internal });
  }
}

/** At once, as the protocol: what a greeting gives up, the requests behind it do not have. */
function limit(request: Request, connection: Connection): void {
  if (request.type === "hello") {
    const { scopes, by } = request.payload as PayloadOf<"hello">;
    if (scopes) connection.giveUpScopes(scopes);
    if (by !== undefined) connection.speaksAs(by);
  }
  if (connection.by === undefined) return;
  if (SPOKEN_BY.has(request.type)) Object.assign(request.payload!, { by: connection.by });
  if (request.type === "session.attach") Object.assign(request.payload!, { label: connection.by });
}

function greeted(connection: Connection, greeting: PayloadOf<"hello">, data: object): object {
  const { client, version, pid, scopes } = greeting;
  connection.meter.greeting = { client, version, ...(typeof pid === "number" ? { pid } : {}) };
  return scopes ? { ...data, scopes: [...connection.scopes] } : data;
}
