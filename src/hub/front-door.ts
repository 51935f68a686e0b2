import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Server as SecureServer } from "node:https";
import net from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { Certificate } from "../platform/certificate-files.ts";
import { isWarrenError, systemCode, WarrenError } from "../protocol/errors.ts";
import { HUB_PATH } from "../sealing/frames.ts";
import type { HubHttpOptions } from "./http.ts";
import type { Hub } from "./hub.ts";
import type { HubLimits } from "./limits.ts";
import { serveWebSocket } from "./web-socket-wire.ts";

/**
 * The hub's TCP listener: plain HTTP for the little that there is, WebSockets for the rest, TLS where there is a certificate. Whoever sends a request drop by drop is cut off.
 */
export interface FrontDoorOptions {
  /** What is told about the hub. */
  facts: HubHttpOptions["facts"];
  /** The app that it serves. */
  files: HubHttpOptions["files"];
  hub: Hub;
  limits: HubLimits;
  /** Absent: plain http. */
  certificate?: Certificate | undefined;
  /** The address of a client is what the proxy in front says. */
  isBehindProxy: boolean;
}

const HEAD_MS = 10_000;
const REQUEST_MS = 15_000;
const IDLE_MS = 5_000;
const CHECK_MS = 1_000;
const HEAD_BYTES = 8 * 1024;
/** Beyond the hub's own connections: requests, and upgrades that are under way. */
const EXTRA_CONNECTIONS = 200;

export class FrontDoor {
  readonly #server: Server | SecureServer;
  /** What comes to ::1 is given to the server. */
  #overIpv6: net.Server | undefined;
  readonly #options: FrontDoorOptions;
  readonly #sockets: WebSocketServer;
  #listener: Promise<(request: IncomingMessage, response: ServerResponse) => Promise<void>> | undefined;

  constructor(options: FrontDoorOptions) {
    const { certificate, limits } = options;
    this.#options = options;
    const common = {
      headersTimeout: HEAD_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: IDLE_MS,
      connectionsCheckingInterval: CHECK_MS,
      maxHeaderSize: HEAD_BYTES,
    };
    const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#answer(request, response);
    // Not by import: a module's import of node:http reads its every name, and one of them loads the whole of undici: 10 MB. With https comes tls: 2 MB.
    this.#server = certificate
      ? process
          .getBuiltinModule("node:https")
          .createServer({ ...common, ...tlsOf(certificate), handshakeTimeout: HEAD_MS }, onRequest)
      : process.getBuiltinModule("node:http").createServer(common, onRequest);
    this.#server.maxConnections = limits.connections + EXTRA_CONNECTIONS;
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: limits.frameBytes,
      perMessageDeflate: false, // what is sealed does not get smaller
      skipUTF8Validation: true, // text is refused as it is
      clientTracking: false,
    });
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** The port. `localhost` is both of its addresses, where the machine has both. @throws PORT_TAKEN, PORT_FORBIDDEN, ADDRESS_NOT_OURS */
  async listen(host: string, wanted: number): Promise<number> {
    if (host !== "localhost") return listenOn(this.#server, host, wanted);
    const port = await listenOn(this.#server, "127.0.0.1", wanted);
    const { maxConnections } = this.#server;
    this.#overIpv6 = net.createServer({ noDelay: true }, (socket) => this.#server.emit("connection", socket));
    this.#overIpv6.maxConnections = maxConnections;
    return listenOn(this.#overIpv6, "::1", port).catch((error) => {
      if (isWarrenError(error, "ADDRESS_NOT_OURS")) return port;
      throw error;
    });
  }

  renew(certificate: Certificate): void {
    if ("setSecureContext" in this.#server) this.#server.setSecureContext(tlsOf(certificate));
  }

  /** No new connections; those that are left are cut off. */
  close(): void {
    this.#overIpv6?.close();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { facts, files, certificate } = this.#options;
    this.#listener ??= import("./http.ts").then(({ hubListener }) =>
      hubListener({ path: HUB_PATH, facts, files, isTls: certificate !== undefined }),
    );
    await (await this.#listener)(request, response);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => {}); // of somebody who went away meanwhile
    // Not as a URL: a target may be anything, and one that is no URL must not throw here.
    if (request.url?.split("?")[0] !== HUB_PATH) {
      // node:http has let go of it, with its deadlines: one that stays half open would be held for ever.
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", () => socket.destroy());
      return;
    }
    const address = this.#addressOf(request);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
      serveWebSocket(webSocket, (wire) => this.#options.hub.accept(wire, { address })),
    );
  }

  /** Behind a proxy the last entry of X-Forwarded-For: the one that our own proxy has added; what stands before it anybody may have written. */
  #addressOf({ headers, socket }: IncomingMessage): string {
    const own = socket.remoteAddress ?? "";
    if (!this.#options.isBehindProxy) return own;
    const said = String(headers["x-forwarded-for"] ?? "")
      .split(",")
      .at(-1)
      ?.trim();
    return said || own;
  }
}

const tlsOf = ({ certPem, keyPem }: Certificate) => ({ cert: certPem, key: keyPem, minVersion: "TLSv1.2" as const });

function listenOn(server: net.Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: unknown): void => reject(listenError(error, host, port));
    server.once("error", onError);
    server.listen({ host, port }, () => {
      server.off("error", onError);
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : port);
    });
  });
}

function listenError(error: unknown, host: string, port: number): unknown {
  const code = systemCode(error);
  if (code === "EADDRINUSE")
    return new WarrenError("PORT_TAKEN", `Port ${port} is used by another program.`, { fix: "warren hub --port 0" });
  if (code === "EACCES")
    return new WarrenError("PORT_FORBIDDEN", `You may not listen on port ${port}.`, { fix: "warren hub --port 7117" });
  if (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT" || code === "ENOTFOUND" || code === "EAI_AGAIN")
    return new WarrenError("ADDRESS_NOT_OURS", `${host} is no address of this machine.`, {
      fix: "warren hub --host 0.0.0.0",
    });
  return error;
}
