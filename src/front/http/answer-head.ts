import { CR, equalsIgnoringCase, LF, SPACE, VALUE } from "./characters.ts";
import { connectionOptions, withoutFields } from "./field-lines.ts";
import { Fields } from "./fields.ts";
import { refuse } from "./problem.ts";

/** The head of a worker's answer (RFC 9112 §4). */
export interface AnswerHead {
  status: number;
  /** `200 OK`: what follows the version. */
  statusText: string;
  /** What goes on of the fields. */
  lines: string;
  contentLength: number;
  isChunked: boolean;
  /** The worker will go on with this connection. */
  keepsAlive: boolean;
  /** `Keep-Alive: timeout=`; 0: not said. */
  keepAliveS: number;
  upgrade: string | undefined;
  length: number;
}

/** Where an answer's body ends (RFC 9112 §6.3). */
export type AnswerFraming = "none" | "length" | "chunked" | "close";

export class AnswerReader {
  readonly #fields = new Fields();

  /**
   * `text` begins with the status line and has the head's empty line in it.
   * @throws HttpProblem, whose status is not what the client gets.
   */
  read(text: string): AnswerHead {
    if (!text.startsWith("HTTP/1.")) refuse(502, "the status line");
    const minorVersion = text.charCodeAt(7) - 0x30;
    if ((minorVersion !== 0 && minorVersion !== 1) || text.charCodeAt(8) !== SPACE) refuse(502, "the version");
    const status = statusAt(text, 9);
    let lineEnd = 12;
    if (text.charCodeAt(lineEnd) === SPACE) while (VALUE[text.charCodeAt(lineEnd)] === 1) lineEnd++;
    if (text.charCodeAt(lineEnd) !== CR || text.charCodeAt(lineEnd + 1) !== LF) refuse(502, "the status line");
    const fields = this.#fields;
    fields.read(text, lineEnd + 2, "answer", true);
    if (fields.isChunked && fields.contentLength >= 0) refuse(502, "a length and a transfer coding");
    if (fields.isChunked && minorVersion === 0) refuse(502, "a transfer coding in HTTP/1.0");
    const head: AnswerHead = {
      status,
      statusText: text.slice(9, lineEnd),
      lines: fields.lines,
      contentLength: fields.contentLength,
      isChunked: fields.isChunked,
      keepsAlive: minorVersion === 1,
      keepAliveS: fields.keepAlive === undefined ? 0 : timeoutOf(fields.keepAlive),
      upgrade: fields.upgrade,
      length: fields.end,
    };
    if (fields.connection !== undefined) applyConnection(head, fields.connection);
    return head;
  }
}

/** RFC 9112 §6.3, cases 1, 2, 4, 5, 6 and 8 for answers to what we ask. */
export function answerFraming(head: AnswerHead, requestMethod: string): AnswerFraming {
  if (requestMethod === "HEAD" || head.status === 204 || head.status === 304) return "none";
  if (head.isChunked) return "chunked";
  if (head.contentLength < 0) return "close";
  return head.contentLength === 0 ? "none" : "length";
}

function statusAt(text: string, at: number): number {
  let status = 0;
  for (let index = at; index < at + 3; index++) {
    const digit = text.charCodeAt(index) - 0x30;
    if (!(digit >= 0 && digit <= 9)) refuse(502, "the status");
    status = status * 10 + digit;
  }
  return status >= 100 && status <= 599 ? status : refuse(502, "the status");
}

function applyConnection(head: AnswerHead, connection: string): void {
  if (equalsIgnoringCase(connection, "keep-alive")) {
    head.keepsAlive = true;
    return;
  }
  const { close, keepAlive, named } = connectionOptions(connection);
  if (keepAlive) head.keepsAlive = true;
  if (close) head.keepsAlive = false;
  if (named !== undefined) head.lines = withoutFields(head.lines, (name) => named.has(name));
}

/** RFC 2068 §19.7.1.1, as servers still send it. */
function timeoutOf(keepAlive: string): number {
  const seconds = /(?:^|[,\s])timeout=([0-9]{1,6})(?:$|[,\s])/i.exec(keepAlive)?.[1];
  return seconds === undefined ? 0 : Number(seconds);
}
