import net from "node:net";
import { systemCode } from "../../src/protocol/errors.ts";
import { LineSplitter } from "../../src/protocol/lines.ts";
import { readEntries } from "../../src/registry/entries.ts";
import type { TemporaryHome } from "./home.ts";
import { waitUntil } from "./wait-until.ts";

/** A client without a library: bytes in, lines out. It hides nothing and repeats nothing. */
export interface Message {
  id?: number | string;
  success?: boolean;
  data?: Record<string, unknown>;
  error?: string;
  code?: string;
  fix?: string;
  detail?: Record<string, unknown>;
  event?: string;
  stream?: string;
  seq?: number;
  job_id?: string;
}

const ANSWER_DEADLINE_MS = 20_000;

export class RawConnection implements Disposable {
  readonly socket: net.Socket;
  /** Everything received, in order. */
  readonly received: Message[] = [];
  /** Resolves when the other side has closed. */
  readonly closed: Promise<void>;
  readonly #waiters = new Set<() => void>();
  #isClosed = false;
  #nextId = 1;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    const lines = new LineSplitter(Number.POSITIVE_INFINITY);
    socket.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.received.push(JSON.parse(line));
      this.#look();
    });
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#isClosed = true;
        this.#look();
        resolve();
      });
    });
  }

  /** To the home's server, which must have been started. */
  static async open(to: TemporaryHome | string): Promise<RawConnection> {
    const path = typeof to === "string" ? to : socketOf(to);
    // EAGAIN: the listener's queue is full for a moment (connect(2)).
    const socket = await waitUntil(() => connectOnce(path), { what: "room in the listener's queue", everyMs: 1 });
    return new RawConnection(socket);
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Sends a message and resolves with its answer. */
  ask(type: string, payload?: unknown, more: Record<string, unknown> = {}): Promise<Message> {
    const id = this.#nextId++;
    this.write(`${JSON.stringify({ id, type, ...(payload === undefined ? {} : { payload }), ...more })}\n`);
    return this.next((message) => message.id === id);
  }

  /** The first message, received or to come, that is meant. Rejects when the connection closes without it. */
  next(isMeant: (message: Message) => boolean, deadlineMs = ANSWER_DEADLINE_MS): Promise<Message> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.#waiters.delete(look);
        settle();
      };
      const look = (): void => {
        const found = this.received.find(isMeant);
        if (found) finish(() => resolve(found));
        else if (this.#isClosed) finish(() => reject(new Error("the connection was closed without an answer")));
      };
      const timer = setTimeout(
        () => finish(() => reject(new Error(`no such message in ${deadlineMs} ms; received ${this.received.length}`))),
        deadlineMs,
      );
      this.#waiters.add(look);
      look();
    });
  }

  events(): Message[] {
    return this.received.filter(({ event }) => event !== undefined);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #look(): void {
    for (const look of [...this.#waiters]) look();
  }
}

function connectOnce(path: string): Promise<net.Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path);
    socket.once("connect", () => resolve(socket.removeAllListeners("error")));
    socket.once("error", (error) => (systemCode(error) === "EAGAIN" ? resolve(undefined) : reject(error)));
  });
}

export function socketOf({ places }: TemporaryHome): string {
  const entry = readEntries(places.serversDir)[0];
  if (!entry) throw new Error("no server has announced itself");
  return entry.socket;
}
