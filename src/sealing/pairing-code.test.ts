import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isWarrenError } from "../protocol/errors.ts";
import { fromBase32, toBase32 } from "./base32.ts";
import { decodePairingCode, encodePairingCode, isLoopback, type PairingCode } from "./pairing-code.ts";
import { throwsWith } from "./testing/checks.ts";
import { counting } from "./testing/fixed.ts";

const NOW = 1_800_000_000;
const code: PairingCode = {
  hub: counting(16),
  pairingKey: counting(32, 50),
  secret: counting(16, 90),
  expires: NOW + 120,
  scopes: ["view", "type"],
  address: "https://home.example",
};
const read = (text: string, more: object = {}) => decodePairingCode(text, { nowSeconds: NOW, ...more });
const refused = (name: string, text: string, more: object = {}) => throwsWith(name, () => read(text, more));
const texts = encodePairingCode(code);
const bare = texts.warren.slice("warren://pair?".length);

test("pairing code: it reads back in every form, in small letters and with space around it", () => {
  const forms = [
    texts.warren,
    texts.link,
    texts.qr,
    bare,
    bare.toLowerCase(),
    texts.qr.toLowerCase(),
    texts.link.replace("#p=", "#P="),
  ];
  for (const text of forms) assert.deepEqual(read(` ${text}\n`), code);
  assert.match(texts.link, /^https:\/\/home\.example\/#p=[A-Z2-7]+$/);
});

test("pairing code: drawn as QR version 6, which fits a terminal of 80 × 24, it has room for an address of 42 characters", () => {
  const longest = "https://laptop.some-tailnet-abcdefg.ts.net";
  assert.equal(longest.length, 42);
  const { qr } = encodePairingCode({ ...code, address: longest });
  assert.match(qr, /^[A-Z0-9 $%*+\-./:]+$/);
  assert.ok(qr.length <= 195 && qr.length > 193, `${qr.length}`);
});

test("pairing code: the address is written one way", () => {
  for (const [address, expected] of [
    ["HTTPS://Home.Example:443/", "https://home.example"],
    ["http://192.168.1.7:7117", "http://192.168.1.7:7117"],
    ["https://example.com/warren/", "https://example.com/warren"],
  ] as const)
    assert.equal(read(encodePairingCode({ ...code, address }).qr).address, expected);
});

test("pairing code: expired, and too far ahead for any clock, are told apart", () => {
  refused("CODE_EXPIRED", texts.qr, { nowSeconds: NOW + 120 });
  refused("CODE_EXPIRED", texts.qr, { nowSeconds: NOW + 86_400 });
  refused("CODE_CLOCK_WRONG", texts.qr, { nowSeconds: NOW - 86_400 });
  assert.deepEqual(read(texts.qr, { nowSeconds: NOW - 200 }), code, "a clock that is some minutes off");
});

test("pairing code: cut at every place, and with every character changed, it is refused or another address", () => {
  for (let length = 8; length < bare.length; length++)
    assert.throws(
      () => read(bare.slice(0, length)),
      (error) => isWarrenError(error),
      `${length}`,
    );
  for (let length = 0; length < 8; length++) refused("CODE_FOREIGN", bare.slice(0, length));
  refused("CODE_CUT", bare.slice(0, 40));
  refused("CODE_CUT", bare.slice(0, -3));
  refused("CODE_CUT", `${texts.warren}A`);
  refused("CODE_CUT", `warren://pair?${bare.slice(0, 20)}1${bare.slice(21)}`);
});

test("pairing code: what is none of ours is refused as such", () => {
  for (const text of [
    "",
    "hello",
    "happy://terminal?abcdef",
    "https://example.com/",
    "https://example.com/#q=AAAA",
    "javascript:alert(1)#p=AAAA",
    `warren://join?${bare}`,
    "otpauth://totp/x?secret=AAAA",
    "warren://pair?key=abc&server=https%3A%2F%2Fhub.example",
  ])
    refused("CODE_FOREIGN", text);
  refused("CODE_TOO_LONG", `warren://pair?${"A".repeat(1_000)}`);
});

test("pairing code: of another version, it says so, whatever follows", () => {
  refused("CODE_VERSION", toBase32(Uint8Array.of(2, ...counting(80))));
  refused("CODE_VERSION", toBase32(Uint8Array.of(0, ...counting(80))));
});

test("pairing code: one without a hub has an explanation of its own", () => {
  refused("CODE_WITHOUT_HUB", "warren://pair?key=abcdef");
  refused("CODE_WITHOUT_HUB", withAddress(""));
  throwsWith("CODE_WITHOUT_HUB", () => encodePairingCode({ ...code, address: "" }));
});

test("pairing code: addresses that are odd, local or hold credentials are refused", () => {
  const odd = [
    "ftp://home.example",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "https://me:secret@home.example",
    "https://me@home.example",
    "https://home.example/?next=1",
    "https://home.example/#x",
    "home.example",
    "https://",
    "wss://home.example",
  ];
  for (const address of odd) {
    refused("CODE_ADDRESS", withAddress(address));
    throwsWith("CODE_ADDRESS", () => encodePairingCode({ ...code, address }));
  }
  for (const address of [
    "http://localhost:7117",
    "http://127.0.0.1",
    "http://0x7f.1",
    "http://2130706433",
    "https://[::1]:8443",
    "http://LOCALHOST.",
    "http://[::ffff:127.0.0.1]",
    "http://a.localhost",
    "http://0.0.0.0",
  ]) {
    refused("CODE_LOOPBACK", withAddress(address));
    assert.ok(read(withAddress(address), { isLocal: true }).address.startsWith("http"), address);
  }
  for (const name of ["localhost.example", "128.0.0.1", "home.example", "[fe80::1]"])
    assert.equal(isLoopback(name), false, name);
});

test("pairing code: unknown scopes, and none, are refused", () => {
  const bytes = fromBase32(bare)!;
  for (const scopes of [0, 2, 16, 255]) {
    bytes[69] = scopes;
    refused("CODE_CUT", toBase32(bytes));
  }
  throwsWith("FORM_INVALID", () => encodePairingCode({ ...code, scopes: ["type"] }));
});

test("pairing code: no error repeats it", () => {
  for (const text of [
    bare.slice(0, -3),
    `${texts.link}A`,
    texts.qr,
    withAddress("ftp://secret.example"),
    "warren://pair?key=SECRETSECRET",
  ]) {
    try {
      read(text, { nowSeconds: NOW + 500 });
      assert.fail("it was taken");
    } catch (error) {
      assert.ok(isWarrenError(error));
      assert.ok(
        !/[A-Z2-7]{12}/.test(`${error.message} ${error.fix}`) && !error.message.includes("secret"),
        error.message,
      );
    }
  }
});

test("pairing code: 20,000 made-up texts give a code or a refusal by name", () => {
  const part = fc.constantFrom(
    "warren://pair?",
    "WARREN://PAIR/",
    "https://x.example/#p=",
    "",
    "key=",
    "&server=",
    "AE",
    bare,
  );
  const made = fc
    .tuple(part, part, fc.oneof(fc.string({ maxLength: 200 }), fc.base64String()))
    .map((parts) => parts.join(""));
  for (const text of fc.sample(made, { numRuns: 20_000, seed: 5 }))
    try {
      read(text);
    } catch (error) {
      if (!isWarrenError(error) || !error.code.startsWith("CODE_")) assert.fail(`${text}: ${error}`);
    }
});

test("base32: bytes come back, and nothing is read that was not written so", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => assert.deepEqual(fromBase32(toBase32(bytes)), bytes)),
  );
  for (const text of ["A", "AAA", "AAAAAA", "AB", "A1", "A=", "Ä"]) assert.equal(fromBase32(text), undefined, text);
});

/** A whole code whose address is whatever it is, past our own encoder. */
function withAddress(address: string): string {
  const front = fromBase32(bare)!.subarray(0, 70);
  const bytes = Buffer.from(address);
  return toBase32(Uint8Array.of(...front, bytes.length, ...bytes));
}
