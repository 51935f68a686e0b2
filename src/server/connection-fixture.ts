import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LineSplitter } from "../protocol/lines.ts";
import type { Scope } from "../protocol/messages.ts";
import { Connection, type ConnectionHandlers } from "./connection.ts";

/** For tests: both ends of a unix socket, the server's as a Connection. */
export class ConnectionFixture implements AsyncDisposable {
  readonly connection: Connection;
  /** The client's end. */
  readonly peer: net.Socket;
  readonly #listener: net.Server;
  readonly #directory: string;
  readonly #received: Record<string, unknown>[] = [];
  readonly #wakers = new Set<() => void>();

  static async make(handlers: Partial<ConnectionHandlers> = {}, scopes?: readonly Scope[]): Promise<ConnectionFixture> {
    const directory = await mkdtemp(join(tmpdir(), "warren-connection-"));
    const { promise, resolve } = Promise.withResolvers<Connection>();
    const all: ConnectionHandlers = {
      onLine: async () => {},
      onTooLong: () => {},
      onClose: () => {},
      ...handlers,
    };
    const listener = net.createServer((socket) =>
      resolve(scopes ? new Connection(socket, all, new Set(scopes)) : new Connection(socket, all)),
    );
    await new Promise<void>((listening) => listener.listen(join(directory, "s"), listening));
    const peer = net.connect(join(directory, "s"));
    return new ConnectionFixture(await promise, peer, listener, directory);
  }

  private constructor(connection: Connection, peer: net.Socket, listener: net.Server, directory: string) {
    this.connection = connection;
    this.peer = peer;
    this.#listener = listener;
    this.#directory = directory;
    peer.on("error", () => {});
  }

  /** Begins to read what the server sends; before that nothing is taken from the socket. */
  read(): void {
    const splitter = new LineSplitter(Number.POSITIVE_INFINITY);
    this.peer.on("data", (chunk: Buffer) => {
      for (const line of splitter.push(chunk)) this.#received.push(JSON.parse(line));
      for (const wake of this.#wakers) wake();
    });
  }

  /** What has been received, once it is at least `count` messages. */
  async received(count: number): Promise<Record<string, unknown>[]> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`only ${this.#received.length} of ${count} messages`)), 5_000);
    const look = (): void => {
      if (this.#received.length >= count) resolve();
    };
    this.#wakers.add(look);
    look();
    await promise.finally(() => {
      clearTimeout(timer);
      this.#wakers.delete(look);
    });
    return this.#received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.peer.destroy();
    this.connection.cutOff();
    await new Promise((closed) => this.#listener.close(closed));
    await rm(this.#directory, { recursive: true });
  }
}
