/** Streams of requests, good, odd and broken, from a seed: the same seed gives the same stream. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** mulberry32: [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  isOneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

const METHODS = ["GET", "GET", "POST", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "get", "PRI", "TRACE"];
const TARGETS = ["/", "/a", "/a?b=c", "/%7e", "/a/../b", "//a", "*", "http://a/x", "/a%2fb", "/\\", "/a b", "/a?/../"];
const VERSIONS = [
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/0.9",
  "HTTP/2.0",
  "",
  "HTTP/1.1 ",
];
const FIELDS = [
  "Accept: */*",
  "X-A:b",
  "X-B:  c  ",
  "Cookie: a=b; c=d",
  "Connection: keep-alive",
  "Connection: close",
  "Connection: X-A, Content-Length",
  "Connection: Transfer-Encoding",
  "Expect: 100-continue",
  "TE: trailers",
  "Upgrade: h2c",
  `X-Long: ${"y".repeat(300)}`,
];
const ODD_FIELDS = [
  "Host: b",
  "Content-Length: 3",
  "Content-Length: +3",
  "Content-Length: 3, 3",
  "Content-Length : 3",
  "Content_Length: 3",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding:\x0bchunked",
  "Transfer-Encoding: chunked\r\n ,x",
  " folded",
  "X: \x00",
  "X: a\rb",
  "X: a\nTransfer-Encoding: chunked",
  "Transfer_Encoding: chunked",
  ": x",
  "x",
];
const ODD_BYTES = [
  "\r",
  "\n",
  "\r\n",
  "\0",
  " ",
  "\t",
  ":",
  ",",
  "0",
  "1",
  ";",
  "\x0b",
  "\x85",
  "\xff",
  "a",
  "\r\n\r\n",
  "GET / HTTP/1.1\r\n",
];
const BODIES = ["", "a", "abc", "0\r\n\r\n", "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n", "x".repeat(400)];

function oneRequest(random: Random, isOdd: boolean): string {
  const end = isOdd && random.isOneIn(12) ? random.of(["\n", "\r", "\n\r", "\r\r\n"]) : "\r\n";
  const method = isOdd ? random.of(METHODS) : random.of(["GET", "POST", "PUT"]);
  const target = isOdd && random.isOneIn(2) ? random.of(TARGETS) : `/${random.below(1_000)}`;
  const version = isOdd && random.isOneIn(4) ? random.of(VERSIONS) : "HTTP/1.1";
  const fields = ["Host: a"];
  for (let count = random.below(4); count > 0; count--) fields.push(random.of(isOdd ? FIELDS : FIELDS.slice(0, 4)));
  if (isOdd && random.isOneIn(2)) fields.push(random.of(ODD_FIELDS));
  const body = random.of(BODIES);
  let sent = "";
  const framing = method === "GET" && !isOdd ? 0 : random.below(3);
  if (framing === 1) {
    fields.push(`Content-Length: ${body.length}`);
    sent = body;
  } else if (framing === 2) {
    fields.push("Transfer-Encoding: chunked");
    sent = chunks(random, body, isOdd);
  }
  if (isOdd && random.isOneIn(6)) fields.reverse();
  return [`${method} ${target} ${version}`, ...fields, "", ""].join(end) + sent;
}

function chunks(random: Random, body: string, isOdd: boolean): string {
  let text = "";
  for (let at = 0; at < body.length; ) {
    const length = 1 + random.below(body.length - at);
    const size =
      isOdd && random.isOneIn(10) ? random.of(["0x1", "1 ", "-1", "", "fffffffff", "1\n"]) : length.toString(16);
    const extension = random.isOneIn(5) ? random.of([";a", ";a=b", ';a="b;c"', isOdd ? ";\n" : ";x"]) : "";
    text += `${size}${extension}\r\n${body.slice(at, at + length)}\r\n`;
    at += length;
  }
  return `${text}0\r\n${random.isOneIn(4) ? "X-Trailer: 1\r\n" : ""}\r\n`;
}

/** One connection's bytes, in the pieces in which they are sent. The last request, if it is one, asks for the end. */
export function requestStream(seed: number): string[] {
  const random = new Random(seed);
  const isOdd = !random.isOneIn(4);
  let text = "";
  for (let count = 1 + random.below(5); count > 0; count--) text += oneRequest(random, isOdd && random.isOneIn(2));
  if (isOdd)
    for (let count = random.below(3); count > 0; count--) {
      const at = random.below(text.length);
      const inserted = random.isOneIn(4) ? "" : random.of(ODD_BYTES);
      text = text.slice(0, at) + inserted + text.slice(at + random.below(3));
    }
  text += "GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const pieces: string[] = [];
  const most = random.isOneIn(2) ? text.length : 1 + random.below(40);
  for (let at = 0; at < text.length; ) {
    const length = 1 + random.below(most);
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}
