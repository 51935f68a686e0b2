import { HOST } from "./characters.ts";
import { refuse } from "./problem.ts";

/** RFC 9112 §3.2 and RFC 3986 §3.2.2: `name`, `name:port`, an IPv4 address or a bracketed IPv6 one; not empty, without user information. */
export function checkHost(host: string): string {
  if (host.length === 0 || host.length > 255 + 6) refuse(400, "the host");
  let hasOdd = false;
  for (let at = 0; at < host.length; at++) {
    const code = host.charCodeAt(at);
    if (HOST[code] !== 1) refuse(400, "the host");
    if (code === 0x3a || code === 0x5b || code === 0x5d || code === 0x25) hasOdd = true;
  }
  if (hasOdd && !/^(?:\[[0-9A-Fa-f:.]+\]|(?:[^:[\]%]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?$/.test(host))
    refuse(400, "the host");
  return host;
}
