import type { Socket } from "node:net";
import type { MailStatus } from "../../protocol/mail-units.ts";

/** `GET /health` and `GET /status`, for scripts: one request a connection. A listening leader that does not answer is not healthy. */
export interface HttpFacts {
  status(): Promise<MailStatus>;
}

const HEAD_BYTES_MAX = 8 * 1024;
const REQUEST_MS = 5_000;

export function serveHttp(socket: Socket, firstBytes: Buffer, facts: HttpFacts): void {
  let head = firstBytes.toString("latin1");
  const timer = setTimeout(() => socket.destroy(), REQUEST_MS);
  socket.once("close", () => clearTimeout(timer));
  const look = (): void => {
    if (head.length > HEAD_BYTES_MAX) return stop(431, { error: "the request is too long" });
    if (!/\r?\n\r?\n/.test(head)) return;
    const [method = "", target = ""] = head.split(/\s/, 2);
    void answer(method, target.split("?")[0]!);
  };
  const stop = (status: number, body: object, isHead = false): void => {
    socket.off("data", take);
    socket.resume();
    socket.end(responseOf(status, body, isHead), () => socket.destroySoon());
  };
  const answer = async (method: string, path: string): Promise<void> => {
    if (method !== "GET" && method !== "HEAD") return stop(405, { error: `${method} is not possible here` });
    if (path !== "/health" && path !== "/status")
      return stop(404, { error: `there is no ${path}; try /health or /status` });
    try {
      const status = await facts.status();
      const { pid, epoch } = status.leader;
      stop(200, path === "/status" ? status : { status: "ok", pid, epoch }, method === "HEAD");
    } catch {
      stop(503, { status: "ending" });
    }
  };
  const take = (chunk: Buffer): void => {
    head += chunk.toString("latin1");
    look();
  };
  socket.on("data", take).on("end", () => socket.end());
  look();
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  404: "Not Found",
  405: "Method Not Allowed",
  431: "Request Header Fields Too Large",
  503: "Service Unavailable",
};

function responseOf(status: number, body: object, isHead: boolean): string {
  const text = `${JSON.stringify(body)}\n`;
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status]}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(text)}`,
    "cache-control: no-store",
    "connection: close",
  ].join("\r\n");
  return `${head}\r\n\r\n${isHead ? "" : text}`;
}
