/** What a client made of the bytes that came: answers one after the other, by RFC 9112, good enough for answers that we trust. */
export interface ParsedAnswer {
  status: number;
  headers: Map<string, string>;
  body: string;
  trailers: string;
  /** Everything of it was there; an answer that ends with its connection is whole when that has ended. */
  isWhole: boolean;
}

/** `methods`: of the requests, in order; GET where it has none. Interim answers are answers here. */
export function parseAnswers(text: string, methods: readonly string[] = []): ParsedAnswer[] {
  const answers: ParsedAnswer[] = [];
  let finalCount = 0;
  for (let at = 0; at < text.length; ) {
    const headEnd = text.indexOf("\r\n\r\n", at);
    if (headEnd < 0) throw new Error(`no head: ${JSON.stringify(text.slice(at, at + 200))}`);
    const [statusLine, ...lines] = text.slice(at, headEnd).split("\r\n");
    const status = Number(/^HTTP\/1\.1 ([1-5][0-9][0-9]) /.exec(statusLine!)?.[1]);
    if (Number.isNaN(status)) throw new Error(`no status line: ${statusLine}`);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const [, name, value] = /^([^:\s]+): (.*)$/.exec(line) ?? [];
      if (name === undefined) throw new Error(`no field: ${line}`);
      const lower = name.toLowerCase();
      headers.set(lower, headers.has(lower) ? `${headers.get(lower)}, ${value}` : value!);
    }
    const isBodiless = status < 200 || status === 204 || status === 304 || methods[finalCount] === "HEAD";
    const { body, trailers, end, isWhole } = isBodiless
      ? { body: "", trailers: "", end: headEnd + 4, isWhole: true }
      : bodyAt(text, headEnd + 4, headers);
    if (status >= 200) finalCount++;
    answers.push({ status, headers, body, trailers, isWhole });
    at = end;
  }
  return answers;
}

function bodyAt(text: string, at: number, headers: Map<string, string>) {
  const length = headers.get("content-length");
  if (headers.get("transfer-encoding") === "chunked") {
    if (length !== undefined) throw new Error("a length and chunks");
    return chunksAt(text, at);
  }
  if (length === undefined) return { body: text.slice(at), trailers: "", end: text.length, isWhole: true };
  const body = text.slice(at, at + Number(length));
  return { body, trailers: "", end: at + body.length, isWhole: body.length === Number(length) };
}

function chunksAt(text: string, start: number) {
  let body = "";
  for (let at = start; ; ) {
    const lineEnd = text.indexOf("\r\n", at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (lineEnd < 0 || at === text.length) return { body, trailers: "", end: text.length, isWhole: false };
    if (size === 0) {
      const last = text.indexOf("\r\n\r\n", lineEnd);
      if (last < 0) return { body, trailers: "", end: text.length, isWhole: false };
      return { body, trailers: text.slice(lineEnd + 2, last + 2), end: last + 4, isWhole: true };
    }
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
    if (at > text.length) return { body, trailers: "", end: text.length, isWhole: false };
  }
}
