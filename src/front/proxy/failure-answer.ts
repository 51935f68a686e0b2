import { linesOf } from "../http/field-lines.ts";
import type { Peer } from "../http/forwarding.ts";
import { statusText } from "../http/status-text.ts";
import type { Context } from "./context.ts";
import { RETRY_AFTER_S } from "./limits.ts";
import type { Answer, ExchangeFailure, RequestFacts } from "./responder.ts";

/** Every answer to a request that was not carried out is made here: a line of text, or the page that somebody else makes of it. */

export const textAnswer = (status: number, reason: string): Answer => ({
  status,
  headers: [
    ["content-type", "text/plain; charset=utf-8"],
    ["cache-control", "no-store"],
    ["x-content-type-options", "nosniff"],
  ],
  body: `${statusText(status)}: ${reason}\n`,
});

/** To a request that could not be read, of which so nothing is known. */
export function refusalText(status: number, reason: string, dateLine: string): string {
  const { headers, body } = textAnswer(status, reason);
  const lines = linesOf([...headers, ["content-length", String(body.length)], ["connection", "close"]]);
  return `HTTP/1.1 ${statusText(status)}\r\n${lines}${dateLine}\r\n${body}`;
}

export function recordRefusal(context: Context, { address, isSecure }: Peer, status: number): void {
  context.record?.({
    requestId: "",
    remoteAddress: address,
    method: "",
    isSecure,
    host: undefined,
    target: "",
    worker: undefined,
    instance: undefined,
    status,
    bytesIn: 0,
    bytesOut: 0,
    durationMs: 0,
  });
}

export function failureAnswer(context: Context, request: RequestFacts, failure: ExchangeFailure): Answer {
  const answer = explained(context, request, failure) ?? textAnswer(failure.status, failure.reason);
  if (failure.retryAfterS === undefined) return answer;
  return { ...answer, headers: [...answer.headers, ["retry-after", String(failure.retryAfterS)]] };
}

function explained(context: Context, request: RequestFacts, failure: ExchangeFailure): Answer | undefined {
  try {
    return context.explain?.(request, failure);
  } catch (error) {
    context.log.error("explain_failed", { code: failure.code, error: String(error) });
    return undefined;
  }
}

type Code = ExchangeFailure["code"];

const STATUS: Readonly<Record<Code, ExchangeFailure["status"]>> = {
  WORKER_UNKNOWN: 503,
  WORKER_GONE: 503,
  WORKER_FAILED: 500,
  WAITED_TOO_LONG: 503,
  TOO_MANY_WAIT: 503,
  CONNECT_FAILED: 502,
  SESSION_SILENT: 503,
  CONNECTION_LOST: 502,
  BAD_ANSWER: 502,
  TOO_LATE: 504,
  LOOP: 508,
  BODY_TOO_LARGE: 413,
  INTERNAL: 500,
};

export function failureOf(code: Code, worker: string | undefined, reason: string): ExchangeFailure {
  const status = STATUS[code];
  return { code, status, worker, reason, retryAfterS: status === 503 ? RETRY_AFTER_S : undefined };
}
