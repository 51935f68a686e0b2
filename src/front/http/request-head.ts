import { CR, equalsIgnoringCase, LF, SPACE, TOKEN } from "./characters.ts";
import { connectionOptions, withoutFields } from "./field-lines.ts";
import { Fields } from "./fields.ts";
import { checkHost } from "./host.ts";
import { METHOD_CHARS_MAX, TARGET_BYTES_MAX } from "./limits.ts";
import { refuse } from "./problem.ts";
import { requestTarget } from "./target.ts";

/** What the field lines of a request said of forwarding, when its sender is trusted with it. */
export interface ReceivedForwarding {
  forwarded: string | undefined;
  for: string | undefined;
  host: string | undefined;
  proto: string | undefined;
}

/** A request's head, read and found good (RFC 9112 §3 and §5, RFC 9110 §7). */
export interface RequestHead {
  method: string;
  path: string;
  query: string | undefined;
  host: string | undefined;
  minorVersion: 0 | 1;
  /** What goes on of the fields: none that belong to the connection, none that we make ourselves. */
  lines: string;
  /** -1: none is said. */
  contentLength: number;
  isChunked: boolean;
  /** The client will go on with this connection. */
  keepsAlive: boolean;
  /** It asks for a WebSocket, the one protocol that we change to: others would carry requests that nobody counts (h2c). */
  isUpgrade: boolean;
  expectsContinue: boolean;
  takesTrailers: boolean;
  requestId: string | undefined;
  traceparent: string | undefined;
  tracestate: string | undefined;
  via: string | undefined;
  received: ReceivedForwarding | undefined;
  /** There are such fields, or Via: from whoever. */
  isForwarded: boolean;
  /** Bytes of the head, with its empty line. */
  length: number;
}

export const hasBody = (head: RequestHead): boolean => head.isChunked || head.contentLength > 0;

export class RequestReader {
  readonly #fields = new Fields();

  /**
   * `text` begins with the request line and has the head's empty line in it.
   * @throws HttpProblem
   */
  read(text: string, isTrusted: boolean): RequestHead {
    const fields = this.#fields;
    const methodEnd = tokenEnd(text, METHOD_CHARS_MAX);
    const method = text.slice(0, methodEnd);
    const targetEnd = text.indexOf(" ", methodEnd + 1);
    const lineEnd = text.indexOf("\r\n");
    if (targetEnd < 0 || targetEnd > lineEnd) refuse(400, "the request line");
    if (targetEnd - methodEnd - 1 > TARGET_BYTES_MAX) refuse(414, "the target is too long");
    const minorVersion = requestVersion(text, targetEnd + 1, lineEnd);
    // RFC 9110 §9.3.6, RFC 9113 §11.6: servers read a tunnel, or HTTP/2, into what follows.
    if (method === "CONNECT" || method === "PRI") refuse(501, "the method");
    const target = requestTarget(text, methodEnd + 1, targetEnd, method);
    fields.read(text, lineEnd + 2, "request", isTrusted);

    checkFraming(fields, minorVersion);
    const head: RequestHead = {
      method,
      path: target.path,
      query: target.query,
      host: effectiveHost(fields.host, target.authority, minorVersion),
      minorVersion,
      lines: fields.lines,
      contentLength: fields.contentLength,
      isChunked: fields.isChunked,
      keepsAlive: minorVersion === 1,
      isUpgrade: false,
      expectsContinue: fields.expectsContinue && minorVersion === 1, // RFC 9110 §10.1.1: of 1.0 to be ignored
      takesTrailers: false,
      requestId: fields.requestId,
      traceparent: fields.traceparent,
      tracestate: fields.tracestate,
      via: fields.via,
      received: isTrusted ? receivedForwarding(fields) : undefined,
      isForwarded: isForwarded(fields),
      length: fields.end,
    };
    if (fields.connection !== undefined) applyConnection(head, fields.connection, fields.upgrade);
    if (fields.te !== undefined) head.takesTrailers = /(?:^|,)\s*trailers\s*(?:,|$)/i.test(fields.te);
    return head;
  }
}

/** RFC 9112 §3.1. */
function tokenEnd(text: string, charsMax: number): number {
  let at = 0;
  while (TOKEN[text.charCodeAt(at)]! > 0) at++;
  if (at === 0 || at > charsMax || text.charCodeAt(at) !== SPACE) refuse(400, "the method");
  return at;
}

/** RFC 9112 §2.3; of another major version 505. */
function requestVersion(text: string, at: number, lineEnd: number): 0 | 1 {
  if (lineEnd - at === 8 && text.startsWith("HTTP/1.", at)) {
    const minor = text.charCodeAt(at + 7) - 0x30;
    if (minor === 1 || minor === 0) return minor;
  }
  return /^HTTP\/[0-9]\.[0-9]$/.test(text.slice(at, lineEnd)) ? refuse(505, "the version") : refuse(400, "the version");
}

/** RFC 9112 §6.1 and §6.3: two ways to say where a body ends are none; HTTP/1.0 knows no chunks. */
function checkFraming(fields: Fields, minorVersion: 0 | 1): void {
  if (!fields.isChunked) return;
  if (fields.contentLength >= 0) refuse(400, "a length and a transfer coding");
  if (minorVersion === 0) refuse(400, "a transfer coding in HTTP/1.0");
}

/** RFC 9112 §3.2 and §3.2.2. Of an absolute form the two have to agree. */
function effectiveHost(
  host: string | undefined,
  authority: string | undefined,
  minorVersion: 0 | 1,
): string | undefined {
  if (host === undefined) {
    if (minorVersion === 1) refuse(400, "no host");
    return authority === undefined ? undefined : checkHost(authority);
  }
  if (authority !== undefined && authority.toLowerCase() !== host.toLowerCase()) refuse(400, "two hosts");
  return checkHost(host);
}

/** RFC 9112 §9.3 and RFC 9110 §7.8. */
function applyConnection(head: RequestHead, connection: string, upgrade: string | undefined): void {
  if (equalsIgnoringCase(connection, "keep-alive")) {
    head.keepsAlive = true;
    return;
  }
  const options = connectionOptions(connection);
  if (options.keepAlive) head.keepsAlive = true;
  if (options.close) head.keepsAlive = false;
  head.isUpgrade =
    options.upgrade &&
    upgrade?.toLowerCase() === "websocket" &&
    head.method === "GET" &&
    head.minorVersion === 1 &&
    !hasBody(head);
  const named = options.named;
  if (named === undefined) return;
  head.lines = withoutFields(head.lines, (name) => named.has(name));
  if (named.has("x-request-id")) head.requestId = undefined;
}

const isForwarded = ({ forwarded, forwardedFor, forwardedHost, forwardedProto, via }: Fields): boolean =>
  (forwarded ?? forwardedFor ?? forwardedHost ?? forwardedProto ?? via) !== undefined;

const receivedForwarding = (fields: Fields): ReceivedForwarding => ({
  forwarded: fields.forwarded,
  for: fields.forwardedFor,
  host: fields.forwardedHost,
  proto: fields.forwardedProto,
});

/** RFC 9112 §2.2: one empty line before a request is skipped. The bytes to skip; -1: too few to tell. */
export function leadingLineLength(bytes: Buffer, start: number, end: number): number {
  if (start < end && bytes[start] !== CR) return 0;
  if (end - start < 2) return -1;
  return bytes[start + 1] === LF ? 2 : 0;
}
