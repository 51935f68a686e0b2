import http from "node:http";
import type { AddressInfo } from "node:net";
import net from "node:net";

/** What a worker has seen of one request. */
export interface Seen {
  method: string;
  url: string;
  headers: http.IncomingHttpHeaders;
  rawHeaders: string[];
  body: string;
  trailers: NodeJS.Dict<string>;
}

export type Handler = (request: http.IncomingMessage, response: http.ServerResponse, seen: Seen) => void;

/** A worker made of node:http: keeps a journal of the requests that it has read whole. */
export class NodeWorker implements AsyncDisposable {
  readonly server: http.Server;
  /** In the order in which their heads came; `body` grows until the request is whole. */
  readonly seen: Seen[] = [];
  readonly whole: Seen[] = [];
  connectionCount = 0;

  private constructor(handler: Handler) {
    this.server = http.createServer((request, response) => this.#handle(request, response, handler));
    this.server.on("connection", () => this.connectionCount++);
    this.server.on("checkContinue", (request, response) => {
      response.writeContinue();
      this.#handle(request, response, handler);
    });
  }

  static async start(handler: Handler = answerHello): Promise<NodeWorker> {
    const worker = new NodeWorker(handler);
    await new Promise<void>((resolve) => worker.server.listen(0, "127.0.0.1", resolve));
    return worker;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  #handle(request: http.IncomingMessage, response: http.ServerResponse, handler: Handler): void {
    const { method = "", url = "", headers, rawHeaders } = request;
    const seen: Seen = { method, url, headers, rawHeaders, body: "", trailers: {} };
    this.seen.push(seen);
    request.on("error", () => {});
    response.on("error", () => {});
    if (handler.length > 0 && method === "STREAM") return handler(request, response, seen);
    request.setEncoding("latin1");
    request.on("data", (chunk: string) => {
      seen.body += chunk;
    });
    request.on("end", () => {
      seen.trailers = request.trailers;
      this.whole.push(seen);
      handler(request, response, seen);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export const answerHello: Handler = (_request, response) => {
  response.end("hello");
};

/** A worker that reads and writes bytes as it is told. */
export class RawWorker implements AsyncDisposable {
  readonly server: net.Server;
  readonly sockets: net.Socket[] = [];
  /** All bytes that came, by connection. */
  readonly received: string[] = [];

  private constructor(onData: (socket: net.Socket, received: string, chunk: Buffer) => void) {
    this.server = net.createServer({ noDelay: true }, (socket) => {
      const index = this.sockets.push(socket) - 1;
      this.received.push("");
      socket.on("error", () => {});
      socket.on("data", (chunk: Buffer) => {
        this.received[index] += chunk.toString("latin1");
        onData(socket, this.received[index]!, chunk);
      });
    });
  }

  static async start(
    onData: (socket: net.Socket, received: string, chunk: Buffer) => void = () => {},
    port = 0,
  ): Promise<RawWorker> {
    const worker = new RawWorker(onData);
    await new Promise<void>((resolve) => worker.server.listen(port, "127.0.0.1", resolve));
    return worker;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
