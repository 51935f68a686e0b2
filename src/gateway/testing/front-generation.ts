import net from "node:net";
import { FRONT_FORMAT, type ServerToFront } from "../../protocol/front-messages.ts";
import { LineSplitter } from "../../protocol/lines.ts";

/** A generation's end of the line: greets, and says what it was told. */
export class Generation implements AsyncDisposable {
  readonly told: ServerToFront["type"][] = [];
  readonly #server: net.Server;

  static async at(path: string, generation: number, onTold: (one: Generation, socket: net.Socket) => void) {
    const one = new Generation(generation, onTold);
    await new Promise<void>((resolve) => one.#server.listen(path, resolve));
    return one;
  }

  private constructor(generation: number, onTold: (one: Generation, socket: net.Socket) => void) {
    this.#server = net.createServer((socket) => {
      const lines = new LineSplitter();
      const greeting = {
        type: "hello",
        format: FRONT_FORMAT,
        pid: 1,
        generation,
        hash: "h",
        revision: 0,
        isEnding: false,
      };
      socket.write(`${JSON.stringify(greeting)}\n`);
      socket.on("error", () => {});
      socket.on("data", (chunk: Buffer) => {
        for (const line of lines.push(chunk)) this.told.push((JSON.parse(line) as ServerToFront).type);
        onTold(this, socket);
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
