import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpProblem } from "./problem.ts";
import { type RequestHead, RequestReader } from "./request-head.ts";

const reader = new RequestReader();
const read = (text: string, isTrusted = false): RequestHead => reader.read(text, isTrusted);

function statusOf(text: string): number | "good" {
  try {
    read(text);
    return "good";
  } catch (error) {
    if (error instanceof HttpProblem) return error.status;
    throw error;
  }
}

const get = (target: string, fields = "Host: a\r\n", version = "HTTP/1.1"): string =>
  `GET ${target} ${version}\r\n${fields}\r\n`;

test("request line: what is refused, and with what (RFC 9112 §3)", () => {
  const cases: [text: string, status: number | "good"][] = [
    [get("/"), "good"],
    [get("/", "", "HTTP/1.0"), "good"],
    ["get / HTTP/1.1\r\nHost: a\r\n\r\n", "good"], // another method than GET
    [" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400],
    ["GET / \r\nHost: a\r\n\r\n", 400],
    ["GET /\r\n\r\n", 400],
    ["GET\r\n\r\n", 400],
    ["\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400], // the connection skips one such line, the reader none
    ["G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    [`${"A".repeat(21)} / HTTP/1.1\r\nHost: a\r\n\r\n`, 400],
    [get("/", "Host: a\r\n", "HTTP/1.2"), 505],
    [get("/", "Host: a\r\n", "HTTP/2.0"), 505],
    [get("/", "Host: a\r\n", "HTTP/0.9"), 505],
    [get("/", "Host: a\r\n", "http/1.1"), 400],
    [get("/", "Host: a\r\n", "HTTP/1.10"), 400],
    [get("/", "Host: a\r\n", "HTTP/1.1x"), 400],
    [get("/", "Host: a\r\n", "HTTP/11"), 400],
    ["CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501],
    ["CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", 501],
    ["PRI / HTTP/1.1\r\nHost: a\r\n\r\n", 501],
    [get(`/${"a".repeat(8 * 1024 - 1)}`), "good"],
    [get(`/${"a".repeat(8 * 1024)}`), 414],
  ];
  for (const [text, status] of cases) assert.equal(statusOf(text), status, JSON.stringify(text.slice(0, 60)));
});

test("target: one rule for what is matched and what is sent on (RFC 9112 §3.2, RFC 3986 §6.2.2.2)", () => {
  const paths: [target: string, path: string | number, query?: string][] = [
    ["/", "/"],
    ["/a/b", "/a/b"],
    ["/a/", "/a/"],
    ["/%7euser/%41%2d%2E%5F", "/~user/A-._"],
    ["/a%20b%c3%A9%25", "/a%20b%C3%A9%25"],
    ["/.well-known/x", "/.well-known/x"],
    ["/a..b/..c/d../...", "/a..b/..c/d../..."],
    ["/%2ewell-known", "/.well-known"],
    ["/[id]|x^y{z}", "/[id]|x^y{z}"],
    ["/a?b=c", "/a", "b=c"],
    ["/a?", "/a", ""],
    ['/a?//../%2f%zz\\"<>', "/a", '//../%2f%zz\\"<>'],
    ["/a?b?c", "/a", "b?c"],
    ["//", 400],
    ["//a", 400],
    ["/a//b", 400],
    ["/a//", 400],
    ["/.", 400],
    ["/..", 400],
    ["/a/./b", 400],
    ["/a/../b", 400],
    ["/a/..", 400],
    ["/a/.", 400],
    ["/a/..?x", 400],
    ["/%2e", 400],
    ["/a/%2e%2E/b", 400],
    ["/a/.%2e/b", 400],
    ["/a%2fb", 400],
    ["/a%2Fb", 400],
    ["/a%5cb", 400],
    ["/a%00b", 400],
    ["/a%", 400],
    ["/a%4", 400],
    ["/a%4g", 400],
    ["/a%%41", 400],
    ["/a\\b", 400],
    ["/a#b", 400],
    ["/a?b#c", 400],
    ['/a"b', 400],
    ["/a<b>", 400],
    ["/a\x01", 400],
    ["/a\x00", 400],
    ["/a\x7f", 400],
    ["/a\xe9", 400],
    ["/a?\x00", 400],
    ["/a?\xe9", 400],
    ["a", 400],
    ["*", 400],
    ["a:80", 400],
    ["?a", 400],
    ["http://a", "/"],
    ["http://a/", "/"],
    ["HTTP://a/b%2dc?d", "/b-c", "d"],
    ["http://a?b", "/", "b"],
    ["http://A/x", "/x"],
    ["http://b/x", 400],
    ["http:///x", 400],
    ["http://u@a/x", 400],
    ["http:/a/x", 400],
    ["https://a/x", 400],
    ["ftp://a/x", 400],
    ["http://a//x", 400],
    ["http://a/../x", 400],
  ];
  for (const [target, path, query] of paths) {
    if (typeof path === "number") assert.equal(statusOf(get(target)), path, target);
    else {
      const head = read(get(target));
      assert.equal(head.path, path, target);
      assert.equal(head.query, query, target);
    }
  }
  assert.equal(read("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").path, "*");
  assert.equal(read("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n").path, "*");
  assert.equal(statusOf("OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
});

test("host: exactly one good one in HTTP/1.1 (RFC 9112 §3.2)", () => {
  const good = ["a", "a:80", "a:", "A.b-c_d", "127.0.0.1:8080", "[::1]", "[::1]:80", "xn--a", "a%41", "a~!$"];
  for (const host of good) assert.equal(read(get("/", `Host: ${host}\r\n`)).host, host);
  const bad = [
    "",
    "a b",
    "a,b",
    "a/b",
    "u@a",
    "[::1",
    "::1",
    "a:b",
    "a:80:80",
    "a:808080",
    "a]",
    "[a]b",
    "a%4",
    "a\\b",
  ];
  bad.push("[g::1]", "a\x80", "x".repeat(300), "a?b", "a#b", '"a"');
  for (const host of bad) assert.equal(statusOf(get("/", `Host: ${host}\r\n`)), 400, host);
  assert.equal(statusOf(get("/", "")), 400, "none");
  assert.equal(statusOf(get("/", "Host: a\r\nHost: a\r\n")), 400, "two equal ones");
  assert.equal(statusOf(get("/", "Host: a\r\nhost: b\r\n")), 400, "two");
  assert.equal(statusOf(get("/", "Host: a\r\nHost: a\r\n", "HTTP/1.0")), 400, "two in HTTP/1.0");
  assert.equal(read(get("/", "", "HTTP/1.0")).host, undefined);
  assert.equal(read(get("http://b/", "", "HTTP/1.0")).host, "b");
});

test("field lines: what is refused (RFC 9112 §5)", () => {
  const bad = [
    "A : b",
    "A\t: b",
    " A: b",
    "A: b\r\n c",
    "A: b\r\n\tc",
    "A",
    ": b",
    "A b: c",
    "A\x00: b",
    "A: b\x00",
    "A: b\x01c",
    "A: b\x7f",
    "A: b\rc",
    "A: b\nC: d",
    "A: b\r\r\nC: d",
    "(A): b",
    "A\xe9: b",
    "Content_Length: 3",
    "Transfer_Encoding: chunked",
    "X_Forwarded_For: 1.2.3.4",
    "x-forwarded_host: evil",
  ];
  for (const line of bad) assert.equal(statusOf(get("/", `Host: a\r\n${line}\r\n`)), 400, JSON.stringify(line));
  assert.equal(statusOf(get("/", `Host: a\r\n${"A: b\r\n".repeat(99)}`)), "good");
  assert.equal(statusOf(get("/", `Host: a\r\n${"A: b\r\n".repeat(100)}`)), 431);
});

test("field lines: what goes on is rebuilt, and nothing else goes on (RFC 9110 §7.6.1)", () => {
  const head = read(
    get(
      "/",
      "A: 1\r\nB:2\r\nC:   3  \r\nD:\r\nHost: a\r\nE_f: \xe9\t5\r\nKeep-Alive: x\r\nProxy-Connection: x\r\nConnection: g, close , h\r\n" +
        "G: 6\r\nI: 7\r\nH: 8\r\nProxy-Authorization: x\r\nHTTP2-Settings: x\r\nX-Forwarded-For: 1\r\nX-Forwarded-Port: 2\r\n" +
        "X-Real-IP: 3\r\nForwarded: for=4\r\nTE: trailers, gzip\r\nUpgrade: h2c\r\nX-Request-ID: q\r\nj: 9\r\n",
    ),
  );
  assert.equal(head.lines, "A: 1\r\nB: 2\r\nC: 3\r\nD: \r\nE_f: \xe9\t5\r\nI: 7\r\nj: 9\r\n");
  assert.equal(head.keepsAlive, false);
  assert.equal(head.takesTrailers, true);
  assert.equal(head.requestId, "q");
  assert.equal(head.received, undefined);
  assert.equal(head.isUpgrade, false);
});

test("forwarding fields of a trusted peer are kept apart, and those that we do not make go on", () => {
  const fields = "Host: a\r\nX-Forwarded-For: 1\r\nX-Forwarded-For: 2\r\nX-Forwarded-Port: 3\r\nForwarded: for=4\r\n";
  const head = read(get("/", fields), true);
  assert.equal(head.lines, "X-Forwarded-Port: 3\r\n");
  assert.deepEqual(head.received, { forwarded: "for=4", for: "1, 2", host: undefined, proto: undefined });
});

test("framing: one way to say where a body ends (RFC 9112 §6)", () => {
  const cases: [fields: string, status: number | "good"][] = [
    ["Content-Length: 0\r\n", "good"],
    ["Content-Length: 00012\r\n", "good"],
    ["content-LENGTH:3\r\n", "good"],
    ["Content-Length: 3\r\nContent-Length: 3\r\n", 400],
    ["Content-Length: 3\r\nContent-Length: 4\r\n", 400],
    ["Content-Length: 3, 3\r\n", 400],
    ["Content-Length: +3\r\n", 400],
    ["Content-Length: -3\r\n", 400],
    ["Content-Length: 0x3\r\n", 400],
    ["Content-Length: 3 \r\n", "good"],
    ["Content-Length: 3 4\r\n", 400],
    ["Content-Length: \r\n", 400],
    ["Content-Length: 1e3\r\n", 400],
    ["Content-Length: 9999999999999999\r\n", 400],
    ["Content-Length: \xb2\r\n", 400],
    ["Transfer-Encoding: chunked\r\n", "good"],
    ["Transfer-Encoding: Chunked\r\n", "good"],
    ["Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400],
    ["Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400],
    ["Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400],
    ["Transfer-Encoding: chunked, chunked\r\n", 400],
    ["Transfer-Encoding: chunked,\r\n", 400],
    ["Transfer-Encoding: ,chunked\r\n", 400],
    ["Transfer-Encoding: \r\n", 400],
    ["Transfer-Encoding: gzip, chunked\r\n", 501],
    ["Transfer-Encoding: chunked, gzip\r\n", 501],
    ["Transfer-Encoding: identity\r\n", 501],
    ["Transfer-Encoding: xchunked\r\n", 501],
    ["Transfer-Encoding: chunked;a=b\r\n", 501],
    ['Transfer-Encoding: "chunked"\r\n', 501],
    ["Transfer-Encoding: \x0bchunked\r\n", 400],
    ["Transfer-Encoding : chunked\r\n", 400],
    ["Expect: 100-continue\r\n", "good"],
    ["Expect: 100-Continue\r\n", "good"],
    ["Expect: 200-ok\r\n", 417],
    ["Expect: 100-continue, x\r\n", 417],
    ["Connection: a b\r\n", 400],
  ];
  for (const [fields, status] of cases)
    assert.equal(statusOf(get("/", `Host: a\r\n${fields}`)), status, JSON.stringify(fields));
  assert.equal(statusOf(get("/", "Host: a\r\nTransfer-Encoding: chunked\r\n", "HTTP/1.0")), 400);
  assert.equal(read(get("/", "Host: a\r\nExpect: 100-continue\r\n", "HTTP/1.0")).expectsContinue, false);
});

test("connection: when it goes on, and when it becomes a WebSocket (RFC 9112 §9.3, RFC 9110 §7.8)", () => {
  const keeps = (fields: string, version = "HTTP/1.1") => read(get("/", `Host: a\r\n${fields}`, version)).keepsAlive;
  assert.equal(keeps(""), true);
  assert.equal(keeps("Connection: close\r\n"), false);
  assert.equal(keeps("Connection: Close, x\r\n"), false);
  assert.equal(keeps("Connection: keep-alive\r\nConnection: close\r\n"), false);
  assert.equal(keeps("", "HTTP/1.0"), false);
  assert.equal(keeps("Connection: Keep-Alive\r\n", "HTTP/1.0"), true);
  const upgrades = (fields: string, method = "GET", version = "HTTP/1.1") =>
    read(`${method} / ${version}\r\nHost: a\r\n${fields}\r\n`).isUpgrade;
  assert.equal(upgrades("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"), true);
  assert.equal(upgrades("Connection: keep-alive\r\nUpgrade: websocket\r\n"), false, "not said to be of the connection");
  assert.equal(upgrades("Connection: Upgrade\r\n"), false);
  assert.equal(upgrades("Connection: Upgrade\r\nUpgrade: h2c\r\n"), false);
  assert.equal(upgrades("Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n"), false);
  assert.equal(upgrades("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n"), false);
  assert.equal(upgrades("Connection: Upgrade\r\nUpgrade: websocket\r\n", "POST"), false);
  assert.equal(upgrades("Connection: Upgrade\r\nUpgrade: websocket\r\n", "GET", "HTTP/1.0"), false);
});
