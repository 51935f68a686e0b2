import net from "node:net";
import { join } from "node:path";
import { freePort, startListening, versionOf } from "../gateway/process.ts";
import type { MailKind } from "./peer.ts";

export const MODEL_NAME = "claude-ipc (model)";
const MODEL = join(import.meta.dirname, "claude-ipc-model.py");

/** A model of claude-ipc-mcp, which is in no registry: its broker's way of doing it, by Python. Nobody can wait for a message there. */
export const claudeIpc: MailKind = {
  name: MODEL_NAME,
  version: (stage) => versionOf(stage, "python3", ["--version"], /Python (\S+)/),
  async start({ stage, dir, ending }) {
    const port = await freePort();
    // The first connection is the one that asks whether it listens; it sends nothing, and its thread says so on stderr.
    const model = await startListening(stage, ["python3", MODEL, String(port), join(dir, "messages.db")], { port });
    ending.defer(() => model.end());
    return { name: MODEL_NAME, pids: [model.pid], send: (body) => sendOne(port, body) };
  },
};

function sendOne(port: number, body: string): Promise<void> {
  const request = { action: "send", from_id: "bench", to_id: "store", message: { content: body } };
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.write(JSON.stringify(request)));
    socket.once("error", reject);
    socket.once("data", () => {
      socket.destroy();
      resolve();
    });
  });
}
