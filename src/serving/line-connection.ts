import { once } from "node:events";
import type { Socket } from "node:net";
import { LINE_BYTES_MAX } from "../protocol/envelope.ts";
import { LineSplitter, LineTooLong } from "../protocol/lines.ts";
import type { Scope } from "../protocol/messages.ts";

/**
 * One client that speaks in lines. Nobody waits for it: what it does not read piles up to a limit, then it is cut off and continues by `seq`.
 */

/** Bytes held for a client that does not read; past it, it is disconnected. */
const BACKLOG_BYTES_MAX = 4 * 1024 * 1024;
/** Requests of one client in hand; past it, its socket is not read until one is answered. */
const REQUESTS_IN_HAND_MAX = 256;

/** A client that was refused may still be writing: what it writes goes nowhere for this long, so that it gets to read why. */
const REFUSED_LINGER_MS = 2_000;

export interface LineHandlers {
  onLine: (line: string) => Promise<void>;
  /** The line was too long; the answer has to be written before the connection goes. */
  onTooLong: () => void;
  onClose: () => void;
  /** Default: LINE_BYTES_MAX. */
  lineBytesMax?: number;
  /** Is shown each line that comes and goes. */
  meter?: { lineIn(line: string): void; lineOut(line: string): void };
}

/** Whoever reaches the unix socket is the user. */
export const ALL_SCOPES: ReadonlySet<Scope> = new Set(["view", "type", "approve", "admin"]);

export class LineConnection {
  #scopes: ReadonlySet<Scope>;
  /** Who speaks, when that was said in the greeting: a device. */
  #by: string | undefined;
  protected readonly socket: Socket;
  protected isStreaming = false;
  protected isHeld = false;
  readonly #handlers: LineHandlers;
  readonly #closed = new AbortController();
  #inHand = 0;
  #isGathering = false;

  constructor(socket: Socket, handlers: LineHandlers, scopes: ReadonlySet<Scope> = ALL_SCOPES) {
    this.socket = socket;
    this.#scopes = scopes;
    this.#handlers = handlers;
    const splitter = new LineSplitter(handlers.lineBytesMax ?? LINE_BYTES_MAX);
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const line of splitter.push(chunk)) if (line.trim() !== "") void this.#take(line);
      } catch (error) {
        if (!(error instanceof LineTooLong)) throw error;
        socket.removeAllListeners("data");
        socket.resume(); // the rest of the line goes nowhere
        handlers.onTooLong();
      }
    });
    socket.on("error", () => {}); // a close follows
    socket.on("close", () => {
      this.#closed.abort();
      handlers.onClose();
    });
  }

  get scopes(): ReadonlySet<Scope> {
    return this.#scopes;
  }

  get by(): string | undefined {
    return this.#by;
  }

  /** Keeps of its scopes those alone; there is no way back. */
  giveUpScopes(kept: readonly Scope[]): void {
    this.#scopes = new Set(kept.filter((scope) => this.#scopes.has(scope)));
  }

  /** The first name counts. */
  speaksAs(name: string): void {
    this.#by ??= name;
  }

  /** Aborted when the client is gone. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  get queuedBytes(): number {
    return this.socket.writableLength;
  }

  /** Requests that are not answered. */
  get inHandCount(): number {
    return this.#inHand;
  }

  /** Sends one line, already serialised; cuts the client off when it is too far behind. */
  write(line: string): void {
    if (this.socket.destroyed) return;
    if (this.socket.writableLength > BACKLOG_BYTES_MAX) {
      this.cutOff();
      return;
    }
    this.#handlers.meter?.lineOut(line);
    this.#gather();
    this.socket.write(`${line}\n`);
  }

  /** What is said in one turn, the answers of a commit above all, is one write(2). */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.socket.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      this.socket.uncork();
    });
  }

  send(message: object): void {
    this.write(JSON.stringify(message));
  }

  /** Resolves when what is queued has been taken, or the client is gone. */
  async drained(): Promise<void> {
    if (this.socket.writableNeedDrain) await once(this.socket, "drain", { signal: this.closed }).catch(() => {});
  }

  /** Reads nothing from it, or again: a fault. */
  hold(isHeld: boolean): void {
    this.isHeld = isHeld;
    if (isHeld) this.socket.pause();
    else if (this.#inHand < REQUESTS_IN_HAND_MAX) this.socket.resume();
  }

  /** What is queued is lost to it; it comes back and continues by `seq`. */
  cutOff(): void {
    this.socket.destroy();
  }

  /** Closes after what is queued is written. */
  end(): void {
    this.socket.end();
    this.socket.destroySoon();
  }

  /** Says no more and listens to nothing; closes when the client does, or after a while. */
  refuse(): void {
    this.socket.end();
    const timer = setTimeout(() => this.socket.destroy(), REFUSED_LINGER_MS);
    this.closed.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }

  async #take(line: string): Promise<void> {
    this.#handlers.meter?.lineIn(line);
    this.#inHand += 1;
    if (this.#inHand >= REQUESTS_IN_HAND_MAX) this.socket.pause();
    await this.#handlers.onLine(line);
    this.#inHand -= 1;
    if (this.#inHand < REQUESTS_IN_HAND_MAX && !this.isStreaming && !this.isHeld) this.socket.resume();
  }
}
