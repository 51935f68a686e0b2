import net, { type AddressInfo } from "node:net";

/** A request as it stands in the bytes that a worker was sent. */
export interface SentOn {
  method: string;
  url: string;
  body: string;
}

/**
 * A worker that takes nothing but what the front may write, read by a parser that has nothing in common with the front's: regular expressions over everything
 * that came. Anything else is kept as a fault.
 */
export class StrictWorker implements AsyncDisposable {
  readonly whole: SentOn[] = [];
  readonly heads: string[] = [];
  readonly faults: string[] = [];
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor() {
    this.#server = net.createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      let text = "";
      let headsSeen = 0;
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
        for (;;) {
          const end = text.indexOf("\r\n\r\n");
          if (end < 0) return;
          const head = text.slice(0, end + 2);
          if (headsSeen === 0) {
            headsSeen = 1;
            this.heads.push(head.slice(0, head.indexOf("\r\n")));
            if (/^expect: 100-continue\r$/m.test(head)) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
          }
          const request = this.#read(head, text.slice(end + 4));
          if (request === undefined) return;
          headsSeen = 0;
          text = text.slice(end + 4 + request.bodyLength);
          this.whole.push(request.sent);
          socket.write(
            `HTTP/1.1 200 OK\r\nContent-Length: ${request.sent.method === "HEAD" ? "2\r\n\r\n" : "2\r\n\r\nok"}`,
          );
        }
      });
    });
  }

  static async start(): Promise<StrictWorker> {
    const worker = new StrictWorker();
    await new Promise<void>((resolve) => worker.#server.listen(0, "127.0.0.1", resolve));
    return worker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #read(head: string, rest: string): { sent: SentOn; bodyLength: number } | undefined {
    const match =
      /^([!-~]{1,20}) (\/[!-~]*|\*) HTTP\/1\.1\r\n((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*\r\n)+)$/.exec(
        head,
      );
    if (match === null) {
      this.faults.push(head);
      return undefined;
    }
    const [, method = "", url = "", lines = ""] = match;
    const count = (name: string): number => lines.match(new RegExp(`^${name}:`, "gim"))?.length ?? 0;
    if (count("host") !== 1 || count("content-length") + count("transfer-encoding") > 1) this.faults.push(head);
    const length = /^content-length: ([0-9]+)\r$/m.exec(lines)?.[1];
    if (length !== undefined) {
      const body = rest.slice(0, Number(length));
      return body.length < Number(length) ? undefined : { sent: { method, url, body }, bodyLength: body.length };
    }
    if (count("transfer-encoding") === 0) return { sent: { method, url, body: "" }, bodyLength: 0 };
    return this.#readChunks(method, url, rest);
  }

  #readChunks(method: string, url: string, rest: string): { sent: SentOn; bodyLength: number } | undefined {
    let body = "";
    for (let at = 0; ; ) {
      const size = /^([0-9a-f]+)\r\n/.exec(rest.slice(at, at + 12));
      if (size === null) {
        if (!/^[0-9a-f]*\r?$/.test(rest.slice(at, at + 12))) this.faults.push(rest.slice(at));
        return undefined;
      }
      const start = at + size[0].length;
      const length = Number.parseInt(size[1]!, 16);
      if (length === 0) {
        const end = /^(?:[!-9;-~]+: [\t\x20-\x7e\x80-\xff]*\r\n)*\r\n/.exec(rest.slice(start));
        return end === null ? undefined : { sent: { method, url, body }, bodyLength: start + end[0].length };
      }
      if (rest.length < start + length + 2) return undefined;
      body += rest.slice(start, start + length);
      if (rest.slice(start + length, start + length + 2) !== "\r\n") this.faults.push(rest.slice(at));
      at = start + length + 2;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
