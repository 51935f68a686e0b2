import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import type { Stage } from "../stage.ts";

/**
 * What a hub is beside, at least: a process that passes on the messages of two WebSockets to each other, by the same library, and knows, checks and bounds nothing.
 * Whoever connects to `/NAME` meets whoever did so before.
 */
export interface PlainRelay {
  port: number;
  /** Both ends of one pair. */
  pair(name: string): Promise<[WebSocket, WebSocket]>;
  child: ChildProcess;
}

export async function startPlainRelay({ node, env }: Stage): Promise<PlainRelay> {
  const child = spawn(node, ["--max-semi-space-size=1", import.meta.filename], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout!, "data");
  const port = Number(line);
  const connect = async (name: string): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/${name}`, { perMessageDeflate: false });
    await once(socket, "open");
    return socket;
  };
  return { port, child, pair: async (name) => [await connect(name), await connect(name)] };
}

function beRelay(): void {
  const waiting = new Map<string, WebSocket>();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const server = createServer();
  server.on("upgrade", (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const name = request.url ?? "";
      const other = waiting.get(name);
      waiting.set(name, webSocket);
      if (!other) return;
      waiting.delete(name);
      join(webSocket, other);
      join(other, webSocket);
    }),
  );
  server.listen(0, "127.0.0.1", () => console.log((server.address() as { port: number }).port));
}

function join(from: WebSocket, to: WebSocket): void {
  from.on("message", (data: RawData) => to.send(data as Buffer));
  from.on("close", () => to.close());
}

if (process.argv[1] === import.meta.filename) beRelay();
