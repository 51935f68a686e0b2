import { once } from "node:events";
import net from "node:net";
import { LineSplitter } from "../../src/protocol/lines.ts";

/** One connection to one leader, which is not made anew when that dies: what it answers is that leader's own word. */
export class DirectConnection implements Disposable {
  readonly #socket: net.Socket;
  readonly #asked = new Map<number, string | undefined>();
  readonly #answers = new Map<number, { id: number; success: boolean }>();
  readonly #waiting = new Set<() => void>();
  #nextId = 1;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    const splitter = new LineSplitter(Number.POSITIVE_INFINITY);
    socket.on("error", () => {}); // a close follows
    socket.on("data", (bytes: Buffer) => {
      for (const line of splitter.push(bytes)) this.#onLine(line);
      this.#wake();
    });
    socket.on("close", () => this.#wake());
  }

  static async open(path: string): Promise<DirectConnection> {
    const socket = net.connect(path);
    await once(socket, "connect");
    return new DirectConnection(socket);
  }

  send(type: string, payload: Record<string, unknown>): number {
    const id = this.#nextId++;
    this.#asked.set(id, payload.message_id as string | undefined);
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify({ id, type, payload })}\n`);
    return id;
  }

  async ask(type: string, payload: Record<string, unknown>): Promise<void> {
    const id = this.send(type, payload);
    while (!this.#answers.has(id)) {
      if (this.#socket.destroyed) throw new Error(`closed without an answer to ${type}`);
      await this.#change();
    }
  }

  /** Resolves when everything is answered or the connection is closed. */
  async settled(): Promise<void> {
    while (!this.#socket.destroyed && this.#answers.size < this.#asked.size) await this.#change();
  }

  /** The ids of the messages that were. */
  acknowledged(): string[] {
    return [...this.#answers.values()].flatMap(({ id, success }) => (success ? (this.#asked.get(id) ?? []) : []));
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #change = (): Promise<void> => new Promise((resolve) => this.#waiting.add(resolve));

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #onLine(line: string): void {
    const answer = JSON.parse(line) as { id: number; success: boolean };
    if (this.#asked.has(answer.id)) this.#answers.set(answer.id, answer);
  }
}
