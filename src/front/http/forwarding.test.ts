import assert from "node:assert/strict";
import { test } from "node:test";
import { forwardingLines, plainAddress, TrustedProxies, viaLine } from "./forwarding.ts";
import { Identifiers, isSaneRequestId, isTraceparent } from "./identifiers.ts";

test("forwarding: of a stranger ours alone; of a trusted peer what it sent, and ours after it (RFC 7239)", () => {
  const stranger = { address: "192.0.2.1", isSecure: false, isTrusted: false };
  assert.equal(
    forwardingLines(stranger, "a:80", undefined),
    'x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: http\r\nx-forwarded-host: a:80\r\nforwarded: for=192.0.2.1;host="a:80";proto=http\r\n',
  );
  const trusted = { address: "2001:db8::1", isSecure: true, isTrusted: true };
  const received = { forwarded: "for=1.2.3.4", for: "1.2.3.4", host: "public", proto: "http" };
  assert.equal(
    forwardingLines(trusted, "a", received),
    "x-forwarded-for: 1.2.3.4, 2001:db8::1\r\nx-forwarded-proto: http\r\nx-forwarded-host: public\r\n" +
      'forwarded: for=1.2.3.4, for="[2001:db8::1]";host="a";proto=https\r\n',
  );
  assert.equal(
    forwardingLines(stranger, undefined, undefined),
    "x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: http\r\nforwarded: for=192.0.2.1;proto=http\r\n",
  );
});

test("forwarding: trusted are addresses and networks of both families", () => {
  const trusted = new TrustedProxies(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "nonsense", "10.0.0.1/99"]);
  for (const address of ["10.1.2.3", "192.0.2.7", "2001:db8::5"]) assert.equal(trusted.has(address), true, address);
  for (const address of ["11.0.0.1", "192.0.2.8", "2001:db9::5", ""])
    assert.equal(trusted.has(address), false, address);
  assert.equal(new TrustedProxies([]).has("127.0.0.1"), false);
  assert.equal(plainAddress("::ffff:10.0.0.1"), "10.0.0.1");
  assert.equal(plainAddress("::1"), "::1");
});

test("via: the eleventh time through us is one too many (RFC 9110 §7.6.3)", () => {
  let via: string | undefined;
  for (let hop = 1; hop <= 10; hop++) via = viaLine(via)?.slice("via: ".length, -2);
  assert.equal(via?.split(",").length, 10);
  assert.equal(viaLine(via), undefined);
  assert.equal(viaLine("1.1 warren-like, 1.0 other"), "via: 1.1 warren-like, 1.0 other, 1.1 warren\r\n");
});

test("request ids and trace context: what is sane is kept", () => {
  for (const id of ["a", "A-1_b.c:d+e=f@g/h", "x".repeat(128)]) assert.equal(isSaneRequestId(id), true, id);
  for (const id of ["", "a b", 'a"b', "<a>", "é", "x".repeat(129), "a, b"])
    assert.equal(isSaneRequestId(id), false, id);
  const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  assert.equal(isTraceparent(trace), true);
  assert.equal(isTraceparent(trace.replace("00-", "01-").concat("-later")), true);
  const bad = [trace.toUpperCase(), `${trace}-x`, trace.replace("00-4", "ff-4"), trace.slice(0, -1), `${trace} `];
  bad.push(`00-${"0".repeat(32)}-00f067aa0ba902b7-01`, `00-4bf92f3577b34da6a3ce929d0e0e4736-${"0".repeat(16)}-01`);
  for (const one of bad) assert.equal(isTraceparent(one), false, one);
});

test("request ids and trace context: what is made differs each time, and is valid", () => {
  const identifiers = new Identifiers("0123456789abcdef01234567");
  const made = Array.from({ length: 1_000 }, () => identifiers.next());
  assert.equal(new Set(made).size, 1_000);
  for (const id of made) assert.ok(isSaneRequestId(id) && isTraceparent(identifiers.traceparent(id)), id);
});
