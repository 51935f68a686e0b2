import { createHash, randomBytes } from "node:crypto";
import net, { type AddressInfo } from "node:net";
import { until } from "./deadline.ts";

/** A minimal peer by RFC 6455: whole frames, no extensions, for tests. */
export interface Frame {
  opcode: number;
  isFinal: boolean;
  payload: Buffer;
}

export const TEXT = 0x1;
export const CLOSE = 0x8;

export function encodeFrame(opcode: number, payload: Buffer, isMasked: boolean, isFinal = true): Buffer {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const header = Buffer.alloc(2 + lengthBytes);
  header[0] = (isFinal ? 0x80 : 0) | opcode;
  header[1] = (isMasked ? 0x80 : 0) | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) header.writeUInt16BE(length, 2);
  if (lengthBytes === 8) header.writeBigUInt64BE(BigInt(length), 2);
  if (!isMasked) return Buffer.concat([header, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([header, mask, payload.map((byte, index) => byte ^ mask[index % 4]!)]);
}

/** One end of a WebSocket after its handshake. */
export class WebSocketEnd {
  readonly socket: net.Socket;
  readonly frames: Frame[] = [];
  readonly #isClient: boolean;
  #unread: Buffer = Buffer.alloc(0);
  isClosed = false;

  constructor(socket: net.Socket, isClient: boolean, onFrame: (frame: Frame, end: WebSocketEnd) => void = () => {}) {
    this.socket = socket;
    this.#isClient = isClient;
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
    });
    socket.on("data", (chunk: Buffer) => {
      this.#unread = Buffer.concat([this.#unread, chunk]);
      for (let frame = this.#take(); frame !== undefined; frame = this.#take()) {
        this.frames.push(frame);
        onFrame(frame, this);
      }
    });
  }

  send(opcode: number, payload: string | Buffer): void {
    this.socket.write(encodeFrame(opcode, Buffer.from(payload as string), this.#isClient));
  }

  get texts(): string[] {
    return this.frames.filter(({ opcode }) => opcode === TEXT).map(({ payload }) => payload.toString());
  }

  /** The code of the close frame that came. */
  get closeCode(): number | undefined {
    return this.frames.find(({ opcode }) => opcode === CLOSE)?.payload.readUInt16BE(0);
  }

  #take(): Frame | undefined {
    const bytes = this.#unread;
    if (bytes.length < 2) return undefined;
    const short = bytes[1]! & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const isMasked = (bytes[1]! & 0x80) !== 0;
    if (isMasked === this.#isClient) throw new Error("a frame that is masked on the wrong side");
    const start = 2 + lengthBytes + (isMasked ? 4 : 0);
    if (bytes.length < start) return undefined;
    const length =
      lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (bytes.length < start + length) return undefined;
    const mask = bytes.subarray(start - 4, start);
    const payload = Buffer.from(bytes.subarray(start, start + length));
    if (isMasked) for (let index = 0; index < length; index++) payload[index]! ^= mask[index % 4]!;
    this.#unread = bytes.subarray(start + length);
    return { opcode: bytes[0]! & 0x0f, isFinal: (bytes[0]! & 0x80) !== 0, payload };
  }
}

/** Accepts WebSockets at `/`; echoes texts, answers a close with a close. */
export class WebSocketWorker implements AsyncDisposable {
  readonly ends: WebSocketEnd[] = [];
  readonly requests: string[] = [];
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(onFrame: (frame: Frame, end: WebSocketEnd) => void) {
    this.#server = net.createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      let head = "";
      socket.on("error", () => {});
      const read = (chunk: Buffer): void => {
        head += chunk.toString("latin1");
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        socket.off("data", read);
        this.requests.push(head.slice(0, end));
        const key = /^sec-websocket-key: (.*)$/im.exec(head)?.[1] ?? "";
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`,
        );
        this.ends.push(new WebSocketEnd(socket, false, onFrame));
        const rest = head.slice(end + 4);
        if (rest !== "") socket.emit("data", Buffer.from(rest, "latin1"));
      };
      socket.on("data", read);
    });
  }

  static async start(onFrame: (frame: Frame, end: WebSocketEnd) => void = echo): Promise<WebSocketWorker> {
    const worker = new WebSocketWorker(onFrame);
    await new Promise<void>((resolve) => worker.#server.listen(0, "127.0.0.1", resolve));
    return worker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function echo({ opcode, payload }: Frame, end: WebSocketEnd): void {
  end.send(opcode, payload);
  if (opcode === CLOSE) end.socket.end();
}

const acceptKey = (key: string): string =>
  createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");

/** Opens one; `early` is sent with the handshake. */
export async function openWebSocket(port: number, early: Buffer = Buffer.alloc(0)): Promise<WebSocketEnd> {
  const socket = net.connect({ host: "127.0.0.1", port, noDelay: true });
  const key = randomBytes(16).toString("base64");
  const head =
    `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
    `Sec-WebSocket-Key: ${key}\r\n\r\n`;
  socket.write(Buffer.concat([Buffer.from(head), early]));
  let received: Buffer = Buffer.alloc(0);
  let hasClosed = false;
  const read = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk]);
  };
  socket.on("data", read);
  socket.on("error", () => {});
  socket.on("close", () => {
    hasClosed = true;
  });
  await until("the handshake", () => received.includes("\r\n\r\n") || hasClosed);
  socket.off("data", read);
  const end = received.indexOf("\r\n\r\n") + 4;
  const answer = received.toString("latin1", 0, end);
  if (!answer.startsWith("HTTP/1.1 101") || !answer.includes(acceptKey(key))) throw new Error(`no switch: ${answer}`);
  const websocket = new WebSocketEnd(socket, true);
  if (received.length > end) socket.emit("data", received.subarray(end));
  return websocket;
}
