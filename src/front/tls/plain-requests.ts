import type { FrontTls } from "../../protocol/front-messages.ts";
import type { RequestFacts, Resolver, Target } from "../proxy/responder.ts";

/** What is asked without TLS where there is TLS. */
export interface PlainRequestsOptions {
  tls: () => FrontTls | undefined;
  /** One of the certificates names this host. */
  hasName: (host: string) => boolean;
  resolve: Resolver;
}

/**
 * Sends plain requests to https, or refuses them, before anybody else sees them. Let through is what has come by TLS to a trusted proxy before us, and what a
 * program on this machine asks of a name below `localhost` that no certificate names, such as a session's: it does not leave the machine, and could not be
 * asked securely.
 */
export function withPlainRequests({ tls, hasName, resolve }: PlainRequestsOptions): Resolver {
  return (request) => {
    const plain = tls()?.plain ?? "serve";
    if (plain === "serve" || request.isSecure || isOwnMachines(request, hasName)) return resolve(request);
    return plain === "redirect" ? redirected(request) : refused();
  };
}

/** RFC 9110 §15.4.9: the method and its body stay. To the same port, which takes both. */
function redirected({ host, path, query }: RequestFacts): Target {
  if (host === undefined || path === "*") return refused();
  const location = `https://${host}${path}${query === undefined ? "" : `?${query}`}`;
  return { kind: "answer", answer: { status: 308, headers: [["location", location], NO_STORE], body: "" } };
}

function refused(): Target {
  const body = "400 Bad Request: this port is asked by https.\n";
  return {
    kind: "answer",
    answer: { status: 400, headers: [["content-type", "text/plain; charset=utf-8"], NO_STORE], body },
  };
}

/** A browser that has once kept a redirect would keep to it when TLS is long gone. */
const NO_STORE = ["cache-control", "no-store"] as const;

function isOwnMachines(
  { host, remoteAddress, isForwarded }: RequestFacts,
  hasName: (host: string) => boolean,
): boolean {
  const isLoopback = remoteAddress === "::1" || remoteAddress.startsWith("127.");
  if (!isLoopback || isForwarded || host === undefined) return false;
  const name = host.replace(/:\d*$/, "").toLowerCase();
  return (name === "localhost" || name.endsWith(".localhost")) && !hasName(name);
}
