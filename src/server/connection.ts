import type { Socket } from "node:net";
import type { Scope } from "../protocol/messages.ts";
import { ALL_SCOPES, LineConnection } from "../serving/line-connection.ts";
import type { ByteStream } from "../sessions/byte-stream.ts";
import { ConnectionMeter } from "./debug/connection-meter.ts";

/** One client: lines in, lines out, until it attaches to a session: from then on its bytes are the session's. */

export interface ConnectionHandlers {
  onLine: (line: string, connection: Connection) => Promise<void>;
  /** The line was too long; the answer has to be written before the connection goes. */
  onTooLong: (connection: Connection) => void;
  onClose: (connection: Connection) => void;
  /** Counts what goes through it. */
  meter?: ConnectionMeter;
}

export class Connection extends LineConnection {
  readonly meter: ConnectionMeter;

  constructor(socket: Socket, handlers: ConnectionHandlers, scopes: ReadonlySet<Scope> = ALL_SCOPES) {
    const meter = handlers.meter ?? new ConnectionMeter(0, Date.now());
    super(
      socket,
      {
        onLine: (line) => handlers.onLine(line, this),
        onTooLong: () => handlers.onTooLong(this),
        onClose: () => handlers.onClose(this),
        meter,
      },
      scopes,
    );
    this.meter = meter;
  }

  get isStream(): boolean {
    return this.isStreaming;
  }

  /**
   * The bytes of this connection for whoever takes them over, with the first `onBytes`; until then it speaks lines. Nobody sends bytes of the one kind
   * before the answer to a line of the other, so none is lost in between.
   */
  stream(): ByteStream {
    const socket = this.socket;
    const closed = this.closed;
    const take = (listener: (bytes: Uint8Array) => void): void => {
      this.isStreaming = true;
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
      resume: () => void (this.isHeld || socket.resume()),
      end: () => this.end(),
      destroy: () => this.cutOff(),
    };
  }
}
