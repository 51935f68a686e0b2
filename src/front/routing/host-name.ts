/**
 * The name in a Host field: without port, in lower case, without the root's dot (`Fox.localhost.:8080` → `fox.localhost`). An IPv6 address keeps its
 * brackets. It was checked before it came here (RFC 9112 §3.2); what is odd anyway comes back as it is, and matches no route.
 */
export function hostName(host: string): string {
  const end = host.startsWith("[") ? host.indexOf("]") + 1 : portAt(host);
  const name = host.slice(0, end === 0 ? host.length : end).toLowerCase();
  return name.length > 1 && name.endsWith(".") ? name.slice(0, -1) : name;
}

function portAt(host: string): number {
  const colon = host.lastIndexOf(":");
  return colon < 0 ? host.length : colon;
}
