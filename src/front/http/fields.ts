import { COLON, CR, LF, matchesAt, SPACE, TAB, TOKEN, UNDERSCORE, VALUE } from "./characters.ts";
import { FIELDS_MAX, LENGTH_DIGITS_MAX } from "./limits.ts";
import { refuse } from "./problem.ts";

/**
 * Field lines of a head or of trailers (RFC 9112 §5): one pass over one string. What only concerns the connection, the framing or ourselves is taken out and
 * kept apart; everything else becomes `lines`, rebuilt as `Name: value`. Lines that stand like that already are taken over as one slice for as many as follow
 * each other, which is nearly all, so that rebuilding costs next to nothing.
 *
 * Used again for each head: what is needed later is copied out.
 */
export class Fields {
  /** What goes on, each line with its CRLF. */
  lines = "";
  /** Position after the empty line. */
  end = 0;
  /** -1: none. */
  contentLength = -1;
  /** RFC 9112 §6.1; the one coding that we take is `chunked`. */
  isChunked = false;
  host: string | undefined;
  /** Several are joined with `, `, here and below. */
  connection: string | undefined;
  keepAlive: string | undefined;
  upgrade: string | undefined;
  te: string | undefined;
  expectsContinue = false;
  via: string | undefined;
  forwarded: string | undefined;
  forwardedFor: string | undefined;
  forwardedHost: string | undefined;
  forwardedProto: string | undefined;
  requestId: string | undefined;
  traceparent: string | undefined;
  tracestate: string | undefined;

  /**
   * Reads from `at`, the first byte of the first line. The text has to have an empty line. `keepsForwarding`: whoever sent it is trusted with the X-Forwarded-*
   * and X-Real-IP that we do not make ourselves.
   */
  read(text: string, at: number, message: "request" | "answer", keepsForwarding: boolean): void {
    this.#reset();
    let kept = "";
    let runStart = at;
    let position = at;
    for (let count = 0; text.charCodeAt(position) !== CR; count++) {
      if (count === FIELDS_MAX) refuse(431, "too many fields");
      const lineStart = position;
      let code = text.charCodeAt(position);
      let marks = 0;
      for (let mark = TOKEN[code]!; mark > 0; mark = TOKEN[code]!) {
        marks |= mark;
        code = text.charCodeAt(++position);
      }
      // RFC 9112 §5.1: no space before the colon; §5.2: no folding, which begins with one; a NUL and whatever else is no name ends here as well.
      if (code !== COLON || position === lineStart) refuse(400, "a field's name");
      const nameLength = position - lineStart;
      const valueStart = skipBlanks(text, ++position);
      const isCanonicalStart = valueStart === position + 1 && text.charCodeAt(position) === SPACE;
      position = valueStart;
      code = text.charCodeAt(position);
      while (VALUE[code] === 1) code = text.charCodeAt(++position);
      if (code !== CR || text.charCodeAt(position + 1) !== LF) refuse(400, "a field's value");
      const valueEnd = skipBlanksBack(text, valueStart, position);
      const kind = kindOf(text, lineStart, nameLength, marks);
      const isKept = kind === OTHER || !isSpecial(kind, message) || (kind === X_FORWARDED && keepsForwarding);
      const isCanonical = isCanonicalStart && valueEnd === position;
      position += 2;
      if (isKept && isCanonical) continue;
      if (runStart < lineStart) kept += text.slice(runStart, lineStart);
      runStart = position;
      if (isKept) kept += `${text.slice(lineStart, lineStart + nameLength)}: ${text.slice(valueStart, valueEnd)}\r\n`;
      else this.#take(kind, text.slice(valueStart, valueEnd));
    }
    if (text.charCodeAt(position + 1) !== LF) refuse(400, "a bare CR");
    if (runStart < position) kept += text.slice(runStart, position);
    this.lines = kept;
    this.end = position + 2;
  }

  #reset(): void {
    this.contentLength = -1;
    this.isChunked = false;
    this.expectsContinue = false;
    this.host = this.connection = this.keepAlive = this.upgrade = this.te = this.via = undefined;
    this.forwarded = this.forwardedFor = this.forwardedHost = this.forwardedProto = undefined;
    this.requestId = this.traceparent = this.tracestate = undefined;
  }

  #take(kind: number, value: string): void {
    switch (kind) {
      case HOST_FIELD:
        if (this.host !== undefined) refuse(400, "two hosts"); // RFC 9112 §3.2
        this.host = value;
        break;
      case CONTENT_LENGTH:
        // RFC 9112 §6.3 lets equal ones pass as one; we do not.
        if (this.contentLength >= 0) refuse(400, "two lengths");
        this.contentLength = lengthOf(value);
        break;
      case TRANSFER_ENCODING:
        if (this.isChunked) refuse(400, "two transfer codings");
        this.isChunked = isChunkedCoding(value);
        break;
      case EXPECT:
        if (value.toLowerCase() !== "100-continue") refuse(417, "an expectation"); // RFC 9110 §10.1.1
        this.expectsContinue = true;
        break;
      case CONNECTION:
        this.connection = joined(this.connection, value);
        break;
      case KEEP_ALIVE:
        this.keepAlive = joined(this.keepAlive, value);
        break;
      case UPGRADE:
        this.upgrade = joined(this.upgrade, value);
        break;
      case TE:
        this.te = joined(this.te, value);
        break;
      case VIA:
        this.via = joined(this.via, value);
        break;
      case FORWARDED:
        this.forwarded = joined(this.forwarded, value);
        break;
      case FORWARDED_FOR:
        this.forwardedFor = joined(this.forwardedFor, value);
        break;
      case FORWARDED_HOST:
        this.forwardedHost = joined(this.forwardedHost, value);
        break;
      case FORWARDED_PROTO:
        this.forwardedProto = joined(this.forwardedProto, value);
        break;
      case REQUEST_ID:
        this.requestId = joined(this.requestId, value);
        break;
      case TRACEPARENT:
        this.traceparent = joined(this.traceparent, value);
        break;
      case TRACESTATE:
        this.tracestate = joined(this.tracestate, value);
        break;
    }
  }
}

