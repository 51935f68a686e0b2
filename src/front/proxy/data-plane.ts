import { randomBytes } from "node:crypto";
import type net from "node:net";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { type Log, silentLog } from "../../platform/log.ts";
import type { FrontLimits, FrontTable, FrontWorker } from "../../protocol/front-messages.ts";
import { TrustedProxies } from "../http/forwarding.ts";
import { Identifiers } from "../http/identifiers.ts";
import { ClientConnection } from "./client-connection.ts";
import { Context, type Told } from "./context.ts";
import { DEFAULT_LIMITS, SWEEP_MS } from "./limits.ts";
import { Places } from "./places.ts";
import type { Explain, RecordExchange, Resolver } from "./responder.ts";

export interface DataPlaneOptions {
  resolve: Resolver;
  /** To the server: `applied`, `drained`, `trouble`, `waiting`. */
  tell: (message: Told) => void;
  /** Pages for failures; default: a line of text. */
  explain?: Explain;
  /** Each exchange when it has ended; default: nobody, which costs nothing. */
  record?: RecordExchange;
  log?: Log;
  clock?: Clock;
  /** 24 hexadecimal digits or more, unlike those of any other process. */
  randomHex?: string;
}

export interface DataPlaneStats {
  /** Of clients. */
  connections: number;
  requests: number;
  /** What could not be read as a request. */
  refused: number;
  /** Exchanges by instance, tunnels included. */
  inFlight: Record<string, number>;
  /** WebSockets by instance. */
  tunnels: Record<string, number>;
  /** By worker; only those for whom any wait. */
  waiting: Record<string, number>;
}

/**
 * The front's data plane: takes accepted connections, and carries each request to where `resolve` says. It is told what there is (`table`, `worker`, `close`), and
 * tells what it sees. Nothing here starts, stops or checks a worker (docs/gateway.md).
 *
 * One timer looks at all deadlines, and only while there is something to look at.
 */
export class DataPlane {
  readonly #context: Context;
  readonly #places: Places;
  readonly #connections = new Set<ClientConnection>();
  #trusted = new TrustedProxies([]);
  #cancelSweep: (() => void) | undefined;
  #ended: PromiseWithResolvers<void> | undefined;

  constructor(options: DataPlaneOptions) {
    this.#context = new Context({
      resolve: options.resolve,
      tell: options.tell,
      explain: options.explain,
      record: options.record,
      log: options.log ?? silentLog,
      clock: options.clock ?? systemClock,
      identifiers: new Identifiers(options.randomHex ?? randomBytes(12).toString("hex")),
    });
    this.#places = new Places(this.#context);
  }

  /**
   * A connection that nobody has read from; with TLS on it the secure socket, and the one that it lies on. It has to be made with `allowHalfOpen: false`, the
   * default.
   */
  accept(socket: net.Socket, transport = socket): void {
    this.#wake();
    this.#connections.add(
      new ClientConnection(socket, transport, this.#context, this.#places, this.#trusted, (connection) =>
        this.#closed(connection),
      ),
    );
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  get limits(): Readonly<FrontLimits> {
    return this.#context.limits;
  }

  /** Closes connections that have no request, those first that have been open longest, up to `most`. Answers how many. */
  closeIdle(most: number): number {
    let count = 0;
    for (const connection of this.#connections) {
      if (count === most) break;
      if (!connection.isIdle) continue;
      connection.destroy();
      count++;
    }
    return count;
  }

  /** In the place of what was told before. In force when this returns: `applied` has been told, and who has drained already. */
  table(table: FrontTable): void {
    this.#wake();
    this.#context.limits = { ...DEFAULT_LIMITS, ...table.limits };
    this.#trusted = new TrustedProxies(table.trustedProxies);
    for (const connection of this.#connections) connection.setTrusted(this.#trusted);
    this.#places.applyTable(table);
  }

  /** One worker, in the place of that name. Who drained before goes on to, unless this worker has it again. */
  worker(worker: FrontWorker, draining: readonly string[], revision: number): void {
    this.#wake();
    this.#places.applyWorker(worker, draining, revision);
  }

  /** Ends what an instance has still open: WebSockets with 1012, spread over `spreadMs`; the rest is cut after it. */
  close(instance: string, spreadMs: number): void {
    this.#wake();
    this.#places.close(instance, spreadMs);
  }

  /** The same for all instances, and for sessions' programs. */
  closeAll(spreadMs: number): void {
    this.#wake();
    this.#places.closeAll(spreadMs);
  }

  /**
   * Another front serves from now on: each connection ends with the answer to its next request, so that nobody's request meets a closed connection. Resolves
   * when the last has gone; `destroy` puts an end to it.
   */
  drain(): Promise<void> {
    this.#context.isEnding = true;
    if (this.#connections.size === 0) return Promise.resolve();
    this.#ended ??= Promise.withResolvers<void>();
    return this.#ended.promise;
  }

  /** Cuts everything. */
  destroy(): void {
    for (const connection of this.#connections) connection.destroy();
    this.#places.destroy();
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
  }

  stats(): DataPlaneStats {
    const { requestCount, refusedCount } = this.#context;
    const instances = [...this.#places.instances()].filter(({ inFlight }) => inFlight > 0);
    const waiting = [...this.#places.workers()].filter(({ waitingCount }) => waitingCount > 0);
    return {
      connections: this.#connections.size,
      requests: requestCount,
      refused: refusedCount,
      inFlight: Object.fromEntries(instances.map(({ id, inFlight }) => [id, inFlight])),
      tunnels: Object.fromEntries(instances.map(({ id, tunnels }) => [id, tunnels.size])),
      waiting: Object.fromEntries(waiting.map(({ worker, waitingCount }) => [worker.name, waitingCount])),
    };
  }

  #closed(connection: ClientConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    this.#ended?.resolve();
    this.#ended = undefined;
  }

  /** After a rest the time has to be looked at before anything is dated by it. */
  #wake(): void {
    if (this.#cancelSweep !== undefined) return;
    this.#context.nowMs = this.#context.clock.monotonicMs();
    this.#schedule();
  }

  #schedule(): void {
    this.#cancelSweep = this.#context.clock.timer(SWEEP_MS, () => this.#sweep());
  }

  #sweep(): void {
    const nowMs = this.#context.clock.monotonicMs();
    this.#context.nowMs = nowMs;
    for (const connection of this.#connections) connection.sweep(nowMs);
    this.#places.sweep(nowMs);
    if (this.#connections.size > 0 || this.#places.isBusy) this.#schedule();
    else this.#cancelSweep = undefined;
  }
}
