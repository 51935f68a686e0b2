import type { AnswerFraming } from "../http/answer-head.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { Output } from "./output.ts";
import type { BodyTransform } from "./responder.ts";

/** An answer's head as it is sent, whoever made it. */
export interface SentAnswer {
  status: number;
  /** `200 OK`. */
  statusText: string;
  /** Field lines, without those of framing and connection. */
  lines: string;
  /** How the body comes to us; "close" stands for any length that is not known. */
  framing: AnswerFraming;
  /** -1: not known. */
  contentLength: number;
  transform: BodyTransform | undefined;
}

/**
 * The client's side of one answer: its head, its body in a framing that this client understands (RFC 9112 §6), its end. Whether the connection goes on
 * afterwards is decided when the head is written, since it is said there.
 */
export class AnswerStream {
  readonly #output: Output;
  readonly #request: RequestHead;
  #framing: AnswerFraming = "none";
  #leftBytes = 0;
  #transform: BodyTransform | undefined;
  /** 0: not begun. */
  status = 0;
  bodyBytes = 0;
  keepsAlive = false;
  hasEnded = false;

  constructor(output: Output, request: RequestHead) {
    this.#output = output;
    this.#request = request;
  }

  get hasBegun(): boolean {
    return this.status !== 0;
  }

  /** The end of the connection would be taken for the end of the body. */
  get isEndedByClose(): boolean {
    return this.#framing === "close";
  }

  /** 1xx (RFC 9110 §15.2), which HTTP/1.0 does not know. */
  interim(statusText: string, lines: string): void {
    if (this.#request.minorVersion === 1) this.#output.text(`HTTP/1.1 ${statusText}\r\n${lines}\r\n`);
  }

  begin(answer: SentAnswer, mayKeepAlive: boolean): void {
    const { status, framing, transform } = answer;
    this.status = status;
    let text = `HTTP/1.1 ${answer.statusText}\r\n${answer.lines}`;
    let contentLength = answer.contentLength;
    if (framing === "none") {
      // RFC 9110 §8.6: not in 204; of HEAD and 304 it is the length that another answer would have.
      if (contentLength >= 0 && status !== 204) text += `content-length: ${contentLength}\r\n`;
    } else {
      if (transform !== undefined)
        contentLength =
          contentLength < 0 || transform.addedBytes === undefined ? -1 : contentLength + transform.addedBytes;
      this.#transform = transform;
      text += this.#frame(contentLength);
    }
    this.keepsAlive = mayKeepAlive && this.#framing !== "close";
    if (!this.keepsAlive) text += "connection: close\r\n";
    else if (this.#request.minorVersion === 0) text += "connection: keep-alive\r\n";
    this.#output.text(`${text}\r\n`);
  }

  /** False: more was written than the head has said. */
  part(bytes: Buffer, start: number, end: number): boolean {
    if (this.#framing === "none") return true;
    if (this.#transform === undefined) return this.#send(bytes, start, end);
    const changed = this.#transform.push(Buffer.from(bytes.subarray(start, end))); // it may keep them
    return this.#send(changed, 0, changed.length);
  }

  /** False: less was written than the head has said. */
  end(trailers: string): boolean {
    this.hasEnded = true;
    if (this.#transform !== undefined) {
      const rest = this.#transform.end();
      if (!this.#send(rest, 0, rest.length)) return false;
    }
    if (this.#framing === "chunked") this.#output.text(`0\r\n${trailers}\r\n`);
    return this.#framing !== "length" || this.#leftBytes === 0;
  }

  #frame(contentLength: number): string {
    if (contentLength >= 0) {
      this.#framing = "length";
      this.#leftBytes = contentLength;
      return `content-length: ${contentLength}\r\n`;
    }
    this.#framing = this.#request.minorVersion === 1 ? "chunked" : "close";
    return this.#framing === "chunked" ? "transfer-encoding: chunked\r\n" : "";
  }

  #send(bytes: Buffer, start: number, end: number): boolean {
    const length = end - start;
    if (length === 0) return true;
    this.bodyBytes += length;
    if (this.#framing === "chunked") writeChunk(this.#output, bytes, start, end);
    else {
      if (this.#framing === "length") {
        this.#leftBytes -= length;
        if (this.#leftBytes < 0) return false;
      }
      this.#output.bytes(bytes, start, end);
    }
    return true;
  }
}

/** RFC 9112 §7.1. */
export function writeChunk(output: Output, bytes: Buffer, start: number, end: number): void {
  output.text(`${(end - start).toString(16)}\r\n`);
  output.bytes(bytes, start, end);
  output.text("\r\n");
}
