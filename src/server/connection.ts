import { once } from "node:events";
import type { Socket } from "node:net";
import { LINE_BYTES_MAX } from "../protocol/envelope.ts";
import { LineSplitter, LineTooLong } from "../protocol/lines.ts";
import type { Scope } from "../protocol/messages.ts";
import type { ByteStream } from "../sessions/byte-stream.ts";
import { ConnectionMeter } from "./debug/connection-meter.ts";

/**
 * One client: lines in, lines out, until it attaches to a session: from then on its bytes are the session's. Nobody waits for it: what it does not read piles up to a limit, then it is cut off and continues by `seq`.
 */

/** Bytes held for a client that does not read; past it, it is disconnected. */
const BACKLOG_BYTES_MAX = 4 * 1024 * 1024;
/** Requests of one client in hand; past it, its socket is not read until one is answered. */
const REQUESTS_IN_HAND_MAX = 256;

/** A client that was refused may still be writing: what it writes goes nowhere for this long, so that it gets to read why. */
const REFUSED_LINGER_MS = 2_000;

export interface ConnectionHandlers {
  onLine: (line: string, connection: Connection) => Promise<void>;
  /** The line was too long; the answer has to be written before the connection goes. */
  onTooLong: (connection: Connection) => void;
  onClose: (connection: Connection) => void;
  /** Counts what goes through it. */
  meter?: ConnectionMeter;
}

/** Whoever reaches the unix socket is the user. */
const ALL_SCOPES: ReadonlySet<Scope> = new Set(["view", "type", "approve", "admin"]);

export class Connection {
  readonly scopes: ReadonlySet<Scope>;
  readonly meter: ConnectionMeter;
  readonly #socket: Socket;
  readonly #closed = new AbortController();
  #inHand = 0;
  #isStream = false;
  #isHeld = false;

  constructor(socket: Socket, handlers: ConnectionHandlers, scopes: ReadonlySet<Scope> = ALL_SCOPES) {
    this.#socket = socket;
    this.scopes = scopes;
    this.meter = handlers.meter ?? new ConnectionMeter(0, Date.now());
    const splitter = new LineSplitter(LINE_BYTES_MAX);
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const line of splitter.push(chunk)) if (line.trim() !== "") void this.#take(line, handlers);
      } catch (error) {
        if (!(error instanceof LineTooLong)) throw error;
        socket.removeAllListeners("data");
        socket.resume(); // the rest of the line goes nowhere
        handlers.onTooLong(this);
      }
    });
    socket.on("error", () => {}); // a close follows
    socket.on("close", () => {
      this.#closed.abort();
      handlers.onClose(this);
    });
  }

  /** Aborted when the client is gone. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Sends one line, already serialised; cuts the client off when it is too far behind. */
  write(line: string): void {
    if (this.#socket.destroyed) return;
    if (this.#socket.writableLength > BACKLOG_BYTES_MAX) {
      this.cutOff();
      return;
    }
    this.meter.lineOut(line);
    this.#socket.write(`${line}\n`);
  }

  /** Resolves when what is queued has been taken, or the client is gone. */
  async drained(): Promise<void> {
    if (this.#socket.writableNeedDrain) await once(this.#socket, "drain", { signal: this.closed }).catch(() => {});
  }

  get isStream(): boolean {
    return this.#isStream;
  }

  /**
   * The bytes of this connection for whoever takes them over, with the first `onBytes`; until then it speaks lines. Nobody sends bytes of the one kind
   * before the answer to a line of the other, so none is lost in between.
   */
  stream(): ByteStream {
    const socket = this.#socket;
    const closed = this.closed;
    const take = (listener: (bytes: Uint8Array) => void): void => {
      this.#isStream = true;
      socket.removeAllListeners("data").on("data", (bytes: Buffer) => {
        this.meter.bytesIn(bytes);
        listener(bytes);
      });
    };
    return {
      closed,
      get backlogBytes() {
        return socket.writableLength;
      },
      write: (bytes) => {
        if (socket.destroyed) return;
        this.meter.frameOut(bytes);
        socket.write(bytes);
      },
      drained: () => this.drained(),
      onBytes: take,
      pause: () => void socket.pause(),
      resume: () => void (this.#isHeld || socket.resume()),
      end: () => this.end(),
      destroy: () => this.cutOff(),
    };
  }

  /** Requests that are not answered. */
  get inHandCount(): number {
    return this.#inHand;
  }

  /** Reads nothing from it, or again: a fault. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (isHeld) this.#socket.pause();
    else if (this.#inHand < REQUESTS_IN_HAND_MAX) this.#socket.resume();
  }

  /** What is queued is lost to it; it comes back and continues by `seq`. */
  cutOff(): void {
    this.#socket.destroy();
  }

  send(message: object): void {
    this.write(JSON.stringify(message));
  }

  /** Closes after what is queued is written. */
  end(): void {
    this.#socket.end();
    this.#socket.destroySoon();
  }

  /** Says no more and listens to nothing; closes when the client does, or after a while. */
  refuse(): void {
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), REFUSED_LINGER_MS);
    this.closed.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }

  async #take(line: string, { onLine }: ConnectionHandlers): Promise<void> {
    this.meter.lineIn(line);
    this.#inHand += 1;
    if (this.#inHand >= REQUESTS_IN_HAND_MAX) this.#socket.pause();
    await onLine(line, this);
    this.#inHand -= 1;
    if (this.#inHand < REQUESTS_IN_HAND_MAX && !this.#isStream && !this.#isHeld) this.#socket.resume();
  }
}
