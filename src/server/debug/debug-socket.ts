import { chmodSync, rmSync } from "node:fs";
import net from "node:net";
import type { Log } from "../../platform/log.ts";
import type { DebugAnswers, DebugRequest } from "../../protocol/debug.ts";
import { messageOf, toWire, type WarrenError } from "../../protocol/errors.ts";
import { LineSplitter, LineTooLong } from "../../protocol/lines.ts";
import { idOf } from "../../serving/parse-request.ts";
import { debugLineTooLong, tooManyDebugClients } from "./debug-errors.ts";
import { parseDebugRequest } from "./parse-debug.ts";

/**
 * The second way into a server, for looking at it: a socket of its own, bound by this very process, that answers also while the public one is not
 * read. It is there from the start of a generation to its end. What cannot be bound is logged: no server fails for want of being looked at.
 *
 * A client's requests are answered one after the other. One that does not read what it follows is cut off; it never holds up the server.
 */
export type DebugTell = (event: "frame" | "log", data: object) => void;

export interface DebugWorld {
  /** `tell` says what follows the answer, until `gone`. @throws WarrenError */
  answer(
    request: DebugRequest,
    tell: DebugTell,
    gone: AbortSignal,
  ): Promise<DebugAnswers[DebugRequest["type"]]> | DebugAnswers[DebugRequest["type"]];
}

const LINE_BYTES_MAX = 64 * 1024;
/** Of what a client follows; past it, it is cut off. */
const BACKLOG_BYTES_MAX = 1024 * 1024;
const CLIENTS_MAX = 16;

export class DebugSocket {
  readonly #path: string;
  readonly #world: DebugWorld;
  readonly #log: Log;
  readonly #listener: net.Server;
  readonly #clients = new Set<net.Socket>();

  constructor({ path, world, log }: { path: string; world: DebugWorld; log: Log }) {
    this.#path = path;
    this.#world = world;
    this.#log = log;
    this.#listener = net.createServer((socket) => this.#accept(socket));
    this.#listener.on("error", (error) => log.warn("debug_socket_failed", { path, error: messageOf(error) }));
  }

  listen(): void {
    try {
      rmSync(this.#path, { force: true }); // of a generation that was killed
      this.#listener.listen(this.#path);
      chmodSync(this.#path, 0o600); // bound by now; until here the directory's mode keeps others out
    } catch (error) {
      this.#log.warn("debug_socket_failed", { path: this.#path, error: messageOf(error) });
    }
    this.#listener.unref();
  }

  /** Takes the socket away. Clients are sent what is queued for them as far as they read. */
  close(): void {
    if (!this.#listener.listening) return;
    this.#listener.close(); // and with it the file
    for (const socket of this.#clients) socket.destroySoon();
  }

  #accept(socket: net.Socket): void {
    socket.unref();
    socket.on("error", () => {}); // a close follows
    if (this.#clients.size >= CLIENTS_MAX) {
      this.#say(socket, failure(tooManyDebugClients(CLIENTS_MAX)));
      socket.destroySoon();
      return;
    }
    this.#clients.add(socket);
    const gone = new AbortController();
    socket.on("close", () => {
      this.#clients.delete(socket);
      gone.abort();
    });
    const splitter = new LineSplitter(LINE_BYTES_MAX);
    socket.on("data", (chunk: Buffer) => {
      try {
        void this.#take(splitter.push(chunk), socket, gone.signal);
      } catch (error) {
        if (!(error instanceof LineTooLong)) throw error;
        socket.removeAllListeners("data").resume(); // the rest of the line goes nowhere
        this.#say(socket, failure(debugLineTooLong(LINE_BYTES_MAX)));
        socket.destroySoon();
      }
    });
  }

  async #take(lines: readonly string[], socket: net.Socket, gone: AbortSignal): Promise<void> {
    socket.pause();
    for (const line of lines) if (line.trim() !== "" && !gone.aborted) await this.#answer(line, socket, gone);
    socket.resume();
  }

  async #answer(line: string, socket: net.Socket, gone: AbortSignal): Promise<void> {
    let known: { id?: number | string } = {};
    // What is told before the answer is there comes after it.
    let early: object[] | undefined = [];
    const tell: DebugTell = (event, data) => {
      if (early) early.push({ event, data });
      else this.#say(socket, { event, data });
    };
    try {
      const { request, ...rest } = parseDebugRequest(line);
      known = rest;
      const data = await this.#world.answer(request, tell, gone);
      this.#say(socket, { ...known, success: true, data });
      for (const event of early) this.#say(socket, event);
      early = undefined;
    } catch (error) {
      this.#say(socket, { ...idOf(error), ...known, ...failure(error) });
    }
  }

  #say(socket: net.Socket, message: object): void {
    if (socket.destroyed) return;
    if (socket.writableLength <= BACKLOG_BYTES_MAX) return void socket.write(`${JSON.stringify(message)}\n`);
    socket.destroy();
    this.#log.warn("debug_client_cut_off", { queued_bytes: socket.writableLength });
  }
}

const failure = (error: WarrenError | unknown): object => ({ success: false, ...toWire(error, "INTERNAL") });
