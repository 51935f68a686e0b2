import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Conditions } from "../../../platform/testing/conditions.ts";
import { LineSplitter } from "../../../protocol/lines.ts";
import type { PayloadOf } from "../../../protocol/messages.ts";
import type { Outcome } from "../../../protocol/outcome.ts";
import {
  decodePosition,
  decodeTerminalSize,
  encodeJson,
  encodePosition,
  encodeTerminalFrame,
  INPUT_FRAME_BYTES_MAX,
  TERMINAL_FRAME,
  type TerminalControl,
  TerminalFrameSplitter,
} from "../../../protocol/terminal-frames.ts";

/**
 * A server with one session whose output and end the test decides, on a real unix socket; for tests. It counts input by client as the keeper does:
 * sent twice, it is taken once; a gap closes the connection.
 */
export type FakeAnswer =
  | "attach"
  | "silent"
  /** Closes at once. */
  | "hang up"
  | { refuse: string }
  | { say: string | Buffer };

type Attach = PayloadOf<"session.attach">;

const OUTPUT_PIECE_BYTES = 8 * 1024;

export class FakeSessionServer implements AsyncDisposable {
  readonly path: string;
  /** What a connection gets, in order; then `attach`. */
  readonly answers: FakeAnswer[] = [];
  readonly attaches: Attach[] = [];
  readonly controls: TerminalControl[] = [];
  readonly sizes: { cols: number; rows: number }[] = [];
  /** The answer to `session.get`. */
  lastOutcome: Outcome | null = null;
  screen: Buffer = Buffer.from("SCREEN");
  isAcking = true;
  /** Bytes in both directions after which a connection is cut, anew for each; default: never. */
  cutAfterBytes: () => number = () => Number.POSITIVE_INFINITY;
  cutCount = 0;
  connectionCount = 0;
  readonly #dir = mkdtempSync(join(tmpdir(), "warren-attach-"));
  readonly #listener = net.createServer((socket) => this.#serve(socket));
  readonly #attached = new Map<net.Socket, { offset: number; budget: number }>();
  readonly #sockets = new Set<net.Socket>();
  readonly #input = new Map<string, Buffer[]>();
  readonly #conditions = new Conditions();
  #output = Buffer.alloc(0);

