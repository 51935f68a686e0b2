import { isWarrenError } from "../protocol/errors.ts";
import { fromBase32, toBase32 } from "./base32.ts";
import { KEY_BYTES } from "./crypto.ts";
import { fixed, layout, str8, u8, u32 } from "./layout.ts";
import { FINGERPRINT_BYTES } from "./login.ts";
import {
  codeAddress,
  codeCut,
  codeExpired,
  codeForeign,
  codeLoopback,
  codeTooFar,
  codeTooLong,
  codeVersion,
  codeWithoutHub,
} from "./pairing-errors.ts";
import { type Scope, scopes } from "./scopes.ts";

/**
 * The code that a machine shows and a device reads (docs/remote-design.md, Pairing), as `warren://pair?…`, as a link to the hub's app with the
 * code in its fragment, or bare. It is taken whole or not at all, before anything is sent.
 */

export const CODE_VERSION = 1;
export const PAIRING_SECRET_BYTES = 16;
/** How long a code lives. */
const CODE_LIFE_SECONDS = 120;
/** What a machine's and a device's clock may differ by before a fresh code looks as if it lived too long. */
const CLOCK_SLACK_SECONDS = 300;
/** Longest text of a code: the longest address, as a link, and some room. */
const CODE_CHARACTERS_MAX = 1_000;

export interface PairingCode {
  /** The hub's fingerprint. */
  hub: Uint8Array;
  /** The machine's X25519 key for this pairing alone. */
  pairingKey: Uint8Array;
  secret: Uint8Array;
  /** Seconds since 1970. */
  expires: number;
  scopes: readonly Scope[];
  /** Where the hub is: http or https, without a slash at the end. */
  address: string;
}

const CODE = layout("pairing code", {
  version: u8,
  hub: fixed(FINGERPRINT_BYTES),
  pairingKey: fixed(KEY_BYTES),
  secret: fixed(PAIRING_SECRET_BYTES),
  expires: u32,
  scopes,
  address: str8,
});
/** Up to the address's length. */
const CODE_BYTES_MIN = 1 + FINGERPRINT_BYTES + KEY_BYTES + PAIRING_SECRET_BYTES + 4 + 1 + 1;

export interface CodeTexts {
  /** To paste into the app or `warren`. */
  warren: string;
  /** To open: the hub's app reads the fragment, which no server sees. */
  link: string;
  /**
   * To draw: capitals that a QR code holds in its alphanumeric mode, without `?` and `#`. With an address of at most 42 characters it has at most 195: what QR
   * version 6 with correction L holds, which is 23 rows in half blocks. A longer one asks for a larger terminal.
   */
  qr: string;
}

/** @throws CODE_ADDRESS, CODE_WITHOUT_HUB, FORM_INVALID */
export function encodePairingCode(code: PairingCode): CodeTexts {
  const address = checkAddress(code.address, true);
  const bare = toBase32(CODE.encode({ version: CODE_VERSION, ...code, address }));
  return { warren: `warren://pair?${bare}`, link: `${address}/#p=${bare}`, qr: `WARREN://PAIR/${bare}` };
}

export interface ReadCodeOptions {
  nowSeconds: number;
  /** The device is on the hub's own machine, so localhost is the same for both. Default false. */
  isLocal?: boolean;
  /** For a code that names no address: the one of a hub that the person has agreed to. Its fingerprint still has to be the code's. */
  address?: string;
}

/**
 * The code in whatever form it was scanned, opened or pasted.
 * @throws CODE_FOREIGN, CODE_TOO_LONG, CODE_CUT, CODE_VERSION, CODE_WITHOUT_HUB, CODE_ADDRESS, CODE_LOOPBACK, CODE_EXPIRED, CODE_CLOCK_WRONG
 */
export function decodePairingCode(
  text: string,
  { nowSeconds, isLocal = false, address: instead = "" }: ReadCodeOptions,
): PairingCode {
  const trimmed = text.trim();
  if (trimmed.length > CODE_CHARACTERS_MAX) throw codeTooLong(trimmed.length, CODE_CHARACTERS_MAX);
  const bytes = fromBase32(bareCodeOf(trimmed));
  if (bytes === undefined) throw codeCut();
  if (bytes[0] !== undefined && bytes[0] !== CODE_VERSION) throw codeVersion(bytes[0]);
  if (bytes.length < CODE_BYTES_MIN) throw codeCut();
  const { version: _, ...code } = decodeWhole(bytes);
  const address = checkAddress(code.address || instead, isLocal);
  const leftSeconds = code.expires - nowSeconds;
  if (leftSeconds <= 0) throw codeExpired(Math.floor(-leftSeconds));
  if (leftSeconds > CODE_LIFE_SECONDS + CLOCK_SLACK_SECONDS) throw codeTooFar(Math.floor(leftSeconds));
  return { ...code, address };
}

function decodeWhole(bytes: Uint8Array) {
  try {
    return CODE.decode(bytes);
  } catch (error) {
    throw isWarrenError(error, "FORM_INVALID") ? codeCut() : error;
  }
}

const WARREN_SCHEME = /^warren:\/\/pair(?:\/?\?|\/)(.*)$/is;
const LINK = /^https?:\/\/[^\s#]*#p=(.*)$/is;
const BARE = /^[a-z2-7]+$/i;

function bareCodeOf(text: string): string {
  const found = WARREN_SCHEME.exec(text) ?? LINK.exec(text);
  if (found === null) {
    // A word in another language is base32 as well: no code is so short, and each begins with its version.
    if (BARE.test(text) && text.length >= 8) return text;
    throw codeForeign();
  }
  const inside = found[1]!;
  // An older way to write it, of others: `key=…`, and perhaps `server=…`.
  if (/(?:^|&)key=/i.test(inside)) throw /(?:^|&)server=/i.test(inside) ? codeForeign() : codeWithoutHub();
  return inside;
}

/** The address in the one way to write it. */
function checkAddress(address: string, isLocal: boolean): string {
  if (address === "") throw codeWithoutHub();
  if (!URL.canParse(address)) throw codeAddress("it is none");
  const url = new URL(address);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw codeAddress("it is neither https nor http");
  if (url.username !== "" || url.password !== "") throw codeAddress("it holds a name or a password");
  if (url.search !== "" || url.hash !== "" || /[?#]/.test(address)) throw codeAddress("it has a query or a fragment");
  if (isLoopback(url.hostname) && !isLocal) throw codeLoopback();
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

/** URL has written numbers such as `0x7f.1` and `2130706433` as `127.0.0.1` by then. */
export function isLoopback(hostname: string): boolean {
  const name = hostname.replace(/\.$/, "").replace(/^\[(.*)\]$/, "$1");
  return (
    name === "localhost" ||
    name.endsWith(".localhost") ||
    name === "0.0.0.0" ||
    /^127\./.test(name) ||
    /^(::1?|::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}|::ffff:0:0)$/.test(name)
  );
}
