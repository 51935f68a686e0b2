import type { WebSocket } from "ws";
import type { HubWire, HubWireEvents } from "./wire.ts";

/** How long a connection that was told why may take to read it. */
const CLOSE_MS = 1_000;

/** A WebSocket as the hub's wire. `accept` is given the wire, and answers what is to happen. */
export function serveWebSocket(socket: WebSocket, accept: (wire: HubWire) => HubWireEvents): void {
  let events: HubWireEvents | undefined;
  const wire: HubWire = {
    // The callback of each send tells of room, since a WebSocket has no event for it.
    send: (frame) => socket.send(frame, { binary: true }, () => events?.onDrained()),
    get unsentBytes() {
      return socket.bufferedAmount;
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close() {
      socket.resume(); // its own closing would not be heard otherwise
      socket.close(1000);
      setTimeout(() => socket.terminate(), CLOSE_MS).unref();
    },
    destroy: () => socket.terminate(),
  };
  socket.on("error", () => {}); // a close follows
  events = accept(wire);
  const { onFrame, onForeign, onClosed } = events;
  socket.on("message", (data, isBinary) => {
    if (isBinary) onFrame(data as Buffer);
    else onForeign("text");
  });
  socket.on("close", onClosed);
}
