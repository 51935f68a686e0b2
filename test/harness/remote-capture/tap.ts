import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { type Heard, WebSocketReader } from "./web-socket-reader.ts";

/**
 * A wire-tap before a hub: everybody connects to it instead, and every byte that enters and leaves the hub's port passes here, in the order in which it did. It can
 * also keep messages back, as a network or a hub that lies would.
 */
export interface Tapped extends Heard {
  direction: "to hub" | "from hub";
  /** Which connection: counted from 1. */
  connection: number;
}

export class Tap implements Disposable {
  readonly heard: Tapped[] = [];
  /** False: it is not passed on. Asked of WebSocket messages alone. */
  passes: (message: Tapped) => boolean = () => true;
  readonly #server: net.Server;
  readonly #sockets = new Set<Socket>();
  #count = 0;

  static async before(hubPort: number): Promise<Tap> {
    const tap = new Tap(hubPort);
    tap.#server.listen(0, "127.0.0.1");
    await once(tap.#server, "listening");
    return tap;
  }

  private constructor(hubPort: number) {
    this.#server = net.createServer((client) => {
      const connection = ++this.#count;
      const hub = net.connect(hubPort, "127.0.0.1");
      this.#pass(client, hub, { direction: "to hub", connection });
      this.#pass(hub, client, { direction: "from hub", connection });
    });
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** All connections end, as by a network that goes away. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  [Symbol.dispose](): void {
    this.#server.close();
    this.cut();
  }

  #pass(from: Socket, to: Socket, about: Pick<Tapped, "direction" | "connection">): void {
    const reader = new WebSocketReader();
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on("data", (chunk: Buffer) => {
      for (const one of reader.push(chunk)) {
        const tapped = { ...one, ...about };
        this.heard.push(tapped);
        if (one.kind !== "message" || this.passes(tapped)) to.write(one.raw);
      }
    });
    from.on("error", () => {}); // a close follows
    from.on("close", () => {
      this.#sockets.delete(from);
      to.end();
    });
  }
}
