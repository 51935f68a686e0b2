/** WebSocket.OPEN (WHATWG, WebSockets, §3.1). */
const OPEN = 1;

/** Sends while the connection stands. One that is closing takes nothing and complains of each frame in the console; its end is told by its `close` event. */
export function sendOpen(socket: Pick<WebSocket, "readyState" | "send">, frame: Uint8Array): void {
  if (socket.readyState === OPEN) socket.send(frame as Uint8Array<ArrayBuffer>);
}
