import { isIPv4, isIPv6 } from "node:net";
import type { HubAddress } from "../protocol/hub-control.ts";

/**
 * Under which addresses the hub can be reached, and from which of them a phone's browser runs the app. It does so in a secure context alone (W3C Secure Contexts):
 * https, or this machine's own localhost. About the others it is said what to do.
 */
export interface Reach {
  /** What it listens on: `127.0.0.1`, `0.0.0.0`, a name or an address. */
  host: string;
  port: number;
  /** The names of its certificate; undefined: plain http. */
  certificateHosts: readonly string[] | undefined;
  /** Of this machine's interfaces. */
  ownAddresses: readonly string[];
  isBehindProxy: boolean;
}

export function hubAddresses(reach: Reach): HubAddress[] {
  const { certificateHosts } = reach;
  return certificateHosts === undefined ? plain(reach) : secure(reach, certificateHosts);
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127\./.test(host);
const isAny = (host: string): boolean => host === "0.0.0.0" || host === "::";
/** Tailscale's own range, 100.64.0.0/10 (RFC 6598). */
const isTailnet = (host: string): boolean => {
  const [first, second] = host.split(".").map(Number);
  return isIPv4(host) && first === 100 && second! >= 64 && second! < 128;
};
const urlOf = (scheme: "http" | "https", host: string, port: number): string => {
  const name = isIPv6(host) ? `[${host}]` : host;
  return `${scheme}://${name}${port === (scheme === "https" ? 443 : 80) ? "" : `:${port}`}`;
};

function plain({ host, port, ownAddresses, isBehindProxy }: Reach): HubAddress[] {
  const own: HubAddress[] = [];
  if (isLoopback(host) || isAny(host))
    own.push({ url: urlOf("http", "localhost", port), for_phones: false, note: localNote(port, isBehindProxy) });
  if (isLoopback(host)) return own;
  const others = isAny(host) ? ownAddresses.filter((address) => !isLoopback(address)) : [host];
  return [
    ...own,
    ...others.map((address) => ({
      url: urlOf("http", address, port),
      for_phones: false,
      note: isTailnet(address)
        ? `a phone's browser wants https: tailscale serve --bg ${port}, and use the https://….ts.net address that it prints`
        : "a phone's browser wants https: start it with --cert and --key, or put a proxy or a tunnel with https before it",
    })),
  ];
}

const localNote = (port: number, isBehindProxy: boolean): string =>
  isBehindProxy
    ? "for browsers of this machine, and for the proxy; phones use the https address of the proxy"
    : `for browsers of this machine; for phones put https before it: tailscale serve --bg ${port}, a tunnel, a proxy, or --host, --cert and --key`;

function secure({ host, port }: Reach, names: readonly string[]): HubAddress[] {
  const addresses = names
    .filter((name) => !name.startsWith("*."))
    .map((name) => {
      const url = urlOf("https", name, port);
      if (isLoopback(name)) return { url, for_phones: false, note: "for this machine" };
      return isLoopback(host)
        ? { url, for_phones: false, note: `it listens on this machine alone: start it with --host 0.0.0.0` }
        : { url, for_phones: true };
    });
  const wildcards = names.filter((name) => name.startsWith("*."));
  return [
    ...addresses,
    ...wildcards.map((name) => ({
      url: urlOf("https", name, port),
      for_phones: !isLoopback(host),
      note: "any name of this kind that leads to this machine",
    })),
  ];
}
