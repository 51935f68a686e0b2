import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAnswers } from "./testing/answers.ts";
import { RawClient } from "./testing/raw-client.ts";
import { TestFront } from "./testing/test-front.ts";
import { NodeWorker, type Seen } from "./testing/workers.ts";

/** Bytes from a client; the statuses that it gets; what the worker has read whole. */
interface Case {
  name: string;
  sent: string;
  statuses: number[];
  seen: string[];
}

const GET_A = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const END = "GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const post = (fields: string, body: string): string => `POST /p HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`;
const CHUNKED = "Transfer-Encoding: chunked\r\n";

const good = (name: string, sent: string, seen: string[]): Case => ({
  name,
  sent: sent + END,
  statuses: [...seen.map(() => 200), 200],
  seen: [...seen, "GET /end "],
});
/** After what is refused nothing is read any more. */
const bad = (name: string, sent: string, status = 400, before: string[] = []): Case => ({
  name,
  sent: sent + GET_A,
  statuses: [...before.map(() => 200), status],
  seen: before,
});

const CASES: Case[] = [
  good("one", GET_A, ["GET /a "]),
  good("three in one packet", GET_A + GET_A + GET_A, ["GET /a ", "GET /a ", "GET /a "]),
  good("an empty line before", `\r\n${GET_A}`, ["GET /a "]),
  good("an empty line between, as after a form of old", `${post("Content-Length: 3\r\n", "abc")}\r\n${GET_A}`, [
    "POST /p abc",
    "GET /a ",
  ]),
  bad("two empty lines before", "\r\n\r\n"),
  good("a length", post("Content-Length: 3\r\n", "abc"), ["POST /p abc"]),
  good("a length of 0", post("Content-Length: 0\r\n", ""), ["POST /p "]),
  good("no length", post("", ""), ["POST /p "]),
  good("chunks", post(CHUNKED, "3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n"), ["POST /p abcd"]),
  good("no chunk but the last", post(CHUNKED, "0\r\n\r\n"), ["POST /p "]),
  good("a request in a body", post(`Content-Length: ${GET_A.length}\r\n`, GET_A), [`POST /p ${GET_A}`]),
  good("a GET with a body", `GET /g HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxx`, ["GET /g xx"]),
  good("a DELETE with chunks", `DELETE /g HTTP/1.1\r\nHost: a\r\n${CHUNKED}\r\n1\r\nx\r\n0\r\n\r\n`, ["DELETE /g x"]),
  good("an absolute form", "GET http://a/abs?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", ["GET /abs?x=1 "]),
  good("a strange method", "PURGE /x HTTP/1.1\r\nHost: a\r\n\r\n", ["PURGE /x "]),
  bad("a length and chunks", post(`Content-Length: 5\r\n${CHUNKED}`, "0\r\n\r\n")),
  bad("chunks and a length", post(`${CHUNKED}Content-Length: 5\r\n`, "0\r\n\r\n")),
  bad("two lengths", post("Content-Length: 3\r\nContent-Length: 0\r\n", "abc")),
  bad("two equal lengths", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")),
  bad("a list of lengths", post("Content-Length: 3,3\r\n", "abc")),
  bad("a length with a sign", post("Content-Length: +3\r\n", "abc")),
  bad("a hidden length", post("Content-Length : 3\r\n", "abc")),
  bad("a length in an odd name", post("Content_Length: 3\r\n", "abc")),
  bad("a folded length", post("Content-Length:\r\n 3\r\n", "abc")),
  bad("chunked with a tab before the colon", post("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n")),
  bad("chunked behind a control", post("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n")),
  bad("chunked twice", post(CHUNKED + CHUNKED, "0\r\n\r\n")),
  bad("chunked not last", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"), 501),
  bad("another coding", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501),
  bad("chunks in HTTP/1.0", `POST /p HTTP/1.0\r\nHost: a\r\n${CHUNKED}\r\n0\r\n\r\n`),
  bad("a bare LF in the request line", "GET /a HTTP/1.1\nHost: a\r\n\r\n"),
  bad("bare LFs throughout", GET_A.replaceAll("\r", "")),
  bad("a bare LF in the fields", "GET /a HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
  bad("a bare CR in the fields", "GET /a HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"),
  bad("an end of bare LFs", "GET /a HTTP/1.1\r\nHost: a\r\n\n"),
  bad("a NUL in a value", "GET /a HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n"),
  bad("a folded field", "GET /a HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
  bad("a space before the first field", "GET /a HTTP/1.1\r\n Host: a\r\n\r\n"),
  bad("HTTP/0.9", "GET /a\r\n\r\n"),
  bad("another version", "GET /a HTTP/2.0\r\nHost: a\r\n\r\n", 505),
  bad("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
  bad("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
  bad("CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501),
  bad("no host", "GET /a HTTP/1.1\r\n\r\n"),
  bad("two hosts", "GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
  bad("a host of another", "GET http://b/a HTTP/1.1\r\nHost: a\r\n\r\n"),
  bad("dots", "GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n"),
  bad("escaped dots", "GET /a/%2e%2e/b HTTP/1.1\r\nHost: a\r\n\r\n"),
  bad("an escaped slash", "GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n"),
  bad("an asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
  bad("an expectation", post("Expect: 200-maybe\r\nContent-Length: 3\r\n", "abc"), 417),
  bad("too many fields", `GET /a HTTP/1.1\r\nHost: a\r\n${"X: y\r\n".repeat(100)}\r\n`, 431),
  bad("a long target", `GET /${"a".repeat(9_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414),
  bad("the second of two", `${GET_A}GET / HTTP/1.1\r\n\r\n`, 400, ["GET /a "]),
  bad("a bad chunk's size, after a good request", `${GET_A}${post(CHUNKED, "zz\r\n")}`, 400, ["GET /a "]),
  bad("a chunk that is longer than it says", post(CHUNKED, "3\r\nabcd\r\n0\r\n\r\n")),
  bad("a chunk's size with a bare LF", post(CHUNKED, "3\nabc\r\n0\r\n\r\n")),
  bad("a chunk's extension with a bare LF", post(CHUNKED, "3;a\nb\r\nabc\r\n0\r\n\r\n")),
  bad("a chunk's size in two's complement", post(CHUNKED, "fffffffffffffffe\r\nabc\r\n0\r\n\r\n")),
  bad("a chunk's size with 0x", post(CHUNKED, "0x3\r\nabc\r\n0\r\n\r\n")),
  bad("a trailer that is no field", post(CHUNKED, "0\r\nGET / HTTP/1.1\r\n\r\n")),
];

const describe = ({ method, url, body }: Seen): string => `${method} ${url} ${body}`;

async function run({ sent, statuses, seen, name }: Case, worker: NodeWorker, front: TestFront, size: number) {
  worker.whole.length = 0;
  using client = await RawClient.connect(front.port);
  for (let at = 0; at < sent.length && !client.isClosed; at += size) {
    client.send(sent.slice(at, at + size));
    // Each piece by itself, as far as the system lets it.
    if (size < sent.length) await new Promise((resolve) => setImmediate(resolve));
  }
  const text = await client.closed();
  const answers = parseAnswers(text).filter(({ status }) => status >= 200);
  assert.deepEqual(
    answers.map(({ status }) => status),
    statuses,
    name,
  );
  assert.equal(answers.at(-1)!.headers.get("connection"), "close", name);
  assert.deepEqual(worker.whole.map(describe), seen, name);
  await front.settled();
}

test("hostile requests: each gets its answer, and the worker sees what we counted and nothing else", async () => {
  await using worker = await NodeWorker.start();
  await using front = await TestFront.start([worker.port]);
  for (const one of CASES) await run(one, worker, front, one.sent.length);
});

test("hostile requests: byte by byte they are what they are at once", async () => {
  await using worker = await NodeWorker.start();
  await using front = await TestFront.start([worker.port]);
  for (const one of CASES.filter(({ sent }) => sent.length < 1_000)) await run(one, worker, front, 1);
});
