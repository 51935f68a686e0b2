import type { Socket } from "node:net";
import type { Clock } from "../../platform/clock.ts";
import { MAIL_LINE_BYTES_MAX } from "../../protocol/envelope.ts";
import { toWire, type WarrenError } from "../../protocol/errors.ts";
import { endsOf, SharedTcpTable } from "../ipc/tcp-table.ts";
import { otherUser, tooManyConnections } from "./errors.ts";
import { FirstBytes, type Spoken } from "./first-bytes.ts";
import { CONNECTIONS_MAX, SILENT_CONNECTIONS_MAX, SILENT_MS } from "./limits.ts";

/**
 * Every connection from its accept to its first words: how many there may be, whose it is, and which protocol it speaks. What was read by then is handed
 * over with it. One that says nothing is nobody's trouble: it is closed after a while, or for the next one.
 */
export type Door = "unix" | "tcp";

export interface DoorsOptions {
  clock: Clock;
  /** Connections of other users are admitted too: with a shared secret, which claude-ipc's protocol asks for. Ours does not, and is not for them. */
  isOpenToOthers: boolean;
  onSpoken: (socket: Socket, spoken: Spoken, firstBytes: Buffer, door: Door) => void;
  /** The user at the other end of a TCP connection of this machine; undefined when it cannot be told. */
  userOf?: (socket: Socket) => Promise<number | undefined>;
}

export class Doors {
  readonly #options: DoorsOptions;
  readonly #open = new Set<Socket>();
  /** That have said nothing (enough) yet, the oldest first, by when they came. */
  readonly #silent = new Map<Socket, number>();
  readonly #tcpTable = new SharedTcpTable();
  #cancelLook: (() => void) | undefined;

  constructor(options: DoorsOptions) {
    this.#options = options;
  }

  get connectionCount(): number {
    return this.#open.size;
  }

  get silentCount(): number {
    return this.#silent.size;
  }

  enter(socket: Socket, door: Door): void {
    socket.on("error", () => {}); // a close follows
    if (this.#open.size >= CONNECTIONS_MAX && !this.#closeOldest())
      return refuse(socket, tooManyConnections(CONNECTIONS_MAX));
    if (this.#silent.size >= SILENT_CONNECTIONS_MAX) this.#closeOldest();
    this.#open.add(socket);
    this.#silent.set(socket, this.#options.clock.monotonicMs());
    this.#planLook();
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#silent.delete(socket);
    });
    if (door === "unix") this.#listen(socket, door);
    else void this.#checkUser(socket, door);
  }

  /** Resolves when everybody who has come has said something, or after `graceMs`. */
  async settled(graceMs: number): Promise<void> {
    const untilMs = performance.now() + graceMs;
    while (this.#silent.size > 0 && performance.now() < untilMs) await new Promise((wake) => setTimeout(wake, 5));
  }

  /** Closes what has said nothing; what speaks is its owner's. */
  close(): void {
    this.#cancelLook?.();
    for (const socket of this.#silent.keys()) socket.destroy();
  }

  async #checkUser(socket: Socket, door: Door): Promise<void> {
    const uid = await (this.#options.userOf?.(socket) ?? userOf(socket, this.#tcpTable));
    if (uid === process.getuid?.()) this.#listen(socket, door);
    else if (this.#options.isOpenToOthers) this.#listen(socket, door, { refused: "ours", uid });
    else refuse(socket, otherUser(uid));
  }

  #listen(socket: Socket, door: Door, stranger?: { refused: Spoken; uid: number | undefined }): void {
    const first = new FirstBytes();
    const chunks: Buffer[] = [];
    const decide = (spoken: Spoken): void => {
      socket.off("data", take).off("end", end);
      this.#silent.delete(socket);
      if (stranger?.refused === spoken) return refuse(socket, otherUser(stranger.uid));
      this.#options.onSpoken(socket, spoken, Buffer.concat(chunks), door);
    };
    let byteCount = 0;
    const take = (chunk: Buffer): void => {
      chunks.push(chunk);
      byteCount += chunk.length;
      const spoken = first.push(chunk) ?? (byteCount > MAIL_LINE_BYTES_MAX ? "other" : undefined);
      if (spoken) decide(spoken);
    };
    // Whoever ends in the middle of a word is still told so.
    const end = (): void => (chunks.length > 0 ? decide("other") : void socket.end());
    socket.on("data", take).on("end", end);
  }

  #closeOldest(): boolean {
    const oldest = this.#silent.keys().next().value;
    oldest?.destroy();
    if (oldest) {
      this.#silent.delete(oldest);
      this.#open.delete(oldest);
    }
    return oldest !== undefined;
  }

  #planLook(): void {
    this.#cancelLook ??= this.#options.clock.timer(SILENT_MS / 4, () => {
      this.#cancelLook = undefined;
      const untilMs = this.#options.clock.monotonicMs() - SILENT_MS;
      for (const [socket, sinceMs] of this.#silent) {
        if (sinceMs > untilMs) break;
        this.#silent.delete(socket);
        socket.destroy();
      }
      if (this.#silent.size > 0) this.#planLook();
    });
  }
}

function refuse(socket: Socket, error: WarrenError): void {
  socket.resume(); // what it says goes nowhere
  socket.end(`${JSON.stringify({ success: false, ...toWire(error, error.code) })}\n`, () => socket.destroySoon());
}

/** As the kernel's table has the other end; elsewhere than on Linux nobody can tell, and whoever reaches the loopback is let in. */
async function userOf(socket: Socket, table: SharedTcpTable): Promise<number | undefined> {
  if (process.platform !== "linux") return process.getuid?.();
  const ends = endsOf(socket);
  return ends && (await table.connection(ends))?.theirs?.uid;
}
