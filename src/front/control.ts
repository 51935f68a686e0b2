import { chmodSync, rmSync } from "node:fs";
import net from "node:net";
import type { Log } from "../platform/log.ts";
import { messageOf } from "../protocol/errors.ts";
import type { FrontToServer, ServerToFront } from "../protocol/front-messages.ts";
import { LineSplitter } from "../protocol/lines.ts";

/**
 * The front's own socket, on which a server steers it. A server that dies leaves the front as it is; the next one dials and tells the whole table. Two may be
 * connected for a moment, the one that ends and the one that begins: both are told, and both are listened to, since what they tell has revisions.
 */
export interface FrontControlOptions {
  path: string;
  log: Log;
  /** The first line to each server. */
  greeting: () => Extract<FrontToServer, { type: "hello" }>;
  onMessage: (message: ServerToFront) => void;
  /** The last server has gone. */
  onAlone: () => void;
}

/** A table of 10,000 routes is some 2 MB. */
const LINE_BYTES_MAX = 32 * 1024 * 1024;
/** A server that does not read this much is hung: it is cut off, dials again and is greeted anew. */
const BACKLOG_BYTES_MAX = 4 * 1024 * 1024;

export class FrontControl {
  readonly #options: FrontControlOptions;
  readonly #listener: net.Server;
  readonly #servers = new Set<net.Socket>();

  constructor(options: FrontControlOptions) {
    this.#options = options;
    this.#listener = net.createServer((socket) => this.#accept(socket));
  }

  /** Resolves when it can be dialled. */
  async listen(): Promise<void> {
    const { path } = this.#options;
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) =>
      this.#listener.once("error", reject).listen(path, () => {
        chmodSync(path, 0o600); // until here the directory's mode keeps others out
        resolve();
      }),
    );
  }

  tell(message: FrontToServer): void {
    const line = `${JSON.stringify(message)}\n`;
    for (const socket of this.#servers) {
      if (socket.writableLength > BACKLOG_BYTES_MAX) socket.destroy();
      else socket.write(line);
    }
  }

  /** Takes the socket away: nobody dials any more, who is connected stays. Afterwards another front may have a socket of its own in that place. */
  stopListening(): void {
    if (this.#listener.listening) this.#listener.close();
  }

  /** Who is connected is sent what is queued. */
  close(): void {
    this.stopListening();
    for (const socket of this.#servers) socket.destroySoon();
  }

  #accept(socket: net.Socket): void {
    const { greeting, onMessage, onAlone, log } = this.#options;
    this.#servers.add(socket);
    socket.on("error", () => {}); // a close follows
    socket.on("close", () => {
      this.#servers.delete(socket);
      if (this.#servers.size === 0) onAlone();
    });
    const splitter = new LineSplitter(LINE_BYTES_MAX);
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const line of splitter.push(chunk)) onMessage(JSON.parse(line));
      } catch (error) {
        log.error("bad_order", { error: messageOf(error) });
        socket.destroy(); // the server dials again, and tells everything anew
      }
    });
    socket.write(`${JSON.stringify(greeting())}\n`);
  }
}
