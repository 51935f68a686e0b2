import net from "node:net";
import type { Places } from "../platform/paths.ts";
import { systemCode, WarrenError } from "../protocol/errors.ts";
import { readEntries } from "../registry/entries.ts";
import { lookForSession } from "./find-session.ts";

/** A connection to a server of this home, on its unix socket, for whoever passes bytes on as they are. */
export interface UnitSocket {
  /** `onTaken` is called when the server can take more, and not when the connection has closed. */
  write(bytes: Uint8Array, onTaken: () => void): void;
  pause(): void;
  resume(): void;
  /** What was written still arrives. */
  close(): void;
}

export interface UnitSocketEvents {
  onBytes(bytes: Uint8Array): void;
  /** Once, also after `close`. */
  onClosed(): void;
}

/**
 * To the server that has the unit: `primary`, or a session's id or name. What no server says that it has goes to the primary, which knows it, or says that nobody does.
 * @throws NO_SERVER, CONNECTION_LOST
 */
export function connectUnit(places: Places, target: string, events: UnitSocketEvents): Promise<UnitSocket> {
  const session = target === "primary" ? undefined : lookForSession(places, target);
  const entry = session?.entry ?? readEntries(places.serversDir)[0];
  if (!entry) return Promise.reject(new WarrenError("NO_SERVER", "No server is running.", { fix: "warren ping" }));
  const socket = net.connect(entry.socket);
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => reject(unreachable(target, error)));
    socket.once("connect", () => {
      socket.removeAllListeners("error").on("error", () => {}); // a close follows
      socket.on("close", () => events.onClosed());
      resolve({
        write: (bytes, onTaken) => void socket.write(bytes, (error) => error ?? onTaken()),
        pause: () => void socket.pause(),
        resume: () => void socket.resume(),
        close: () => {
          socket.resume(); // a paused one would not hear the other side's end
          socket.end().destroySoon();
        },
      });
    });
    socket.on("data", (bytes: Buffer) => events.onBytes(bytes));
  });
}

/** A server that was killed is replaced within milliseconds: its client dials again. */
const unreachable = (target: string, error: unknown): WarrenError =>
  new WarrenError("CONNECTION_LOST", `The server that has ${target} cannot be reached: ${systemCode(error)}.`, {
    fix: "warren doctor",
  });
