import { isIP, isIPv6 } from "node:net";
import type { Source } from "./config-source.ts";

/** What hosts and paths of routes are written as, and what they mean to the front. */

export type Read = { value: string } | { message: string; suggestion?: string };

/**
 * A route's path as the front compares it (RFC 3986 §3.3): no ending slash, percent-encoded where it must be, unreserved characters as themselves.
 * What the front refuses in a request can be no route: `//`, dot segments, encoded slashes.
 */
export function readPath(text: string): Read {
  const shown = JSON.stringify(text);
  if (!text.startsWith("/")) return { message: `must be a path such as /api, not ${shown}`, ...meant(`/${text}`) };
  const mark = text.search(/[?#]/);
  if (mark >= 0)
    return { message: `${shown} has a ${text[mark]}, and a route is a path alone`, ...meant(text.slice(0, mark)) };
  if (text.includes("//")) return { message: `${shown} has an empty segment`, ...meant(text.replace(/\/{2,}/g, "/")) };
  if (/[*{}]|\/:/.test(text)) {
    const fixed = text.slice(0, text.search(/[*{}]|\/:/));
    return {
      message: `${shown} is a pattern; a path stands for all below it`,
      ...meant(fixed.replace(/\/+$/, "") || "/"),
    };
  }
  const encoded = encodePath(text);
  if (encoded === undefined)
    return { message: `${shown} has a percent sign without two digits, or an encoded slash or NUL` };
  if (/\/\.\.?(\/|$)/.test(encoded)) return { message: `${shown} has a dot segment` };
  return { value: encoded.length > 1 ? encoded.replace(/\/$/, "") : encoded };
}

/** Undefined: it cannot be a path. */
function encodePath(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})|%(2f|5c|00)|\\/i.test(text)) return undefined;
  return text
    .replace(/%[0-9A-Fa-f]{2}/g, (encoded) => {
      const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
      return /[A-Za-z0-9._~-]/.test(character) ? character : encoded.toUpperCase();
    })
    .replace(/[^A-Za-z0-9._~!$&'()*+,;=:@/%-]+/gu, (other) => encodeURIComponent(other.toWellFormed()));
}

/** In lower case, without port, exact or `*.` and a name. */
function readHost(text: string): Read {
  const shown = JSON.stringify(text);
  if (text === "*") return { message: `"*" is every host; leave "host" out` };
  const scheme = /^[a-z]+:\/\//i.exec(text);
  if (scheme)
    return {
      message: `${shown} is a URL, and a host is a name alone`,
      ...meant(withoutRest(text.slice(scheme[0].length))),
    };
  if (/^(\[.*\]|[^:]*):[0-9]*$/.test(text)) {
    return { message: `${shown} has a port; the gateway has one port for all`, ...meant(text.replace(/:[0-9]*$/, "")) };
  }
  if (text.includes("/")) return { message: `${shown} has a path; it stands in "path"`, ...meant(withoutRest(text)) };
  const host = text.toLowerCase().replace(/(?<=.)\.$/, "");
  const isAddress = isIP(host) === 4 || (/^\[.*\]$/.test(host) && isIPv6(host.slice(1, -1)));
  const isName =
    host.length <= 253 &&
    /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(host);
  if (!isAddress && !isName)
    return { message: `must be a host name such as www.example.org or *.example.org, not ${shown}` };
  return { value: host };
}

const withoutRest = (text: string): string => text.replace(/[/:?#].*$/, "");
const meant = (word: string): { suggestion?: string } => (word === "" ? {} : { suggestion: `did you mean "${word}"?` });

export function hostsOf(written: string | readonly string[] | undefined, path: string, source: Source): string[] {
  const hosts = listOf(written).flatMap((text, index) => {
    const at = typeof written === "string" ? path : `${path}[${index}]`;
    return accepted(readHost(text), at, source) ?? [];
  });
  return [...new Set(hosts)];
}

export const methodsOf = (written: string | readonly string[] | undefined): { methods?: string[] } =>
  written === undefined ? {} : { methods: [...new Set(listOf(written))] };

/** The value, or undefined with its problem reported. */
export function accepted(read: Read, path: string, source: Source): string | undefined {
  if ("value" in read) return read.value;
  source.report(path, read.message, read.suggestion);
  return undefined;
}

export const listOf = (value: string | readonly string[] | undefined): string[] =>
  value === undefined ? [] : typeof value === "string" ? [value] : [...value];
