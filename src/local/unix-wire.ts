import net from "node:net";
import type { Wire, WireEvents } from "../client/client.ts";
import type { ByteWire, ByteWireEvents } from "../client/terminal-world.ts";
import { LineSplitter } from "../protocol/lines.ts";

/**
 * Connects to a unix socket and speaks JSON lines on it. Rejects with the system's error (ECONNREFUSED, ENOENT).
 * @param meansBuild the build whose server is meant to be there; default: whichever is
 */
export function dialUnix(path: string, events: WireEvents, meansBuild?: string): Promise<Wire> {
  const splitter = new LineSplitter(Number.POSITIVE_INFINITY);
  return connect(path, {
    onBytes: (bytes) => {
      for (const line of splitter.push(bytes)) events.onLine(line);
    },
    onClose: () => events.onClose(),
    wireOf: (socket) => ({
      send: gathering(socket),
      close: () => closeSoon(socket),
      ...(meansBuild === undefined ? {} : { meansBuild }),
    }),
  });
}

/** The same for bytes as they are: an attached terminal. */
export function dialUnixBytes(path: string, events: ByteWireEvents): Promise<ByteWire> {
  return connect(path, {
    onBytes: (bytes) => events.onBytes(bytes),
    onClose: () => events.onClose(),
    wireOf: (socket) => ({
      send: (bytes: Uint8Array) => void socket.write(bytes),
      pause: () => void socket.pause(),
      resume: () => void socket.resume(),
      close: () => closeSoon(socket),
    }),
  });
}

interface Handlers<W> extends ByteWireEvents {
  wireOf(socket: net.Socket): W;
}

function connect<W>(path: string, { onBytes, onClose, wireOf }: Handlers<W>): Promise<W> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => {}); // a close follows
      resolve(wireOf(socket));
    });
    socket.on("data", onBytes);
    socket.on("close", onClose);
  });
}

/** Lines that are sent in one turn are one write(2). */
function gathering(socket: net.Socket): (line: string) => void {
  let isGathering = false;
  return (line) => {
    if (!isGathering) {
      isGathering = true;
      socket.cork();
      process.nextTick(() => {
        isGathering = false;
        socket.uncork();
      });
    }
    socket.write(`${line}\n`);
  };
}

function closeSoon(socket: net.Socket): void {
  socket.resume(); // one that is paused would never hear that the other side has closed
  socket.end().destroySoon();
}