const OTHER = 0;
/** Taken out of both directions. */
const CONNECTION = 1;
const KEEP_ALIVE = 2;
const UPGRADE = 3;
const CONTENT_LENGTH = 4;
const TRANSFER_ENCODING = 5;
/** Belongs to the connection, and tells us nothing. */
const DROPPED = 6;
/** Taken out of requests; in an answer they are fields like any other. */
const HOST_FIELD = 7;
const EXPECT = 8;
const TE = 9;
const VIA = 10;
const FORWARDED = 11;
const FORWARDED_FOR = 12;
const FORWARDED_HOST = 13;
const FORWARDED_PROTO = 14;
const X_FORWARDED = 15;
const REQUEST_ID = 16;
const TRACEPARENT = 17;
const TRACESTATE = 18;

const isSpecial = (kind: number, message: "request" | "answer"): boolean => message === "request" || kind < HOST_FIELD;

function kindOf(text: string, at: number, length: number, marks: number): number {
  if ((marks & UNDERSCORE) === 0) return knownKind(text, at, length);
  // CGI, WSGI and their like see `X_Forwarded_For` and `X-Forwarded-For` as one variable.
  if (knownKind(text.slice(at, at + length).replaceAll("_", "-"), 0, length) !== OTHER)
    refuse(400, "a field's name with an underscore");
  return OTHER;
}

function knownKind(text: string, at: number, length: number): number {
  const is = matchesAt;
  switch (length) {
    case 2:
      return is(text, at, "te") ? TE : OTHER;
    case 3:
      return is(text, at, "via") ? VIA : OTHER;
    case 4:
      return is(text, at, "host") ? HOST_FIELD : OTHER;
    case 6:
      return is(text, at, "expect") ? EXPECT : OTHER;
    case 7:
      return is(text, at, "upgrade") ? UPGRADE : OTHER;
    case 9:
      return is(text, at, "forwarded") ? FORWARDED : is(text, at, "x-real-ip") ? X_FORWARDED : OTHER;
    case 10:
      if (is(text, at, "connection")) return CONNECTION;
      if (is(text, at, "keep-alive")) return KEEP_ALIVE;
      return is(text, at, "tracestate") ? TRACESTATE : OTHER;
    case 11:
      return is(text, at, "traceparent") ? TRACEPARENT : OTHER;
    case 12:
      return is(text, at, "x-request-id") ? REQUEST_ID : OTHER;
    case 14:
      if (is(text, at, "content-length")) return CONTENT_LENGTH;
      return is(text, at, "http2-settings") ? DROPPED : OTHER;
    case 16:
      if (is(text, at, "proxy-connection")) return DROPPED;
      return is(text, at, "x-forwarded-host") ? FORWARDED_HOST : otherForwarding(text, at);
    case 15:
      return is(text, at, "x-forwarded-for") ? FORWARDED_FOR : otherForwarding(text, at);
    case 17:
      if (is(text, at, "transfer-encoding")) return TRANSFER_ENCODING;
      return is(text, at, "x-forwarded-proto") ? FORWARDED_PROTO : otherForwarding(text, at);
    case 18:
      return is(text, at, "proxy-authenticate") ? DROPPED : otherForwarding(text, at);
    case 19:
      return is(text, at, "proxy-authorization") ? DROPPED : otherForwarding(text, at);
    default:
      return length > 12 ? otherForwarding(text, at) : OTHER;
  }
}

const otherForwarding = (text: string, at: number): number =>
  (text.charCodeAt(at) | 0x20) === 0x78 && matchesAt(text, at, "x-forwarded-") ? X_FORWARDED : OTHER;

function skipBlanks(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code === SPACE || code === TAB; code = text.charCodeAt(at)) at++;
  return at;
}

function skipBlanksBack(text: string, from: number, end: number): number {
  let at = end;
  for (; at > from; at--) {
    const code = text.charCodeAt(at - 1);
    if (code !== SPACE && code !== TAB) break;
  }
  return at;
}

const joined = (before: string | undefined, value: string): string =>
  before === undefined ? value : `${before}, ${value}`;

/** RFC 9110 §8.6: digits alone, so no sign, no list, no blank. */
function lengthOf(value: string): number {
  if (value.length === 0 || value.length > LENGTH_DIGITS_MAX) refuse(400, "a length");
  let length = 0;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) refuse(400, "a length");
    length = length * 10 + digit;
  }
  return length;
}

/** RFC 9112 §6.1: chunked, once and last. Others than chunked we do not undo: 501. */
function isChunkedCoding(value: string): true {
  if (value.length === 7 && matchesAt(value, 0, "chunked")) return true;
  const codings = value.split(",").map((coding) => coding.trim().toLowerCase());
  const isKnown = codings.every((coding) => coding === "chunked" || coding === "");
  return refuse(isKnown ? 400 : 501, "a transfer coding");
}
