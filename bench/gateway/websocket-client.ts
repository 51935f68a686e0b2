import { once } from "node:events";
import net from "node:net";
import { WEB_SOCKET_PATH } from "./proxy.ts";
import { ECHOED_BYTES, sentFrame } from "./websocket-frame.ts";

/**
 * `node websocket-client.ts PORT CONNECTIONS MILLISECONDS`: each connection sends a frame as soon as it has its echo. Prints `{"messages", "p50Ms", "p99Ms"}`.
 */
const HANDSHAKE = (port: number): string =>
  `GET ${WEB_SOCKET_PATH} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;

const [port = 0, connectionCount = 1, durationMs = 1_000] = process.argv.slice(2).map(Number);
const frame = sentFrame();
const echoTimesMs: number[] = [];
let isOver = false;

async function open(): Promise<net.Socket> {
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  socket.write(HANDSHAKE(port));
  let head = "";
  while (!head.includes("\r\n\r\n")) head += ((await once(socket, "data")) as [Buffer])[0].toString("latin1");
  if (!head.startsWith("HTTP/1.1 101")) throw new Error(head);
  return socket;
}

function echo(socket: net.Socket): void {
  let pendingBytes = 0;
  let sentMs = performance.now();
  socket.on("data", (chunk: Buffer) => {
    pendingBytes += chunk.length;
    if (pendingBytes < ECHOED_BYTES) return;
    pendingBytes -= ECHOED_BYTES;
    const nowMs = performance.now();
    echoTimesMs.push(nowMs - sentMs);
    if (isOver) return;
    sentMs = nowMs;
    socket.write(frame);
  });
  socket.on("close", () => {
    if (!isOver) throw new Error("a WebSocket was closed");
  });
  socket.write(frame);
}

const sockets = await Promise.all(Array.from({ length: connectionCount }, open));
sockets.forEach(echo);
setTimeout(() => {
  isOver = true;
  const sorted = Float64Array.from(echoTimesMs).sort();
  const share = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
  console.log(JSON.stringify({ messages: sorted.length, p50Ms: share(0.5), p99Ms: share(0.99) }));
  for (const socket of sockets) socket.destroy();
}, durationMs);
