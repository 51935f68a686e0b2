import type { RequestHead } from "./request-head.ts";

/** What the head that a worker reads is made of, besides what the client sent. Lines have their CRLF. */
export interface SentRequest {
  head: RequestHead;
  /** Path and query. */
  target: string;
  host: string;
  /** The client's fields that go on. */
  lines: string;
  forwarding: string;
  via: string;
  requestId: string;
  traceparent: string;
}

/** RFC 9112 §3; always HTTP/1.1, with one way of framing (§6). */
export function requestText(request: SentRequest): string {
  const { head } = request;
  let text =
    `${head.method} ${request.target} HTTP/1.1\r\nhost: ${request.host}\r\n${request.lines}${request.forwarding}${request.via}` +
    `x-request-id: ${request.requestId}\r\ntraceparent: ${request.traceparent}\r\n`;
  if (head.tracestate !== undefined && head.traceparent === request.traceparent)
    text += `tracestate: ${head.tracestate}\r\n`;
  if (head.isUpgrade) text += "connection: Upgrade\r\nupgrade: websocket\r\n";
  else if (head.takesTrailers) text += "connection: TE\r\nte: trailers\r\n"; // RFC 9110 §10.1.4
  if (head.expectsContinue) text += "expect: 100-continue\r\n";
  if (head.isChunked) text += "transfer-encoding: chunked\r\n";
  else if (head.contentLength >= 0) text += `content-length: ${head.contentLength}\r\n`;
  return `${text}\r\n`;
}
