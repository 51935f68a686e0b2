import { once } from "node:events";
import net from "node:net";
import { freePort, startListening, versionOf } from "../gateway/process.ts";
import type { MailKind } from "./peer.ts";

/** nats-server with JetStream in files, one replica. It acknowledges what the kernel has, and syncs once a minute. */
export const nats: MailKind = {
  name: "nats",
  version: (stage) => versionOf(stage, "nats-server", ["--version"], /v(\d\S*)/),
  async start({ stage, dir, ending }) {
    const port = await freePort();
    const server = await startListening(
      stage,
      ["nats-server", "-a", "127.0.0.1", "-p", String(port), "-js", "-sd", dir],
      {
        port,
      },
    );
    ending.defer(() => server.end());
    const [writer, reader] = [await NatsConnection.open(port), await NatsConnection.open(port)];
    ending.defer(() => {
      writer.close();
      reader.close();
    });
    await writer.ask("$JS.API.STREAM.CREATE.MB", { name: "MB", subjects: ["mb.>"], storage: "file", num_replicas: 1 });
    await writer.ask("$JS.API.CONSUMER.DURABLE.CREATE.MB.R", {
      stream_name: "MB",
      config: { durable_name: "R", ack_policy: "explicit", deliver_policy: "new", filter_subject: "mb.reader" },
    });
    return {
      name: "nats",
      pids: [server.pid],
      pipelinedCount: 5_000,
      send: (body) => writer.publish("mb.store", body),
      sendToReader: (body) => writer.publish("mb.reader", body),
      receive: () => reader.next("$JS.API.CONSUMER.MSG.NEXT.MB.R"),
    };
  },
};

interface Message {
  reply: string;
  payload: Buffer;
}

const LINE_END = Buffer.from("\r\n");

/** As much of the client protocol as is needed: requests, acknowledged publishing, one pull at a time. */
class NatsConnection {
  readonly #socket: net.Socket;
  readonly #inbox = `_INBOX.${crypto.randomUUID().slice(0, 8)}`;
  readonly #waiting = new Map<string, (message: Message) => void>();
  #buffer: Buffer = Buffer.alloc(0);
  /** Subscription 1 is the inbox. */
  #next = 1;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", () => {});
    socket.write(`CONNECT {"verbose":false,"headers":true,"no_responders":false}\r\nSUB ${this.#inbox}.* 1\r\n`);
  }

  static async open(port: number): Promise<NatsConnection> {
    const socket = net.connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new NatsConnection(socket);
  }

  /** @throws with the server's description of what is wrong */
  async ask(subject: string, question: unknown): Promise<void> {
    const { payload } = await this.#request(subject, JSON.stringify(question));
    const { error } = JSON.parse(payload.toString()) as { error?: { description: string } };
    if (error) throw new Error(`${subject}: ${error.description}`);
  }

  /** Resolves when the stream has it. */
  async publish(subject: string, body: string): Promise<void> {
    const { payload } = await this.#request(subject, body);
    if (payload.includes('"error"')) throw new Error(payload.toString());
  }

  /** The next message of a consumer; acknowledged. Answers when it came. */
  async next(subject: string): Promise<number> {
    const sid = ++this.#next;
    const inbox = `_PULL.${this.#inbox}.${sid}`;
    const came = new Promise<Message>((resolve) => this.#waiting.set(String(sid), resolve));
    const pull = JSON.stringify({ batch: 1, expires: 60_000_000_000 });
    this.#socket.write(
      `SUB ${inbox} ${sid}\r\nUNSUB ${sid} 1\r\nPUB ${subject} ${inbox} ${pull.length}\r\n${pull}\r\n`,
    );
    const { reply } = await came;
    const atMs = performance.now();
    this.#socket.write(`PUB ${reply} 4\r\n+ACK\r\n`);
    return atMs;
  }

  close(): void {
    this.#socket.destroy();
  }

  #request(subject: string, body: string): Promise<Message> {
    const inbox = `${this.#inbox}.${++this.#next}`;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(inbox, resolve));
    this.#socket.write(`PUB ${subject} ${inbox} ${Buffer.byteLength(body)}\r\n${body}\r\n`);
    return answer;
  }

  #onData(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    let at = 0;
    for (;;) {
      const end = this.#buffer.indexOf(LINE_END, at);
      if (end < 0) break;
      const words = this.#buffer.toString("latin1", at, end).split(" ");
      if (words[0] !== "MSG" && words[0] !== "HMSG") {
        if (words[0] === "PING") this.#socket.write("PONG\r\n");
        if (words[0] === "-ERR") throw new Error(words.join(" "));
        at = end + 2;
        continue;
      }
      const bytes = Number(words.at(-1));
      if (this.#buffer.length < end + 2 + bytes + 2) break;
      this.#onMessage(words, this.#buffer.subarray(end + 2, end + 2 + bytes));
      at = end + 2 + bytes + 2;
    }
    this.#buffer = this.#buffer.subarray(at);
  }

  /** `MSG subject sid [reply] bytes`. What a pull brings has its own subject, and is told by its subscription. */
  #onMessage([, subject = "", sid = "", ...rest]: string[], payload: Buffer): void {
    const key = sid === "1" ? subject : sid;
    const wake = this.#waiting.get(key);
    this.#waiting.delete(key);
    wake?.({ reply: rest.length > 1 ? rest[0]! : "", payload });
  }
}
