import { createHash, randomBytes } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { pythonDumps } from "../../src/mailbox/ipc/python-json.ts";

/**
 * A model of claude-ipc's own broker, made after the description of its wire: not that program. It keeps everything in memory, reads once and at most 4096 bytes
 * of a request, answers and closes, and forgets what `check` has shown. For tests of what we do when it has the port.
 */
export interface ClaudeIpcModel extends AsyncDisposable {
  port: number;
  queueOf(name: string): Record<string, unknown>[];
  requests: Record<string, unknown>[];
}

const READ_ONCE_BYTES = 4096;
const QUEUE_MAX = 100;
const NAME = /^[A-Za-z0-9_-]{1,32}$/;

type Request = Record<string, unknown>;

export interface ClaudeIpcModelOptions {
  port?: number;
  secret?: string;
  /** Names that it registers for nobody. */
  refused?: readonly string[];
}

export async function startClaudeIpcModel(options: ClaudeIpcModelOptions = {}): Promise<ClaudeIpcModel> {
  const broker = new Broker(options);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.once("data", (bytes) => {
      if (bytes.length > READ_ONCE_BYTES) socket.resetAndDestroy();
      else socket.end(pythonDumps(broker.answerText(bytes.toString("utf8"))));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    queueOf: (name) => broker.queues.get(name) ?? [],
    requests: broker.requests,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

class Broker {
  readonly queues = new Map<string, Record<string, unknown>[]>();
  readonly requests: Request[] = [];
  readonly #registered = new Map<string, string>();
  readonly #sessions = new Map<string, string>();
  readonly #secret: string | undefined;
  readonly #refused: readonly string[];

  constructor({ secret, refused = [] }: ClaudeIpcModelOptions) {
    this.#secret = secret;
    this.#refused = refused;
  }

  answerText(text: string): Record<string, unknown> {
    let request: Request;
    try {
      request = JSON.parse(text) as Request;
    } catch {
      return error("Expecting value: line 1 column 1 (char 0)");
    }
    this.requests.push(request);
    return this.#answer(request);
  }

  #answer(request: Request): Record<string, unknown> {
    if (request.action === "register") return this.#register(String(request.instance_id), request.auth_token);
    const name = this.#sessions.get(String(request.session_token));
    if (name === undefined) return error("Invalid or missing session token");
    switch (request.action) {
      case "send":
        return this.#send(name, String(request.to_id), request.message);
      case "check": {
        const messages = this.queues.get(name) ?? [];
        this.queues.set(name, []);
        return { status: "ok", messages };
      }
      case "list":
        return {
          status: "ok",
          instances: [...this.#registered].map(([id, lastSeen]) => ({ id, last_seen: lastSeen })),
        };
      default:
        return error(`Unknown action: ${request.action ?? "None"}`);
    }
  }

  #register(name: string, proof: unknown): Record<string, unknown> {
    if (this.#secret !== undefined) {
      const wanted = createHash("sha256").update(`${name}:${this.#secret}`).digest("hex");
      if (proof !== wanted) return error("Invalid auth token");
    }
    if (!NAME.test(name) || this.#refused.includes(name)) return error("Invalid instance ID");
    const token = randomBytes(32).toString("base64url");
    this.#sessions.set(token, name);
    this.#registered.set(name, now());
    const queued = this.#queue(name).length;
    const message = queued === 0 ? `Registered ${name}` : `Registered ${name} with ${queued} queued messages`;
    return { status: "ok", session_token: token, message };
  }

  #send(from: string, to: string, message: unknown): Record<string, unknown> {
    const queue = this.#queue(to);
    if (queue.length >= QUEUE_MAX) return error(`Message queue full for ${to} (100 message limit)`);
    queue.push({ from, to, timestamp: now(), message });
    if (this.#registered.has(to)) return { status: "ok", message: "Message sent" };
    return { status: "ok", message: `Message queued for ${to} (not yet registered)` };
  }

  #queue(name: string): Record<string, unknown>[] {
    const queue = this.queues.get(name) ?? [];
    this.queues.set(name, queue);
    return queue;
  }
}

const error = (message: string): Record<string, unknown> => ({ status: "error", message });
const now = (): string => new Date().toISOString().replace("Z", "000");
