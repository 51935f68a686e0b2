import { renameSync, rmSync } from "node:fs";
import { type AddressInfo, BoundSocket, createServer, type Server, type Socket } from "node:net";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { messageOf, systemCode } from "../../protocol/errors.ts";
import type { Door } from "./doors.ts";
import { PORT_FREED_LOOK_MS, PORT_FREED_MS, PORT_RETRY_MS } from "./limits.ts";

/**
 * The unix socket and the port. Both can be inherited by a successor: whoever connects while the lead changes hands waits in the kernel's queue. The
 * socket's file is put in the place of an old one by a rename, so that there is none at no moment. A port that is another's is tried again and again.
 */
export interface ListenersOptions {
  socketPath: string;
  /** Undefined: none. 0: a free one. */
  port: number | undefined;
  /** The port of the leader before, which is waited for: a process that was killed gives up its lock a moment before its port. */
  lastPort?: number | undefined;
  clock: Clock;
  log: Log;
  onConnection: (socket: Socket, door: Door) => void;
  /** The port is taken; `PORT_RETRY_MS` later it is tried again, unless this resolves later. */
  onPortTaken?: (port: number) => Promise<void>;
}

/** Descriptors of listening sockets, of the leader before. */
export interface Inherited {
  unix: number;
  tcp?: { fd: number; port: number } | undefined;
}

const HOST = "127.0.0.1";
const BACKLOG = 511;

export class Listeners {
  readonly #options: ListenersOptions;
  #bound: BoundSocket | undefined;
  #unix: { server: Server; fd: number } | undefined;
  #tcp: { server: Server; fd: number; port: number } | undefined;
  #portProblem: string | undefined;
  #cancelRetry: (() => void) | undefined;
  #isClosed = false;

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  get port(): number | undefined {
    return this.#tcp?.port;
  }

  get portProblem(): string | undefined {
    return this.#portProblem;
  }

  /** Of what listens now, for a successor. */
  get descriptors(): Inherited {
    const { fd, port } = this.#tcp ?? { fd: -1, port: 0 };
    return { unix: this.#unix!.fd, ...(this.#tcp ? { tcp: { fd, port } } : {}) };
  }

  /** Takes the port without listening yet, so that it can be written down before anybody is served. */
  async bind(inherited?: Inherited): Promise<number | undefined> {
    if (inherited?.tcp) return inherited.tcp.port;
    const { port, lastPort = 0 } = this.#options;
    if (port === undefined) return undefined;
    this.#bound = await this.#bindFreed(port === 0 ? lastPort : port);
    if (port === 0) this.#bound ??= boundTo(0);
    return this.#bound?.address().port; // another's: `open` says so
  }

  /** The leader before may be giving it up just now. */
  async #bindFreed(port: number): Promise<BoundSocket | undefined> {
    const { clock, lastPort } = this.#options;
    const untilMs = clock.monotonicMs() + PORT_FREED_MS;
    for (;;) {
      const bound = boundTo(port);
      if (bound || port !== lastPort || clock.monotonicMs() >= untilMs) return bound;
      await new Promise((wake) => setTimeout(wake, PORT_FREED_LOOK_MS)); // nothing else may keep the process alive yet
    }
  }

  /** Resolves when the unix socket listens; the port may follow. */
  async open(inherited?: Inherited): Promise<void> {
    this.#unix = inherited ? await this.#adopt(inherited.unix, "unix") : await this.#openUnix();
    if (inherited?.tcp !== undefined) {
      this.#tcp = { ...(await this.#adopt(inherited.tcp.fd, "tcp")), port: inherited.tcp.port };
    } else if (this.#options.port !== undefined) await this.#openPort(this.#options.port);
  }

  /** Accepts nothing more. What waits in the kernel's queue is for a successor that has inherited it; else it is refused. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#unix?.server.close();
    this.#tcp?.server.close();
  }

  /** When nobody is to follow: the next client sees at once that nobody leads. */
  remove(): void {
    rmSync(this.#options.socketPath, { force: true });
  }

  async #openUnix(): Promise<{ server: Server; fd: number }> {
    const { socketPath } = this.#options;
    const fresh = `${socketPath}.${process.pid}`;
    rmSync(fresh, { force: true });
    const listening = await this.#listen(new BoundSocket({ path: fresh }), "unix");
    renameSync(fresh, socketPath);
    return listening;
  }

  async #openPort(port: number): Promise<void> {
    try {
      const bound = this.#bound ?? new BoundSocket({ host: HOST, port });
      this.#bound = undefined;
      const listening = await this.#listen(bound, "tcp");
      this.#tcp = { ...listening, port: (listening.server.address() as AddressInfo).port };
      this.#portProblem = undefined;
      if (this.#isClosed) this.#tcp.server.close();
    } catch (error) {
      const isTaken = systemCode(error) === "EADDRINUSE";
      const problem = isTaken ? `port ${port} is another program's` : `port ${port}: ${messageOf(error)}`;
      if (problem !== this.#portProblem) this.#options.log.warn("port_not_ours", { port, problem });
      this.#portProblem = problem;
      void this.#retry(port, isTaken);
    }
  }

  async #retry(port: number, isTaken: boolean): Promise<void> {
    const { clock, onPortTaken } = this.#options;
    await Promise.all([
      new Promise<void>((resolve) => {
        this.#cancelRetry = clock.timer(PORT_RETRY_MS, resolve);
      }),
      isTaken ? onPortTaken?.(port).catch(() => {}) : undefined,
    ]);
    if (!this.#isClosed) await this.#openPort(port);
  }

  async #listen(bound: BoundSocket, door: Door): Promise<{ server: Server; fd: number }> {
    const fd = bound.fd();
    const server = this.#server(door);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(bound as never, BACKLOG, resolve);
    });
    return { server, fd };
  }

  async #adopt(fd: number, door: Door): Promise<{ server: Server; fd: number }> {
    const server = this.#server(door);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen({ fd, backlog: BACKLOG }, resolve);
    });
    return { server, fd };
  }

  #server(door: Door): Server {
    // claude-ipc's mail is settled by how its reader ends, so a half-closed connection stays until it is looked at.
    return createServer({ allowHalfOpen: true }, (socket) => this.#options.onConnection(socket, door)).on(
      "error",
      (error) => this.#options.log.error("listener_failed", { door, error: messageOf(error) }),
    );
  }
}

function boundTo(port: number): BoundSocket | undefined {
  try {
    return new BoundSocket({ host: HOST, port });
  } catch {
    return undefined;
  }
}
