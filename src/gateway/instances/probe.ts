import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";

/** Asks an instance over HTTP how it is. A connection that is accepted says nothing; an answer does. */
export interface ProbeOptions {
  host: string;
  port: number;
  /** TLS, with a certificate that is good for `host`. Default: plain HTTP. */
  isTls?: boolean;
  path: string;
  /** Undefined: any answer below 500 is a good one, since nobody said that there is something at `path`. Else 200 to 399. */
  isPathConfigured: boolean;
  /** Of one request. */
  timeoutMs: number;
  /** Above 0: it is asked again until there is an HTTP answer of any kind, for so long. */
  waitMs: number;
  signal: AbortSignal;
}

export type Probed =
  | { kind: "answer"; isOk: boolean; status: number; reason?: string; tookMs: number }
  /** No HTTP answer; `isRefused`: nobody listens there. */
  | { kind: "silent"; reason: string; isRefused: boolean };

const FIRST_PAUSE_MS = 1;
const LAST_PAUSE_MS = 50;
/** Slow: a version that is loaded by a process that waits for it answers within some 10 ms, and people wait for that. */
const PAUSE_GROWTH = 1.2;
/** What is read of the answer's body at most, for the connection to be freed. */
const BODY_BYTES_MAX = 64 * 1024;

export async function probe(options: ProbeOptions): Promise<Probed> {
  const deadlineMs = performance.now() + options.waitMs;
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    const found = await once(options);
    const isLate = performance.now() >= deadlineMs;
    if (found.kind === "answer" || isLate || options.signal.aborted) return found;
    await new Promise((wake) => setTimeout(wake, pauseMs));
    pauseMs = Math.min(LAST_PAUSE_MS, pauseMs * PAUSE_GROWTH);
  }
}

function once({ host, port, isTls = false, path, isPathConfigured, timeoutMs, signal }: ProbeOptions): Promise<Probed> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const silent = (reason: string, isRefused = false): void => resolve({ kind: "silent", reason, isRefused });
    const headers = { connection: "close", "user-agent": "warren-health" };
    const request = isTls ? tlsRequest : plainRequest;
    const call = request({ host, port, path, headers, agent: false, timeout: timeoutMs, signal }, (response) => {
      const status = response.statusCode ?? 0;
      const isOk = isPathConfigured ? status >= 200 && status < 400 : status < 500;
      const where = response.headers.location ? `, to ${response.headers.location}` : "";
      const tookMs = performance.now() - startedMs;
      const reason = isOk ? {} : { reason: `GET ${path} was answered with ${status}${where}` };
      resolve({ kind: "answer", isOk, status, tookMs, ...reason });
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > BODY_BYTES_MAX) call.destroy();
      });
    });
    // A server that answers slowly byte by byte would never be idle.
    const timer = setTimeout(() => call.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    call.on("close", () => clearTimeout(timer));
    call.on("timeout", () => call.destroy(new Error(`no answer in ${timeoutMs} ms`)));
    call.on("error", (error: NodeJS.ErrnoException) =>
      silent(
        error.code === "ECONNREFUSED" ? `nobody listens on port ${port}` : error.message,
        error.code === "ECONNREFUSED",
      ),
    );
    call.end();
  });
}
