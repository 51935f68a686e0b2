import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { systemCode, WarrenError } from "../protocol/errors.ts";
import type { StreamGreeting } from "../remote/greeting.ts";
import type { ConnectUnit } from "../remote/network.ts";
import { type AppFile, sentFile } from "../web-files/app-files.ts";
import { securityHeaders } from "../web-files/security-headers.ts";
import type { Access } from "./access.ts";
import { WebSession } from "./web-session.ts";

/**
 * The app for this machine's browsers: its files, the exchange of a link's token for a pass, and the WebSocket by which a page reaches the home's servers.
 *
 * 1. It listens on 127.0.0.1 and ::1 alone, and answers only requests that name it so (`Host`): a foreign name that resolves to 127.0.0.1 gets nothing.
 * 2. A WebSocket needs a pass and the app's own Origin. No answer allows another origin anything (no CORS).
 * 3. Files can be had by everybody: there is nothing of the home in them.
 */
export interface WebHostOptions {
  /** 0: a free one. */
  port: number;
  files: ReadonlyMap<string, AppFile>;
  access: Access;
  greeting: StreamGreeting;
  connect: ConnectUnit;
  /** A link was used; the next one is to be made. */
  onUsed(): void;
}

const SOCKET_PATH = "/web/v1";
const PASS_PATH = "/web/v1/pass";
/** What a page offers as subprotocols: the version, and its pass behind the prefix. */
const PROTOCOL = "warren.web.1";
const PASS_PREFIX = "pass.";
const LOOPBACKS = ["127.0.0.1", "::1"];
const NAMES = ["127.0.0.1", "localhost", "[::1]"];
const HEADERS = securityHeaders({ isTls: false });
const FRAME_BYTES_MAX = 96 * 1024;
const BODY_BYTES_MAX = 1024;
const CONNECTIONS_MAX = 256;

export class WebHost {
  readonly #options: WebHostOptions;
  readonly #servers: http.Server[] = [];
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_BYTES_MAX,
    handleProtocols: () => PROTOCOL,
  });
  #port = 0;

  constructor(options: WebHostOptions) {
    this.#options = options;
  }

  get port(): number {
    return this.#port;
  }

  /** @throws PORT_TAKEN, PORT_FORBIDDEN */
  async listen(): Promise<void> {
    this.#port = this.#options.port;
    for (const [at, host] of LOOPBACKS.entries()) {
      try {
        this.#port = await this.#listenOn(host);
      } catch (error) {
        const isAbsent = ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(systemCode(error) ?? "");
        if (at > 0 && isAbsent) continue; // a machine without IPv6
        this.close();
        throw listenError(error, this.#port);
      }
    }
  }

  close(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  #listenOn(host: string): Promise<number> {
    const server = http.createServer({ maxHeaderSize: 8 * 1024 }, (request, response) =>
      this.#answer(request, response),
    );
    server.maxConnections = CONNECTIONS_MAX;
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port: this.#port, ipv6Only: true }, () => {
        this.#servers.push(server);
        resolve((server.address() as { port: number }).port);
      });
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (!this.#isNamedRightly(request)) return say(response, 421, "This address is not this program's.");
    const path = (request.url ?? "/").split("?")[0]!;
    if (path === PASS_PATH) return this.#givePass(request, response);
    const file = this.#options.files.get(path);
    if (!file) return say(response, 404, "There is nothing here.");
    if (request.method !== "GET" && request.method !== "HEAD") return say(response, 405, "It can only be read.");
    const { body, headers } = sentFile(file, request.headers["accept-encoding"]?.toString());
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.end(request.method === "HEAD" ? undefined : body);
  }

  /** `POST`, the token as its text; the answer is the pass. */
  #givePass(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader("Cache-Control", "no-store");
    if (request.method !== "POST" || !this.#isOwnOrigin(request)) return say(response, 403, "This page may not ask.");
    let token = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      token += text;
      if (token.length > BODY_BYTES_MAX) request.destroy();
    });
    request.on("end", () => {
      const pass = this.#options.access.exchange(token.trim());
      if (pass === undefined) return say(response, 403, "This link was used already, or is not of this program.");
      say(response, 200, pass);
      this.#options.onUsed();
    });
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => {}); // of somebody who went away meanwhile
    // node:http has let go of it, with its deadlines: one that stays half open would be held for ever.
    const refuse = (status: string): void =>
      void socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`, () => socket.destroy());
    if (!this.#isNamedRightly(request)) return refuse("421 Misdirected Request");
    if (request.url?.split("?")[0] !== SOCKET_PATH) return refuse("404 Not Found");
    if (!this.#isOwnOrigin(request)) return refuse("403 Forbidden");
    const offered = String(request.headers["sec-websocket-protocol"] ?? "").split(/, */);
    const pass = offered.find((one) => one.startsWith(PASS_PREFIX))?.slice(PASS_PREFIX.length);
    if (!offered.includes(PROTOCOL) || pass === undefined) return refuse("401 Unauthorized");
    const { greeting, connect, access } = this.#options;
    const isKnown = access.isPass(pass);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      // A browser shows a page no status of a refused WebSocket, and does show it a close code.
      if (!isKnown) return webSocket.close(4401, "PASS_UNKNOWN");
      new WebSession({ socket: webSocket, greeting, connect });
    });
  }

  #isNamedRightly({ headers }: IncomingMessage): boolean {
    return NAMES.some((name) => headers.host === `${name}:${this.#port}`);
  }

  #isOwnOrigin({ headers }: IncomingMessage): boolean {
    return headers.origin === `http://${headers.host}`;
  }
}

function say(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.end(text);
}

function listenError(error: unknown, port: number): unknown {
  const code = systemCode(error);
  if (code === "EADDRINUSE")
    return new WarrenError("PORT_TAKEN", `Port ${port} is used by another program, or by another warren web.`, {
      fix: "warren web --port 0",
    });
  if (code === "EACCES")
    return new WarrenError("PORT_FORBIDDEN", `You may not listen on port ${port}.`, { fix: "warren web --port 7118" });
  return error;
}
