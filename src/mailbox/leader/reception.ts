import type { Socket } from "node:net";
import type { Clock } from "../../platform/clock.ts";
import { MAIL_LINE_BYTES_MAX } from "../../protocol/envelope.ts";
import { toWire } from "../../protocol/errors.ts";
import { LineConnection } from "../../serving/line-connection.ts";
import { type Door, Doors } from "./doors.ts";
import { handingOver } from "./errors.ts";
import type { Spoken } from "./first-bytes.ts";
import { type HttpFacts, serveHttp } from "./http-face.ts";
import type { IpcSide } from "./ipc-side.ts";
import { DRAIN_MS, SILENT_DRAIN_MS } from "./limits.ts";
import type { MailDispatcher } from "./mail-dispatcher.ts";
import { Peer } from "./peer.ts";
import type { Roll } from "./roll.ts";

/** Every connection, from the door to its end: each is given to whoever speaks its protocol. */
export interface ReceptionOptions {
  clock: Clock;
  isOpenToOthers: boolean;
  roll: Roll;
  dispatcher: MailDispatcher;
  ipc: IpcSide;
  http: HttpFacts;
  onLeft: (peer: Peer) => void;
}

export class Reception {
  readonly #options: ReceptionOptions;
  readonly #doors: Doors;

  constructor(options: ReceptionOptions) {
    this.#options = options;
    this.#doors = new Doors({
      clock: options.clock,
      isOpenToOthers: options.isOpenToOthers,
      onSpoken: (socket, spoken, firstBytes, door) => this.#serve(socket, spoken, firstBytes, door),
    });
  }

  get connectionCount(): number {
    return this.#doors.connectionCount;
  }

  /** Somebody is there besides the standby. */
  get isNeeded(): boolean {
    return this.#options.roll.clientCount > 0 || this.#options.ipc.count > 0;
  }

  /** Or may be: a connection has said nothing yet. */
  get isEmpty(): boolean {
    return !this.isNeeded && this.#doors.silentCount === 0;
  }

  enter(socket: Socket, door: Door): void {
    this.#doors.enter(socket, door);
  }

  /** Takes nothing new, answers what is in hand, and ends the connections: what they ask next is the next leader's. */
  async close(): Promise<void> {
    const { dispatcher, ipc, roll } = this.#options;
    await this.#doors.settled(SILENT_DRAIN_MS);
    await Promise.all([dispatcher.drain(DRAIN_MS), ipc.close(DRAIN_MS)]);
    this.#doors.close();
    for (const peer of roll.peers) {
      if (peer.isKept) continue;
      peer.connection.send({ success: false, ...toWire(handingOver(), "SERVER_ENDING") });
      peer.connection.end();
    }
  }

  #serve(socket: Socket, spoken: Spoken, firstBytes: Buffer, door: Door): void {
    const { dispatcher, ipc, http, roll, clock, onLeft } = this.#options;
    if (spoken === "http") return serveHttp(socket, firstBytes, http);
    if (spoken === "ipc" || (spoken === "other" && door === "tcp")) return ipc.serve(socket, firstBytes);
    socket.once("end", () => socket.end());
    const peer: Peer = new Peer(
      new LineConnection(socket, {
        lineBytesMax: MAIL_LINE_BYTES_MAX,
        onLine: (line) => dispatcher.onLine(line, peer),
        onTooLong: () => dispatcher.onTooLong(peer),
        onClose: () => {
          roll.remove(peer);
          onLeft(peer);
        },
      }),
      clock.wallMs(),
    );
    roll.add(peer);
    if (firstBytes.length > 0) socket.emit("data", firstBytes);
  }
}
