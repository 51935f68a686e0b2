import net from "node:net";
import type { Wire, WireEvents } from "../client/client.ts";
import { LineSplitter } from "../protocol/lines.ts";

/** Connects to a unix socket and speaks JSON lines on it. Rejects with the system's error (ECONNREFUSED, ENOENT). */
export function dialUnix(path: string, events: WireEvents): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path);
    const splitter = new LineSplitter(Number.POSITIVE_INFINITY);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", () => {}); // a close follows
      resolve({ send: (line) => socket.write(`${line}\n`), close: () => socket.end().destroySoon() });
    });
    socket.on("data", (chunk: Buffer) => {
      for (const line of splitter.push(chunk)) events.onLine(line);
    });
    socket.on("close", () => events.onClose());
  });
}
