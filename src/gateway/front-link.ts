import net from "node:net";
import type { FrontToServer, ServerToFront } from "../protocol/front-messages.ts";
import { LineSplitter } from "../protocol/lines.ts";

/** The line to one generation of a front, from the greeting to the end. */
export type Greeting = Extract<FrontToServer, { type: "hello" }>;

export interface FrontLinkEvents {
  onMessage: (message: FrontToServer, link: FrontLink) => void;
  /** Once; that generation is gone, or hung. */
  onClosed: (link: FrontLink) => void;
}

const DIAL_TIMEOUT_MS = 5_000;
const LINE_BYTES_MAX = 32 * 1024 * 1024;

export class FrontLink {
  readonly greeting: Greeting;
  readonly #socket: net.Socket;

  /** @throws what connect(2) says, or that nobody greets */
  static async dial(path: string, events: FrontLinkEvents): Promise<FrontLink> {
    const socket = net.connect(path);
    const splitter = new LineSplitter(LINE_BYTES_MAX);
    const greeted = Promise.withResolvers<Greeting>();
    let link: FrontLink | undefined;
    const early: FrontToServer[] = [];
    socket.on("data", (chunk: Buffer) => {
      for (const line of splitter.push(chunk)) {
        const message = JSON.parse(line) as FrontToServer;
        if (link) events.onMessage(message, link);
        else if (message.type === "hello") greeted.resolve(message);
        else early.push(message);
      }
    });
    socket.on("error", (error) => greeted.reject(error));
    socket.on("close", () => {
      greeted.reject(new Error(`${path} closed the connection`));
      if (link) events.onClosed(link);
    });
    const timer = setTimeout(() => socket.destroy(new Error(`${path} does not greet`)), DIAL_TIMEOUT_MS);
    try {
      link = new FrontLink(socket, await greeted.promise);
    } finally {
      clearTimeout(timer);
    }
    for (const message of early) events.onMessage(message, link);
    if (socket.destroyed) events.onClosed(link);
    return link;
  }

  private constructor(socket: net.Socket, greeting: Greeting) {
    this.#socket = socket;
    this.greeting = greeting;
  }

  tell(message: ServerToFront): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  close(): void {
    this.#socket.destroy();
  }
}
