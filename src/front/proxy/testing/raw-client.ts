import net from "node:net";
import { until, within } from "./deadline.ts";

/** A client that sends bytes as they are told, and keeps what comes. */
export class RawClient implements Disposable {
  readonly socket: net.Socket;
  #chunks: Buffer[] = [];
  receivedBytes = 0;
  /** The other side has closed; `error` if by a reset. */
  isEnded = false;
  isClosed = false;
  error: string | undefined;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.receivedBytes += chunk.length;
    });
    socket.on("end", () => {
      this.isEnded = true;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
    socket.on("close", () => {
      this.isClosed = true;
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = net.connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
    const client = new RawClient(socket);
    await within(
      "a connection",
      new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject)),
    );
    return client;
  }

  get bytes(): Buffer {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  get text(): string {
    return this.bytes.toString("latin1");
  }

  send(data: string | Buffer): void {
    this.socket.write(data as Buffer, "latin1");
  }

  async receive(what: string, isEnough: (text: string) => boolean): Promise<string> {
    await until(what, () => isEnough(this.text) || this.isClosed);
    return this.text;
  }

  /** A request with its only answer, of which `body` is the end. */
  async ask(request: string, body: string): Promise<string> {
    const before = this.text.length;
    this.send(request);
    await this.receive(body, (text) => text.length > before && text.endsWith(body));
    return this.text.slice(before);
  }

  /** All that came, once the other side has closed. */
  async closed(): Promise<string> {
    await until("the connection's end", () => this.isEnded || this.isClosed);
    this.socket.end();
    return this.text;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
