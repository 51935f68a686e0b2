import { type AddressInfo, BoundSocket } from "node:net";
import { systemCode, WarrenError } from "../../protocol/errors.ts";

/**
 * The ports of a project's instances, on 127.0.0.1, lowest free first.
 *
 * 1. A port is one instance's from `take` (or `adopt`) to `release`: its process tree is gone by then.
 * 2. A port that is bound is not yet ours: until somebody listens on it, another program can bind and listen too. The instance learns of it by EADDRINUSE,
 *    which is a reason for the next port, not a failure of what it runs: `refuse` says so.
 */
export interface PortPoolOptions {
  /** First and last, both included; default 9000–9999. */
  from?: number;
  to?: number;
  /** Never given out besides RESERVED_PORT: what the registry knows, other projects' ports. Asked at each `take`. */
  isHeld?: (port: number) => boolean;
  /** Milliseconds, monotonic. */
  nowMs?: () => number;
  bind?: (port: number) => BoundSocket;
}

/** A port with a socket bound to it. Close our copy once the process has got its own: one that stays would go on accepting for a process that has ended. */
export interface TakenPort {
  port: number;
  /** Of the bound socket, until `close`. */
  fd: number;
  /** Ours is closed; the port stays taken. */
  close(): void;
}

export interface PortUse {
  port: number;
  instance: string;
}

const HOST = "127.0.0.1";
const DEFAULT_FROM = 9000;
const DEFAULT_TO = 9999;
/** The mailbox's. */
const RESERVED_PORT = 9876;
/** A port on which somebody else was found is tried again after this. */
const REFUSED_MS = 60_000;

export class PortPool {
  readonly from: number;
  readonly to: number;
  readonly #isHeld: (port: number) => boolean;
  readonly #nowMs: () => number;
  readonly #bind: (port: number) => BoundSocket;
  readonly #used = new Map<number, string>();
  readonly #refusedUntilMs = new Map<number, number>();

  constructor(options: PortPoolOptions = {}) {
    this.from = options.from ?? DEFAULT_FROM;
    this.to = options.to ?? DEFAULT_TO;
    this.#isHeld = options.isHeld ?? (() => false);
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#bind = options.bind ?? ((port) => new BoundSocket({ host: HOST, port }));
  }

  /**
   * The lowest port that nobody has, bound. Synchronous, so that two callers never get the same.
   * @throws PORTS_EXHAUSTED, and what bind(2) says that is not about this port (EMFILE, …)
   */
  take(instance: string): TakenPort {
    for (let port = this.from; port <= this.to; port += 1) {
      if (!this.#isFree(port)) continue;
      const socket = this.#tryBind(port);
      if (socket) return this.#taken(port, instance, socket);
    }
    throw this.#exhausted();
  }

  /** After a restart: an instance that runs has it. One outside of the range (that of a configuration before) is kept too. */
  adopt(port: number, instance: string): void {
    this.#used.set(port, instance);
  }

  /** Nothing of the instance runs any more. Twice changes nothing. */
  release(port: number): void {
    this.#used.delete(port);
  }

  /** Somebody else listens on it: released, and not tried again for a minute. */
  refuse(port: number): void {
    this.release(port);
    this.#refusedUntilMs.set(port, this.#nowMs() + REFUSED_MS);
  }

  /** What is in use, by port. */
  get used(): PortUse[] {
    return [...this.#used].map(([port, instance]) => ({ port, instance })).sort((a, b) => a.port - b.port);
  }

  #isFree(port: number): boolean {
    if (port === RESERVED_PORT || this.#used.has(port) || this.#isHeld(port)) return false;
    const untilMs = this.#refusedUntilMs.get(port);
    if (untilMs === undefined) return true;
    if (untilMs > this.#nowMs()) return false;
    this.#refusedUntilMs.delete(port);
    return true;
  }

  /** Undefined: another program listens there, or may (EACCES below 1024). */
  #tryBind(port: number): BoundSocket | undefined {
    try {
      return this.#bind(port);
    } catch (error) {
      if (systemCode(error) === "EADDRINUSE" || systemCode(error) === "EACCES") return undefined;
      throw error;
    }
  }

  #taken(port: number, instance: string, socket: BoundSocket): TakenPort {
    this.#used.set(port, instance);
    let isOpen = true;
    const close = () => {
      if (isOpen) socket.close();
      isOpen = false;
    };
    return { port: (socket.address() as AddressInfo).port, fd: socket.fd(), close };
  }

  #exhausted(): WarrenError {
    const ours = this.used.filter(({ port }) => port >= this.from && port <= this.to).length;
    const all = this.to - this.from + 1;
    return new WarrenError(
      "PORTS_EXHAUSTED",
      `None of the ${all} ports ${this.from}–${this.to} is free: this project's instances have ${ours}, other programs the rest.`,
      {
        fix: "warren gateway status      # or a wider gateway.ports in warren.yaml",
        detail: { from: this.from, to: this.to, ours },
      },
    );
  }
}
