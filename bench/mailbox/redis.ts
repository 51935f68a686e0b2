import { once } from "node:events";
import net from "node:net";
import { freePort, startListening, versionOf } from "../gateway/process.ts";
import type { MailKind } from "./peer.ts";

/** Redis streams; each write is synced before it is answered (`appendfsync always`), those that are there together at once. */
export const redis: MailKind = {
  name: "redis",
  version: (stage) => versionOf(stage, "redis-server", ["--version"], /v=(\S+)/),
  async start({ stage, dir, ending }) {
    const port = await freePort();
    const options = [
      "--bind",
      "127.0.0.1",
      "--appendonly",
      "yes",
      "--appendfsync",
      "always",
      "--save",
      "",
      "--dir",
      dir,
    ];
    const server = await startListening(stage, ["redis-server", "--port", String(port), ...options], { port });
    ending.defer(() => server.end());
    const [writer, reader] = [await RedisConnection.open(port), await RedisConnection.open(port)];
    ending.defer(() => {
      writer.close();
      reader.close();
    });
    await writer.call("XGROUP", "CREATE", "reader", "all", "$", "MKSTREAM");
    const add = async (stream: string, body: string): Promise<void> =>
      void (await writer.call("XADD", stream, "*", "b", body));
    return {
      name: "redis",
      pids: [server.pid],
      pipelinedCount: 5_000,
      send: (body) => add("store", body),
      sendToReader: (body) => add("reader", body),
      async receive() {
        const [[, [[id]]]] = (await reader.call(
          ...["XREADGROUP", "GROUP", "all", "one", "COUNT", "1", "BLOCK", "0", "STREAMS", "reader", ">"],
        )) as [[string, [[string]]]];
        const atMs = performance.now();
        await reader.call("XACK", "reader", "all", id);
        return atMs;
      },
    };
  },
};

type Reply = string | number | null | Error | Reply[];

/** Commands and answers of RESP 2, in order. */
class RedisConnection {
  readonly #socket: net.Socket;
  readonly #waiting: PromiseWithResolvers<Reply>[] = [];
  #buffer: Buffer = Buffer.alloc(0);

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", () => {});
  }

  static async open(port: number): Promise<RedisConnection> {
    const socket = net.connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new RedisConnection(socket);
  }

  call(...words: string[]): Promise<Reply> {
    const waiting = Promise.withResolvers<Reply>();
    this.#waiting.push(waiting);
    this.#socket.write(
      `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`,
    );
    return waiting.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    const cursor = { at: 0 };
    for (;;) {
      const startAt = cursor.at;
      const reply = readReply(this.#buffer, cursor);
      if (reply === undefined) {
        this.#buffer = this.#buffer.subarray(startAt);
        return;
      }
      const { resolve, reject } = this.#waiting.shift()!;
      if (reply instanceof Error) reject(reply);
      else resolve(reply);
    }
  }
}

/** Undefined: it is not all there yet. */
function readReply(buffer: Buffer, cursor: { at: number }): Reply | undefined {
  const end = buffer.indexOf("\r\n", cursor.at);
  if (end < 0) return undefined;
  const kind = String.fromCharCode(buffer[cursor.at]!);
  const text = buffer.toString("utf8", cursor.at + 1, end);
  cursor.at = end + 2;
  if (kind === "+") return text;
  if (kind === "-") return new Error(text);
  if (kind === ":") return Number(text);
  const length = Number(text);
  if (length < 0) return null;
  if (kind === "$") {
    if (buffer.length < cursor.at + length + 2) return undefined;
    const bulk = buffer.toString("utf8", cursor.at, cursor.at + length);
    cursor.at += length + 2;
    return bulk;
  }
  const items: Reply[] = [];
  for (let count = 0; count < length; count++) {
    const item = readReply(buffer, cursor);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}
