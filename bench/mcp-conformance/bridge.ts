import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

/**
 * MCP over HTTP (Streamable HTTP) in front of a server that speaks it on standard input and output, as far as the conformance suite needs it: the suite knows no
 * other way. It changes ids and nothing else of a message, and says by the HTTP status what an error's code says. A session of the era with `initialize` has a process
 * of its own; requests without a session share one for each version of the protocol that they ask for.
 */
interface Message {
  id?: number | string | null;
  method?: string;
  params?: { _meta?: Record<string, unknown> };
  error?: { code: number };
}

const SESSION = "mcp-session-id";
const STATELESS = "version ";
const VERSION_HEADER = "mcp-protocol-version";
const FIRST_STATELESS = "2026-07-28";
const END_MS = 5_000;

export interface Bridge extends AsyncDisposable {
  url: string;
}

export async function openBridge(start: () => ChildProcess): Promise<Bridge> {
  const programs = new Map<string, Program>();
  const programOf = (session: string): Program => {
    const known =
      programs.get(session) ??
      new Program(start(), {
        opensWith: session === `${STATELESS}${FIRST_STATELESS}` ? OPENING : undefined,
        hasSession: !session.startsWith(STATELESS),
      });
    programs.set(session, known);
    return known;
  };
  const server = createServer((request, response) => {
    answer(request, response, programs, programOf).catch((error) => response.destroy(error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await Promise.all([...programs.values()].map((program) => program.end()));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  programs: Map<string, Program>,
  programOf: (session: string) => Program,
): Promise<void> {
  const host = new URL(`http://${request.headers.host ?? "nowhere"}`).hostname;
  if (!["localhost", "127.0.0.1", "[::1]"].includes(host)) return refuse(response, 403, "another host's name");
  const session = request.headers[SESSION] as string | undefined;
  if (session !== undefined && !programs.has(session)) return refuse(response, 404, "no such session");
  if (request.method === "DELETE" && session !== undefined) {
    await programs.get(session)!.end();
    programs.delete(session);
    return void response.writeHead(200).end();
  }
  if (request.method === "GET") {
    if (session === undefined) return refuse(response, 405, "no session");
    return programs.get(session)!.listen(response);
  }
  if (request.method !== "POST") return refuse(response, 405, "POST");
  const message = JSON.parse(await text(request)) as Message;
  const version = String(request.headers[VERSION_HEADER] ?? "");
  const isOpening = message.method === "initialize" && version < FIRST_STATELESS;
  const id = isOpening ? randomUUID() : session;
  const asked = String(message.params?._meta?.[VERSION] ?? FIRST_STATELESS);
  programOf(id ?? `${STATELESS}${asked}`).ask(message, response, isOpening ? { [SESSION]: id! } : {});
}

const refuse = (response: ServerResponse, status: number, why: string): void =>
  void response
    .writeHead(status, { "content-type": "application/json" })
    .end(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32_000, message: why } }));

interface Asked {
  message: Message;
  response: ServerResponse;
  headers: Record<string, string>;
}

/** By the code of an error of the era without sessions: method not found, header mismatch, missing capability, unsupported version. */
const STATUS: Readonly<Record<number, number>> = { [-32_601]: 404, [-32_020]: 400, [-32_021]: 400, [-32_022]: 400 };
const INVALID_PARAMS = -32_602;
const VERSION = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";

/** By the first message that is no `server/discover` a server on standard input knows the era. */
const OPENING = {
  jsonrpc: "2.0",
  id: 0,
  method: "tools/list",
  params: { _meta: { [VERSION]: FIRST_STATELESS, [CAPABILITIES]: {} } },
};

function statusOf({ message }: Asked, { error }: Message, hasSession: boolean): number {
  if (!error || hasSession) return 200;
  const meta = message.params?._meta ?? {};
  if (error.code === INVALID_PARAMS) return meta[VERSION] && meta[CAPABILITIES] ? 200 : 400;
  return STATUS[error.code] ?? 200;
}

class Program {
  readonly #child: ChildProcess;
  readonly #asked = new Map<number, Asked>();
  #listening: ServerResponse | undefined;
  #nextId = 1;

  readonly #hasSession: boolean;

  constructor(child: ChildProcess, { opensWith, hasSession }: { opensWith: Message | undefined; hasSession: boolean }) {
    this.#child = child;
    this.#hasSession = hasSession;
    if (opensWith) this.#say(opensWith);
    child.stdin!.on("error", () => {});
    createInterface({ input: child.stdout! }).on("line", (line) => this.#onLine(JSON.parse(line) as Message));
    child.once("exit", () => {
      for (const { response } of this.#asked.values()) response.destroy();
      this.#listening?.end();
    });
  }

  ask(message: Message, response: ServerResponse, headers: Record<string, string>): void {
    const isRequest = message.method !== undefined && message.id !== undefined && message.id !== null;
    if (!isRequest) {
      this.#say(message);
      return void response.writeHead(202, headers).end();
    }
    const id = this.#nextId++;
    this.#asked.set(id, { message, response, headers });
    response.once("close", () => this.#asked.delete(id));
    this.#say({ ...message, id });
  }

  listen(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" }).flushHeaders();
    this.#listening = response;
    response.once("close", () => {
      if (this.#listening === response) this.#listening = undefined;
    });
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.stdin!.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), END_MS);
    await ended;
    clearTimeout(timer);
  }

  #say(message: Message): void {
    this.#child.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  #onLine(message: Message): void {
    const asked = message.method === undefined ? this.#asked.get(Number(message.id)) : undefined;
    if (asked) {
      this.#asked.delete(Number(message.id));
      const answered = { ...message, id: asked.message.id! };
      if (!asked.response.headersSent && message.error) {
        const status = statusOf(asked, message, this.#hasSession);
        asked.response.writeHead(status, { ...asked.headers, "content-type": "application/json" });
        return void asked.response.end(JSON.stringify(answered));
      }
      stream(asked, answered);
      return void asked.response.end();
    }
    // What the server says of its own accord goes to the request that was made last, else to who listens.
    const last = [...this.#asked.values()].at(-1);
    if (last) stream(last, message);
    else if (this.#listening) send(this.#listening, message);
  }
}

function stream({ response, headers }: Asked, message: Message): void {
  if (!response.headersSent)
    response.writeHead(200, { ...headers, "content-type": "text/event-stream", "cache-control": "no-store" });
  send(response, message);
}

const send = (response: ServerResponse, message: Message): void => {
  response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
};
