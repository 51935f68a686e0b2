import net from "node:net";
import type { Places } from "../platform/paths.ts";
import { MAIL_LINE_BYTES_MAX, PROTOCOL, type Response } from "../protocol/envelope.ts";
import { fromWire, messageOf, WarrenError } from "../protocol/errors.ts";
import { LineSplitter, LineTooLong } from "../protocol/lines.ts";
import type { DataOf, MessageType, PayloadOf } from "../protocol/messages.ts";
import type { ProcessRef } from "./agent-process.ts";
import { readSmall } from "./small-file.ts";

/**
 * A hook's connection to the mailbox's leader: what the client of `client/` does, as far as a process needs it that lives for milliseconds. When the leader
 * dies, its successor is dialled for a moment, and what is in hand is asked again with the same request id.
 */
export interface LeaderWireOptions {
  places: Places;
  /** The agent's session, the same in each hook: what one has fetched, the next one may confirm. */
  clientId: string;
  /** In whose hands it is: the agent's, not the hook's. */
  agent: ProcessRef | undefined;
}

type Answer = (answer: Response) => void;

/** A leader that dies has a successor within this time. */
const REDIAL_FOR_MS = 400;
const REDIAL_EVERY_MS = 5;
/** An answer of 512 KiB of messages, as JSON may spell them. */
const ANSWER_BYTES_MAX = 4 * MAIL_LINE_BYTES_MAX;

export class LeaderWire {
  readonly #options: LeaderWireOptions;
  readonly #pending = new Map<number, { line: string; answer: Answer; fail: (error: WarrenError) => void }>();
  #socket: net.Socket | undefined;
  #nextId = 1;
  #isClosed = false;
  #redialUntilMs = 0;
  #isRedialling = false;

  /** Undefined when nobody leads: nobody listens, and nobody took over in a moment. */
  static async open(options: LeaderWireOptions): Promise<LeaderWire | undefined> {
    const wire = new LeaderWire(options);
    return (await wire.#dial()) ? wire : undefined;
  }

  private constructor(options: LeaderWireOptions) {
    this.#options = options;
  }

  /** @throws the leader's error; CONNECTION_LOST; LINE_TOO_LONG */
  ask<T extends MessageType>(type: T, payload: PayloadOf<T>, requestId?: string): Promise<DataOf<T>> {
    const id = this.#nextId++;
    const line = JSON.stringify({ id, type, payload, ...(requestId === undefined ? {} : { request_id: requestId }) });
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(lost());
      const answer: Answer = (said) => (said.success ? resolve(said.data as DataOf<T>) : reject(fromWire(said)));
      this.#pending.set(id, { line, answer, fail: reject });
      if (this.#socket) this.#socket.write(`${line}\n`);
      else this.#redial();
    });
  }

  close(): void {
    this.#end(lost());
  }

  async #dial(): Promise<boolean> {
    const begunMs = performance.now();
    for (;;) {
      let hasDied = false;
      for (const path of this.#socketPaths()) {
        const code = await this.#connect(path);
        if (code === undefined) return true;
        // A socket that nobody listens to was left by one who was killed: somebody takes over, or nobody ever does.
        hasDied ||= code === "ECONNREFUSED" || code === "ECONNRESET" || code === "EAGAIN";
      }
      const untilMs = Math.max(this.#redialUntilMs, hasDied ? begunMs + REDIAL_FOR_MS : 0);
      if (this.#isClosed || performance.now() >= untilMs) return false;
      await new Promise((wake) => setTimeout(wake, REDIAL_EVERY_MS));
    }
  }

  /** What the leader says of itself first: our own place for it needs the user database, which is slow to read. */
  *#socketPaths(): Generator<string> {
    const { places } = this.#options;
    const announced = readSmall<{ socket?: unknown }>(places.mailLeaderFile)?.socket;
    if (typeof announced === "string") yield announced;
    const own = places.mailSocket;
    if (own !== announced) yield own;
  }

  /** The system's code when it failed. */
  #connect(path: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const socket = net.connect(path);
      const splitter = new LineSplitter(ANSWER_BYTES_MAX);
      socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? messageOf(error)));
      socket.once("connect", () => {
        this.#socket = socket;
        socket.on("close", () => this.#onClose(socket));
        this.#greet(socket);
        resolve(undefined);
      });
      socket.on("data", (bytes: Buffer) => {
        try {
          for (const line of splitter.push(bytes)) this.#onLine(line);
        } catch (error) {
          this.#end(error instanceof LineTooLong ? tooLong() : lost()); // asked again, it would say the same
        }
      });
    });
  }

  #greet(socket: net.Socket): void {
    const { clientId, agent } = this.#options;
    const who = agent === undefined ? {} : { pid: agent.pid, pid_start: agent.start };
    const payload = { protocol: PROTOCOL, client: "warren-hook", version: "1", client_id: clientId, ...who };
    const lines = [
      JSON.stringify({ id: 0, type: "hello", payload }),
      ...[...this.#pending.values()].map((p) => p.line),
    ];
    socket.write(`${lines.join("\n")}\n`);
  }

  #onLine(line: string): void {
    const said = JSON.parse(line) as Response;
    if (!said.success && said.code === "SERVER_ENDING") return; // the connection ends; then it is asked again
    if (typeof said.id !== "number") return;
    if (said.id === 0 && !said.success) return this.close(); // of another protocol: an agent is not bothered with it
    const pending = this.#pending.get(said.id);
    this.#pending.delete(said.id);
    pending?.answer(said);
  }

  #onClose(socket: net.Socket): void {
    if (this.#isClosed || this.#socket !== socket) return;
    this.#socket = undefined;
    if (this.#pending.size > 0) this.#redial();
  }

  #redial(): void {
    if (this.#isRedialling) return;
    this.#isRedialling = true;
    this.#redialUntilMs = performance.now() + REDIAL_FOR_MS;
    void this.#dial().then((isThere) => {
      this.#isRedialling = false;
      if (!isThere) this.close();
    });
  }

  #end(why: WarrenError): void {
    this.#isClosed = true;
    this.#socket?.destroy();
    for (const { fail } of this.#pending.values()) fail(why);
    this.#pending.clear();
  }
}

const tooLong = (): WarrenError =>
  new WarrenError("LINE_TOO_LONG", `An answer of the mailbox is longer than ${ANSWER_BYTES_MAX} bytes.`, {
    fix: "warren mail check",
  });

const lost = (): WarrenError => new WarrenError("CONNECTION_LOST", "Nobody leads the mailbox any more.");