  constructor() {
    this.path = join(this.#dir, "s");
  }

  static async start(): Promise<FakeSessionServer> {
    const server = new FakeSessionServer();
    await server.listen();
    return server;
  }

  listen(): Promise<void> {
    return new Promise((listening) => this.#listener.listen(this.path, listening));
  }

  /** What all clients have typed. */
  get typed(): Buffer {
    return Buffer.concat([...this.#input.values()].flat());
  }

  get attachedCount(): number {
    return this.#attached.size;
  }

  output(bytes: string | Buffer): void {
    this.#output = Buffer.concat([this.#output, Buffer.from(bytes as string)]);
    for (const [socket, at] of this.#attached) this.#pump(socket, at);
  }

  /** Moves the output on without sending it. */
  skip(bytes: number): void {
    this.#output = Buffer.concat([this.#output, Buffer.alloc(bytes)]);
    for (const at of this.#attached.values()) at.offset = this.#output.length;
  }

  frame(type: number, ...parts: Uint8Array[]): void {
    for (const [socket, at] of this.#attached) this.#send(socket, at, type, ...parts);
  }

  sendScreen(text = this.screen): void {
    this.frame(TERMINAL_FRAME.screen, encodePosition(this.#output.length), text);
  }

  control(control: Partial<TerminalControl>): void {
    const whole = { yours: true, cols: 80, rows: 24, clients: 1, viewers: 0, ...control };
    this.frame(TERMINAL_FRAME.control, encodeJson(whole));
  }

  end(outcome: Outcome): void {
    this.frame(TERMINAL_FRAME.end, encodeJson(outcome));
    for (const socket of this.#attached.keys()) socket.end();
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Resolves when `condition` holds, which is looked at whenever something has come in. */
  until(condition: () => boolean, what: string): Promise<void> {
    return this.#conditions.until(condition, what);
  }

  untilTyped(bytes: string): Promise<void> {
    return this.until(() => this.typed.includes(bytes), `${JSON.stringify(bytes)} was typed`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((closed) => this.#listener.close(closed));
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #session(): object {
    return { id: "4abc", name: "fox", status: "running", cols: 80, rows: 24, outcome: this.lastOutcome };
  }

  #serve(socket: net.Socket): void {
    const answer = this.answers.shift() ?? "attach";
    this.connectionCount += 1;
    this.#sockets.add(socket);
    this.#look();
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#attached.delete(socket);
      this.#look();
    });
    if (answer === "hang up") return void socket.destroy();
    if (answer === "silent") return void socket.resume();
    if (typeof answer === "object" && "say" in answer) return void socket.write(answer.say);
    const lines = new LineSplitter();
    socket.on("data", (chunk: Buffer) => {
      if (this.#attached.has(socket)) return;
      for (const line of lines.push(chunk)) this.#onLine(socket, JSON.parse(line), answer);
    });
  }

  #onLine(
    socket: net.Socket,
    { id, type, payload }: { id: number; type: string; payload: Attach },
    answer: FakeAnswer,
  ): void {
    const say = (message: object): void => void socket.write(`${JSON.stringify({ id, ...message })}\n`);
    if (type === "hello") return say({ success: true, data: { protocol: 1, server: "blazing" } });
    if (type === "session.get") return say({ success: true, data: { session: this.#session() } });
    if (typeof answer === "object" && "refuse" in answer) {
      this.attaches.push(payload);
      this.#look();
      return say({ success: false, error: `refused: ${answer.refuse}`, code: answer.refuse });
    }
    this.#attach(socket, payload, say);
  }

  #attach(socket: net.Socket, request: Attach, say: (message: object) => void): void {
    const continued = request.since !== undefined && request.since <= this.#output.length;
    const input = this.#input.get(request.client) ?? [];
    this.#input.set(request.client, input);
    const at = { offset: continued ? request.since! : this.#output.length, budget: this.cutAfterBytes() };
    const input_bytes = lengthOf(input);
    const splitter = new TerminalFrameSplitter(INPUT_FRAME_BYTES_MAX);
    socket.removeAllListeners("data").on("data", (chunk: Buffer) => {
      const taken = chunk.subarray(0, Math.max(0, at.budget));
      at.budget -= chunk.length;
      for (const frame of splitter.push(taken)) this.#onFrame(socket, at, request.client, frame);
      if (at.budget < 0) this.#cutOne(socket);
      this.#look();
    });
    say({ success: true, data: { session: this.#session(), continued, input_bytes } });
    this.attaches.push(request);
    this.#attached.set(socket, at);
    if (!continued) this.#send(socket, at, TERMINAL_FRAME.screen, encodePosition(at.offset), this.screen);
    this.#pump(socket, at);
    this.#look();
  }

  #onFrame(
    socket: net.Socket,
    at: { offset: number; budget: number },
    client: string,
    { type, payload }: { type: number; payload: Uint8Array },
  ): void {
    if (type === TERMINAL_FRAME.resize) this.sizes.push(decodeTerminalSize(payload));
    if (type === TERMINAL_FRAME.control) this.controls.push(JSON.parse(Buffer.from(payload).toString()));
    if (type !== TERMINAL_FRAME.input) return;
    const { position, bytes } = decodePosition(payload);
    const input = this.#input.get(client)!;
    const have = lengthOf(input);
    if (position > have) return void socket.destroy();
    input.push(Buffer.from(bytes.subarray(have - position)));
    if (this.isAcking) this.#send(socket, at, TERMINAL_FRAME.ack, encodePosition(lengthOf(input)));
  }

  #pump(socket: net.Socket, at: { offset: number; budget: number }): void {
    while (at.offset < this.#output.length && at.budget >= 0) {
      const bytes = this.#output.subarray(at.offset, at.offset + OUTPUT_PIECE_BYTES);
      this.#send(socket, at, TERMINAL_FRAME.output, encodePosition(at.offset), bytes);
      at.offset += bytes.length;
    }
  }

  #send(socket: net.Socket, at: { budget: number }, type: number, ...parts: Uint8Array[]): void {
    if (at.budget < 0) return;
    const bytes = encodeTerminalFrame(type, ...parts);
    socket.write(bytes.subarray(0, at.budget));
    at.budget -= bytes.length;
    if (at.budget < 0) this.#cutOne(socket);
  }

  #cutOne(socket: net.Socket): void {
    if (socket.writableEnded) return;
    this.cutCount += 1;
    this.#attached.delete(socket);
    socket.end().destroySoon();
  }

  #look(): void {
    this.#conditions.look();
  }
}

const lengthOf = (parts: readonly Buffer[]): number => parts.reduce((sum, part) => sum + part.length, 0);
