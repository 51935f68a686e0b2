/**
 * One direction of a connection to a hub, as it comes off the wire: HTTP until a head asks for or grants a WebSocket, then its frames (RFC 6455), unmasked.
 * Our ends neither compress nor split messages; a part of one fails the test.
 */
export interface Heard {
  kind: "head" | "body" | "message" | "control";
  /** What is said: a head's text, a message without its frame. */
  payload: Uint8Array;
  /** The same as it was on the wire. */
  raw: Uint8Array;
}

const HEAD_END = Buffer.from("\r\n\r\n");
const SWITCHES = /^(GET [\s\S]*\r\nupgrade: *websocket|HTTP\/1\.1 101 )/i;

export class WebSocketReader {
  #bytes: Buffer = Buffer.alloc(0);
  #isWebSocket = false;

  /** All that is whole by now. */
  push(chunk: Uint8Array): Heard[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const heard: Heard[] = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) heard.push(next);
    return heard;
  }

  #next(): Heard | undefined {
    if (this.#bytes.length === 0) return undefined;
    return this.#isWebSocket ? this.#frame() : this.#http();
  }

  #http(): Heard | undefined {
    if (!/^(GET|POST|HEAD|OPTIONS|HTTP)/.test(this.#bytes.toString("latin1", 0, 7))) {
      const payload = this.#take(this.#bytes.length);
      return { kind: "body", payload, raw: payload };
    }
    const end = this.#bytes.indexOf(HEAD_END);
    if (end === -1) return undefined;
    const payload = this.#take(end + HEAD_END.length);
    this.#isWebSocket = SWITCHES.test(payload.toString("latin1"));
    return { kind: "head", payload, raw: payload };
  }

  #frame(): Heard | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    const [first, second] = [bytes[0]!, bytes[1]!];
    const short = second & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const maskBytes = second & 0x80 ? 4 : 0;
    const start = 2 + lengthBytes + maskBytes;
    if (bytes.length < start) return undefined;
    const length = lengthBytes === 0 ? short : bytes.readUIntBE(lengthBytes === 8 ? 4 : 2, lengthBytes === 8 ? 6 : 2);
    if (bytes.length < start + length) return undefined;
    const raw = this.#take(start + length);
    const mask = raw.subarray(start - maskBytes, start);
    const payload = Uint8Array.from(raw.subarray(start), (byte, at) => (maskBytes ? byte ^ mask[at % 4]! : byte));
    if ((first & 0x80) === 0 || (first & 0x70) !== 0) throw new Error(`a part of a message, or an extension: ${first}`);
    return { kind: (first & 0x0f) <= 2 ? "message" : "control", payload, raw };
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }
}
