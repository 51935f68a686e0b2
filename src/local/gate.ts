import { statSync } from "node:fs";
import net from "node:net";
import { systemCode } from "../protocol/errors.ts";

/**
 * Holds back the herd: of many clients that find no keeper, one passes and starts it, the others sleep in the gate's backlog and wake when it opens
 * or its holder dies. It is a convenience, not the authority (any user may squat the name, and a network namespace has its own): that is the
 * keeper's lock. An abstract socket (unix(7)), so Linux only; elsewhere everybody passes and the lock decides.
 */
export interface Gate {
  open(): void;
}

/** The gate, or undefined after having waited for whoever held it. */
export async function passOrWait(home: string, timeoutMs: number): Promise<Gate | undefined> {
  if (process.platform !== "linux") return { open: () => {} };
  const { dev, ino } = statSync(home);
  const name = `\0warren/${process.getuid?.() ?? 0}/${dev}:${ino}`;
  const waiting = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    waiting.add(socket);
    socket.on("error", () => {}).on("close", () => waiting.delete(socket));
  });
  const open = (): void => {
    server.close(); // resets those that are still in the backlog
    for (const socket of waiting) socket.destroy();
  };
  try {
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(name, resolve));
    return { open };
  } catch (error) {
    if (systemCode(error) !== "EADDRINUSE") return { open: () => {} };
    await waitUntilOpen(name, timeoutMs);
    return undefined;
  }
}

function waitUntilOpen(name: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(name);
    const done = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    };
    const timer = setTimeout(done, timeoutMs);
    socket.once("error", done).once("close", done);
  });
}
