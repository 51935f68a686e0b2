import net from "node:net";
import { HOPS_MAX } from "./limits.ts";
import type { ReceivedForwarding } from "./request-head.ts";

/** Who sits at the other end of a client's connection. */
export interface Peer {
  address: string;
  isSecure: boolean;
  /** What it says of where a request came from is believed. */
  isTrusted: boolean;
}

/** An IPv4 address may come as one of IPv6 (RFC 4291 §2.5.5.2). */
export const plainAddress = (address: string): string =>
  address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;

/**
 * X-Forwarded-For, -Proto, -Host and Forwarded (RFC 7239) for the worker. From a trusted peer, what it sent with ours after it; from others ours alone, and
 * what they sent is gone already.
 */
export function forwardingLines(
  peer: Peer,
  host: string | undefined,
  received: ReceivedForwarding | undefined,
): string {
  const proto = peer.isSecure ? "https" : "http";
  const node = peer.address.includes(":") ? `"[${peer.address}]"` : peer.address;
  const element = `for=${node};${host === undefined ? "" : `host="${host}";`}proto=${proto}`;
  const originalHost = received?.host ?? host;
  return (
    `x-forwarded-for: ${listWith(received?.for, peer.address)}\r\n` +
    `x-forwarded-proto: ${received?.proto ?? proto}\r\n` +
    (originalHost === undefined ? "" : `x-forwarded-host: ${originalHost}\r\n`) +
    `forwarded: ${listWith(received?.forwarded, element)}\r\n`
  );
}

const listWith = (list: string | undefined, last: string): string =>
  list === undefined || list === "" ? last : `${list}, ${last}`;

/** RFC 9110 §7.6.3: who received it, under a name that stands for each of our fronts. */
const OURS = "warren";

/** The Via line for the worker; undefined: it has come through us too often (508). */
export function viaLine(received: string | undefined): string | undefined {
  if (received === undefined) return `via: 1.1 ${OURS}\r\n`;
  let hops = 0;
  for (const entry of received.split(",")) if (/^\s*\S+\s+warren(?:\s|$)/.test(entry)) hops++;
  return hops >= HOPS_MAX ? undefined : `via: ${received}, 1.1 ${OURS}\r\n`;
}

/** `10.0.0.0/8`, `::1`, `192.168.1.7`. What is none of these is left out: configuration was checked before. */
export class TrustedProxies {
  readonly #list = new net.BlockList();
  readonly #isEmpty: boolean;

  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = "", prefix] = network.split("/");
      const family = net.isIP(address);
      if (family === 0) continue;
      const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix);
      if (!Number.isInteger(bits) || bits < 0 || bits > (family === 4 ? 32 : 128)) continue;
      this.#list.addSubnet(address, bits, family === 4 ? "ipv4" : "ipv6");
    }
    this.#isEmpty = this.#list.rules.length === 0;
  }

  has(address: string): boolean {
    if (this.#isEmpty) return false;
    const family = net.isIP(address);
    return family !== 0 && this.#list.check(address, family === 4 ? "ipv4" : "ipv6");
  }
}
