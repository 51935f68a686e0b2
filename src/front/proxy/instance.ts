import type { TroubleCounts } from "../../protocol/front-messages.ts";
import type { Context } from "./context.ts";
import { POOL_CONNECTIONS_MAX, POOL_FRESH_MS } from "./limits.ts";
import type { Tunnel } from "./tunnel.ts";
import { UpstreamConnection } from "./upstream-connection.ts";
import { UpstreamTrust } from "./upstream-trust.ts";

export interface InstanceAddress {
  host: string;
  port: number;
  isTls: boolean;
  /** A file with the authorities that are trusted; absent: those that Node knows. */
  ca?: string | undefined;
}

const noTrouble = (): TroubleCounts => ({ refused: 0, reset: 0, late: 0, bad: 0, failed: 0, total: 0 });

/** One instance: what is in flight there, its connections, and those of them that wait for the next request. */
export class Instance {
  readonly id: string;
  readonly address: InstanceAddress;
  readonly connections = new Set<UpstreamConnection>();
  readonly tunnels = new Set<Tunnel>();
  /** Only of one that is asked by https. */
  readonly trust: UpstreamTrust | undefined;
  readonly #context: Context;
  readonly #onIdle: (instance: Instance) => void;
  /** The one that was used last is taken first: the others get old and are closed. */
  #idle: UpstreamConnection[] = [];
  /** Exchanges, tunnels included. */
  inFlight = 0;
  trouble = noTrouble();
  /** It gets new requests; otherwise no connection is kept for any. */
  isServing = true;
  /** When what is left is cut; set by `close`. */
  cutAtMs = Number.POSITIVE_INFINITY;

  /** `onIdle`: nothing is in flight any more. */
  constructor(id: string, address: InstanceAddress, context: Context, onIdle: (instance: Instance) => void) {
    this.id = id;
    this.address = address;
    this.trust = address.isTls ? new UpstreamTrust(address.ca) : undefined;
    this.#context = context;
    this.#onIdle = onIdle;
  }

  get authority(): string {
    const { host, port, isTls } = this.address;
    const name = host.includes(":") ? `[${host}]` : host;
    return port === (isTls ? 443 : 80) ? name : `${name}:${port}`;
  }

  /** Counts an exchange; it is counted before a byte of it is sent. */
  begin(): void {
    this.inFlight++;
  }

  /** Once for each `begin`. */
  finish(): void {
    this.inFlight--;
    this.trouble.total++;
    if (this.inFlight === 0) this.#onIdle(this);
  }

  /** `isRepeatable`: the request may be sent a second time if the connection turns out to be closed. */
  connection(isRepeatable: boolean): UpstreamConnection {
    const usedAfterMs = isRepeatable ? 0 : this.#context.nowMs - POOL_FRESH_MS;
    for (let last = this.#idle.at(-1); last !== undefined; last = this.#idle.at(-1)) {
      if (last.isUsable && last.idleSinceMs < usedAfterMs) break;
      this.#idle.pop();
      if (last.isUsable) return last;
      last.destroy();
    }
    const connection = new UpstreamConnection(this, this.#context);
    this.connections.add(connection);
    return connection;
  }

  /** Takes a connection back whose exchange is over. */
  keep(connection: UpstreamConnection): void {
    if (!this.isServing || this.#idle.length >= POOL_CONNECTIONS_MAX) connection.destroy();
    else this.#idle.push(connection);
  }

  /** A connection has closed. */
  forget(connection: UpstreamConnection): void {
    this.connections.delete(connection);
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  stopServing(): void {
    this.isServing = false;
    this.distrust();
  }

  /** A connection was lost that had been made: those that wait may be as dead, and nobody has told us yet. The next request makes one of its own. */
  distrust(): void {
    this.#closeIdle(() => true);
  }

  sweep(nowMs: number): void {
    if (this.#idle.length > 0) this.#closeIdle((connection) => connection.keepUntilMs <= nowMs);
    const isCut = nowMs >= this.cutAtMs;
    for (const tunnel of this.tunnels) {
      if (isCut) tunnel.closeAtMs = Math.min(tunnel.closeAtMs, nowMs);
      tunnel.sweep(nowMs);
    }
    if (!isCut) return;
    for (const connection of this.connections) connection.cut();
  }

  /** WebSockets are told to come again, one after the other over `spreadMs`; then the rest is cut. */
  close(spreadMs: number, nowMs: number): void {
    let index = 0;
    for (const tunnel of this.tunnels) tunnel.closeAtMs = nowMs + (spreadMs * index++) / this.tunnels.size;
    this.cutAtMs = nowMs + spreadMs;
    this.sweep(nowMs);
  }

  /** Ends all at once, without a word to anybody. */
  destroy(): void {
    for (const connection of this.connections) connection.destroy();
    this.#idle = [];
  }

  takeTrouble(): TroubleCounts | undefined {
    const { refused, reset, late, bad, failed } = this.trouble;
    if (refused + reset + late + bad + failed === 0) return undefined;
    const trouble = this.trouble;
    this.trouble = noTrouble();
    return trouble;
  }

  #closeIdle(isClosed: (connection: UpstreamConnection) => boolean): void {
    const closed = this.#idle.filter(isClosed);
    if (closed.length === 0) return;
    this.#idle = this.#idle.filter((connection) => !isClosed(connection));
    for (const connection of closed) connection.destroy();
  }
}
